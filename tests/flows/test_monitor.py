"""The flow monitor with a real Prefect: a page, artifacts, and alerts that reach whom they are meant for."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from prefect.artifacts import Artifact
from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import get_current_settings

from flows.monitor import ALERT, monitor
from strata.data.history import DAY, History
from strata.online.opening import open_journal
from strata.online.records import Record
from tests.flows.conftest import wait_until
from tests.places import ROOT
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release

pytestmark = pytest.mark.usefixtures("server")
NOW = TIME + DAY


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    n = 400
    users, items = np.arange(n) % N_USERS, np.arange(n) % N_ITEMS
    times = np.linspace(TIME - 100 * DAY, TIME - 1, n)
    order = np.lexsort((times, users))
    history = History.from_columns(
        users[order], items[order], times[order], np.ones(n), n_users=N_USERS, n_items=N_ITEMS
    )
    return write_tiny_release(tmp_path_factory.mktemp("release"), history)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a journal whose clock runs on from the end of the data, beside params.yaml."""
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["monitor"] |= {"fewest": 50}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    file = tmp_path / "journal.sqlite"
    with closing(open_journal(str(file))) as opened:
        opened.append([Record("clock", "data", None, NOW, {"ahead": NOW - time.time()})])
    return file


def keep(journal: Path, records: list[Record]) -> None:
    with closing(open_journal(str(journal))) as opened:
        opened.append(records)


def event(n: int, item: int, user: str, at: float) -> Record:
    return Record("event", f"e{n}", user, at, {"item_id": f"i{item:02d}", "behaviour": "view"})


def alerts_told() -> list[dict[str, Any]]:
    """The payloads of the alerts that the server has."""
    url = f"{get_current_settings().api.url}/events/filter"
    for _ in range(100):
        found = httpx.post(url, json={"filter": {"event": {"name": [ALERT]}}}).json()["events"]
        if found:
            return [each["payload"] for each in found]
        time.sleep(0.1)
    return []


@pytest.mark.slow
def test_a_calm_week_raises_no_alert_and_trouble_raises_its_own(journal: Path, release: Path) -> None:
    keep(journal, [event(n, n % N_ITEMS, f"u{n % N_USERS}", NOW - 6.9 * DAY + n * 1_511) for n in range(390)])
    monitor(str(journal), release=release)
    page = Path("reports/monitor/index.html").read_text()
    assert "<h2>Alerts</h2><p>None.</p>" in page
    assert Path("reports/monitor/drift.html").stat().st_size > 100_000
    assert "| events | 390 |" in Artifact.get("monitor").data
    # Now only one item, by strangers.
    keep(journal, [event(n, 1, f"canary-{n}", NOW - 3_000 + n) for n in range(390, 2_390)])
    monitor(str(journal), release=release)
    told = {each["what"] for each in alerts_told()}
    assert {"cold-users", "drift-item-vector-1"} <= told
    assert "silence" not in told
    for file in Path("reports").rglob("*.html"):
        assert "canary" not in file.read_text(), file
    assert "canary" not in Artifact.get("monitor").data


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and what is posted to it."""
    posted: list[str] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hears)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", posted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_the_example_automation_tells_of_an_alert(heard: tuple[str, list[str]], journal: Path, release: Path) -> None:
    url, posted = heard
    block = CustomWebhookNotificationBlock(
        name="hears", url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"}
    )
    text = (ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8")
    file = journal.with_name("alerts.yaml")
    file.write_text(text.replace("00000000-0000-0000-0000-000000000000", str(block.save("hears", overwrite=True))))
    env = {**os.environ, "PREFECT_API_URL": str(get_current_settings().api.url)}
    command = ["prefect", "automation", "create", "--from-file", str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Automation.read(name="Alerts of the monitor").enabled
    time.sleep(3)  # the server looks for new automations now and then
    keep(journal, [event(0, 1, "u0", NOW - 6 * DAY)])  # and silence since
    monitor(str(journal), release=release)
    wait_until(lambda: posted, 30)
    assert "no event for 144" in posted[0]
