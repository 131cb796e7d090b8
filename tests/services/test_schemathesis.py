"""Schemathesis reads the OpenAPI and tries what it allows and forbids."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.serving import TOKEN, Server


@pytest.mark.slow
def test_all_checks_pass(server: Server, tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "schemathesis"
    limits = ("--max-examples", "12", "--generation-deterministic", "--checks", "all", "--continue-on-failure")
    done = subprocess.run(
        [program, "run", str(server.base_url.join("/openapi.json")), "-H", f"Authorization: Bearer {TOKEN}", *limits],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert server.metric("strata_requests_total", status="500") == 0
