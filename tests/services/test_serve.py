"""`python -m services.serve`: what would stop a server is said before one starts, and harms no other."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.serve import check_address, first_token
from services.settings import ServiceSettings
from strata.errors import SettingsError
from strata.online.tokens import SCOPES, Admission, TokenFile
from tests.places import ROOT


def test_a_token_is_made_where_there_is_none_and_shown_once(tmp_path: Path) -> None:
    settings = ServiceSettings(tokens=tmp_path / "tokens.jsonl")
    value = first_token(settings)
    assert value is not None
    found = Admission(TokenFile(settings.tokens)).whose(value)
    assert found is not None
    assert found.scopes == SCOPES
    assert first_token(settings) is None
    assert first_token(ServiceSettings(tokens=tmp_path / "none.jsonl", open=True)) is None
    assert not (tmp_path / "none.jsonl").exists()


def test_an_open_service_stays_on_the_loopback() -> None:
    settings = ServiceSettings(open=True)
    check_address("127.0.0.1", 0, settings)
    with pytest.raises(SettingsError, match="STRATA_OPEN answers without a token"):
        check_address("0.0.0.0", 0, settings)


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "services.serve", "--port", str(port), "--release", str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "STRATA_TOKENS": str(tmp_path / "tokens.jsonl")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"SettingsError: 127.0.0.1:{port} cannot be served on")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "tokens.jsonl").exists()
