"""`make ui` as an operator meets it: server, deployments, schedule, automation, a run on demand, a clean stop."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from flows.leash import environment
from flows.serve import BEATS_MISSED, SILENT_RUNS, CannotServe, serve, settings
from tests.flows.conftest import ROOT, Project, all_ended, wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Api:
    """The server's HTTP interface, as the UI uses it: what it is too busy for (503) is asked again, as it says."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api"

    def _answer(self, request: urllib.request.Request) -> Any:
        for _ in range(30):
            try:
                with urllib.request.urlopen(request) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                time.sleep(float(error.headers.get("Retry-After", 1)))
        raise AssertionError(f"{request.full_url}: the server stayed too busy")

    def post(self, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode()
        return self._answer(urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"}))

    def state(self, run: str) -> str:
        return self._answer(urllib.request.Request(f"{self.url}/flow_runs/{run}"))["state"]["type"]


@pytest.mark.slow
def test_make_ui_serves_schedules_and_runs_and_stops_cleanly(project: Project, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "flows", project.folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "prefect.yaml", project.folder / "prefect.yaml")
    project.commit("flows")
    port = free_port()
    env = {**environment(), "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_WORKER_QUERY_SECONDS": "1"}
    env = {name: value for name, value in env.items() if not name.startswith("PREFECT_API")}
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-m", "flows.serve", "--port", str(port)]
        ui = subprocess.Popen(command, cwd=project.folder, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "Prefect UI: http" in (tmp_path / "log").read_text() or ui.poll() is not None, 120)
        assert ui.poll() is None, (tmp_path / "log").read_text()
        family = psutil.Process(ui.pid).children(recursive=True)
        api = Api(port)
        deployments = {each["name"]: each for each in api.post("deployments/filter")}
        assert set(deployments) == {"nightly", "gated", "by-hand", "ingest", "hourly"}
        assert [each["active"] for each in deployments["nightly"]["schedules"]] == [True]
        [silent] = [each for each in api.post("automations/filter") if each["name"] == SILENT_RUNS]
        assert silent["trigger"]["within"] == 180 * BEATS_MISSED
        run = api.post(f"deployments/{deployments['nightly']['id']}/create_flow_run", state={"type": "SCHEDULED"})
        wait_until(lambda: api.state(run["id"]) in {"COMPLETED", "FAILED", "CRASHED"}, 120)
        assert api.state(run["id"]) == "COMPLETED", (tmp_path / "log").read_text()
        assert project.run("git", "diff", "--name-only", "main", "runs/nightly") == "dvc.lock"
    finally:
        ui.send_signal(signal.SIGINT)
        assert ui.wait(60) == 0
    assert all_ended(family)


def test_every_deployment_names_a_flow_that_is_there_and_runs_one_at_a_time() -> None:
    for deployment in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]:
        path, _, function = deployment["entrypoint"].partition(":")
        assert f"def {function}(" in (ROOT / path).read_text()
        assert deployment["concurrency_limit"]["limit"] == 1


def test_an_address_that_others_reach_needs_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    with pytest.raises(CannotServe, match="set PREFECT_SERVER_API_AUTH_STRING"):
        settings("0.0.0.0", 4200, 180)
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "admin:secret")
    assert settings("0.0.0.0", 4200, 180)["PREFECT_API_AUTH_STRING"] == "admin:secret"


def test_a_port_in_use_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CannotServe, match="in use"):
            serve("127.0.0.1", other.getsockname()[1], 180)
