"""`python -m services.serve`: what would stop a server is said before one starts, and harms no other."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from services import own_folder
from services.serve import check_address, first_token
from services.settings import ServiceSettings
from strata.errors import SettingsError
from strata.online.tokens import SCOPES, Admission, TokenFile
from tests.places import ROOT
from tests.services.serving import SERVICE, Server


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


def start(server: Server, home: Path, **settings: str) -> subprocess.CompletedProcess:
    """A second server on the port of the first, with the same home."""
    port = str(server.base_url.port)
    return subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", *SERVICE, "--host", "127.0.0.1", "--port", port],
        cwd=home,
        env={**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "true", **settings},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_second_start_on_a_taken_port_harms_nothing_of_the_first(server: Server, release: Path) -> None:
    for _ in range(3):
        assert server.post("/similar_items", json={"item_id": "1", "k": 1}).status_code == 200
    before = server.metric("strata_requests_total", endpoint="/similar_items", status="200")
    assert before >= 3
    done = start(server, server.log.parent, STRATA_RELEASE=str(release))
    assert done.returncode != 0
    assert "Address already in use" in done.stdout + done.stderr
    assert server.metric("strata_requests_total", endpoint="/similar_items", status="200") == before
    assert server.post("/similar_items", json={"item_id": "1", "k": 1}).status_code == 200
    assert server.metric("strata_requests_total", endpoint="/similar_items", status="200") == before + 1
    assert server.metric("strata_release") == 1


@pytest.mark.slow
def test_a_metrics_folder_that_cannot_be_written_stops_the_start_in_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = start(server, tmp_path, STRATA_METRICS=str(tmp_path / "file" / "metrics"))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("SettingsError: the folder for metrics")
    assert "STRATA_METRICS" in last
    assert "Traceback" not in done.stderr


def test_each_server_has_a_folder_and_those_of_servers_that_ended_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = psutil.Process(os.getppid())
    host = socket.gethostname()
    ended = tmp_path / f"{host}.{server.pid}.12345"  # the same number, another process
    never, foreign, other = tmp_path / f"{host}.4194305.1", tmp_path / "elsewhere.1.1", tmp_path / "notes"
    for folder in (ended, never, foreign, other):
        folder.mkdir()
    monkeypatch.delenv(own_folder.VARIABLE, raising=False)
    own_folder.take(tmp_path)  # no worker of BentoML: nothing to do
    assert ended.exists()
    monkeypatch.setenv(own_folder.VARIABLE, "/of/bentoml")
    for _ in range(2):
        own_folder.take(tmp_path)
    mine = Path(os.environ[own_folder.VARIABLE])
    assert mine.is_dir()
    assert mine.stat().st_mode & 0o077 == 0
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, foreign.name, other.name}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, -1)
    with pytest.raises(SettingsError, match="is somebody else's"):
        own_folder.check(tmp_path)
