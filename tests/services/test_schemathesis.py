"""Schemathesis reads the OpenAPI and tries what it allows and forbids."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.serving import SERVICE, TOKEN, Server, serving


@pytest.fixture
def alone(release: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of its own: what is tried also changes items and forgets users."""
    environment = {"STRATA_RELEASE": release, "STRATA_SESSIONS": tmp_path / "sessions.sqlite"}
    with serving(tmp_path / "home", *SERVICE, environment=environment) as started:
        yield started


@pytest.mark.slow
def test_all_checks_pass(alone: Server, tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "schemathesis"
    limits = ("--max-examples", "12", "--generation-deterministic", "--checks", "all", "--continue-on-failure")
    done = subprocess.run(
        [program, "run", str(alone.base_url.join("/openapi.json")), "-H", f"Authorization: Bearer {TOKEN}", *limits],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert alone.metric("strata_requests_total", status="500") == 0
