"""The flow ingest with a real Prefect, DVC, git and journal: all that was kept comes once, wherever a run ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
import yaml
from prefect.settings import get_current_settings

from flows.ingest import ingest
from flows.leash import environment
from flows.refresh import refresh
from strata.data.journal_folder import JournalFolder
from strata.errors import SettingsError
from strata.interests.correction_file import parsed
from strata.online.opening import open_journal
from strata.online.records import Record
from tests.flows.conftest import Project
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("server")
PIPELINE = {
    "stages": {
        "validate": {
            "cmd": "exec python -m tasks.validate",
            "deps": ["data/shop"],
            "params": ["source", "cleaning"],
            "outs": ["artifacts/tables", "artifacts/validation"],
        },
        "split": {
            "cmd": "exec python -m tasks.split",
            "deps": ["artifacts/tables"],
            "params": ["split"],
            "outs": ["artifacts/history"],
        },
    }
}
SOURCE = {
    "folder": "data/shop",
    "interactions": {"file": "interactions.csv"},
    "items": {"file": "items.csv"},
}
INTERACTIONS = [f"u{n % 5},i{n % 4},view,2024-01-{n % 28 + 1:02},s{n}" for n in range(40)]
STEPS = ("join_earlier", "drain_journal", "add_data", "record", "acknowledge")
KILLED_BEFORE = """\
import os, signal, sys
from pathlib import Path
import flows.ingest as module
step, journal, workspace = sys.argv[1:]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, step, die)
module.ingest(journal, Path(workspace), deployment="ingest")
"""


class Shop(Project):
    """A project of the stages validate and split, with a journal beside it."""

    @property
    def address(self) -> str:
        return str(self.folder.parent / f"{self.folder.name}-journal" / "journal.sqlite")

    def keep(self, *records: Record) -> None:
        with closing(open_journal(self.address)) as journal:
            journal.append(records)

    def forget(self, user: str) -> None:
        with closing(open_journal(self.address)) as journal:
            journal.forget(user, 2e9)

    def drained(self) -> int:
        with closing(open_journal(self.address)) as journal:
            return journal.facts().drained

    def clone(self, deployment: str) -> "Shop":
        return Shop(self.folder / ".dvc" / "tmp" / "runs" / deployment)

    def on(self, branch: str, to: Path) -> "Shop":
        """The repository as it is on a branch, with its data, in a new place."""
        self.run("git", "clone", "-q", "-b", branch, ".", str(to))
        other = Shop(to)
        other.run("dvc", "cache", "dir", "--local", str(self.folder / ".dvc" / "cache"))
        other.run("dvc", "checkout", "-q", "data.dvc")
        return other

    def kept_ids(self) -> Counter[str]:
        """Ids of the events in the data set's files of the journal."""
        folder = JournalFolder.read(self.folder / "data" / "shop")
        files = [] if folder is None else folder.files("events")
        return Counter(id for file in files for id in pl.read_parquet(file.path)["event_id"])

    def learned_ids(self) -> Counter[str]:
        """Ids of the events that the stage validate gave."""
        return Counter(pl.read_parquet(self.folder / "artifacts" / "tables" / "interactions.parquet")["event_id"])


@pytest.fixture(scope="session")
def pristine_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("pristine") / "shop"
    data = folder / "data" / "shop"
    data.mkdir(parents=True)
    (data / "interactions.csv").write_text(
        "\n".join(["user_id,item_id,behaviour,timestamp,event_id", *INTERACTIONS]) + "\n"
    )
    (data / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},Item {n}\n" for n in range(4)))
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (folder / "params.yaml").write_text(yaml.safe_dump({**params, "source": SOURCE}))
    (folder / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    (folder / ".gitignore").write_text("/artifacts/\n/data\n/reports/\n__pycache__/\n")
    (folder / "corrections").mkdir()
    (folder / "corrections" / "corrections.jsonl").write_text("")
    shop = Shop(folder)
    shop.run("git", "init", "-q", "-b", "main")
    shop.run("dvc", "init", "-q")
    shop.run("dvc", "add", "-q", "data")
    shop.commit("start")
    return shop


@pytest.fixture
def shop(pristine_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Shop(shutil.copytree(pristine_shop.folder, tmp_path / "shop", symlinks=True))


@pytest.fixture(scope="module")
def pristine_ingested(pristine_shop: Shop, tmp_path_factory: pytest.TempPathFactory, session_server: None) -> Shop:
    """The shop after a first run of the deployment."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(ROOT))
        folder = tmp_path_factory.mktemp("ingested") / "shop"
        shop = Shop(shutil.copytree(pristine_shop.folder, folder, symlinks=True))
        shop.keep(event("e1"))
        ingest(shop.address, shop.folder, deployment="ingest")
    return shop


@pytest.fixture
def ingested(pristine_ingested: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shutil.copytree(pristine_ingested.folder.parent, tmp_path / "place", symlinks=True)
    return Shop(tmp_path / "place" / "shop")


def event(id: str, user: str = "new", item: str = "i1") -> Record:
    return Record("event", id, user, 1_711_000_000.0, {"item_id": item, "behaviour": "click"})


def correction(user: str) -> Record:
    line = {"time": "2024-03-01T00:00:00Z", "who": "an editor", "user_id": user, "topic": "topic-1", "action": "pin"}
    return Record("correction", f"of-{user}", user, 1_711_000_000.0, line)


def by_hand(shop: Shop, *options: str) -> subprocess.CompletedProcess[str]:
    """The flow as a person starts it in a shell."""
    env = {**environment(), "PYTHONPATH": str(ROOT), "PREFECT_API_URL": str(get_current_settings().api.url)}
    command = [sys.executable, "-m", "flows.ingest", *options]
    return subprocess.run(command, cwd=shop.folder, env=env, text=True, capture_output=True, check=False)


@pytest.mark.slow
def test_by_hand_the_data_of_the_workspace_become_a_new_version(shop: Shop) -> None:
    main = shop.run("git", "rev-parse", "HEAD")
    shop.keep(event("e1"), event("e2", "u1"), correction("u1"))
    done = by_hand(shop, "--journal", shop.address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 events" in done.stdout + done.stderr
    assert shop.run("git", "rev-parse", "HEAD", "main").splitlines() == [main, main]
    assert set(shop.run("git", "diff", "--name-only").splitlines()) == {"data.dvc", "corrections/corrections.jsonl"}
    assert shop.drained() == 3
    shop.run("dvc", "repro")
    assert shop.learned_ids() == Counter([*(f"s{n}" for n in range(40)), "e1", "e2"])
    places = json.loads((shop.folder / "artifacts" / "tables" / "journal.json").read_text())
    assert list(places.values()) == [3]
    history = pl.read_parquet(shop.folder / "artifacts" / "history" / "interactions.parquet")
    assert len(history) == 42
    version = (shop.folder / "data.dvc").read_bytes()
    assert by_hand(shop, "--journal", shop.address).returncode == 0
    assert (shop.folder / "data.dvc").read_bytes() == version
    assert "didn't change" in shop.run("dvc", "repro")


@pytest.mark.slow
def test_a_deployment_drains_into_its_branch_and_the_next_refresh_learns_from_it(shop: Shop, tmp_path: Path) -> None:
    main = shop.run("git", "rev-parse", "HEAD")
    shop.keep(event("e1"), event("planted", "eve"), correction("u1"), correction("eve"))
    ingest(shop.address, shop.folder, deployment="ingest")
    assert shop.run("git", "rev-parse", "main") == main
    assert shop.run("git", "status", "--porcelain") == ""
    changed = shop.run("git", "diff", "--name-only", "main", "runs/ingest").splitlines()
    assert set(changed) == {"data.dvc", "corrections/corrections.jsonl"}
    # The workspace's own data go on, and so does the journal; somebody wants to be forgotten.
    with (shop.folder / "data" / "shop" / "interactions.csv").open("a") as file:
        file.write("u1,i1,view,2024-02-01,s40\n")
    shop.run("dvc", "add", "-q", "data")
    shop.commit("more data")
    shop.forget("eve")
    shop.keep(event("e2"))
    ingest(shop.address, shop.folder, deployment="ingest")
    refresh(shop.folder, deployment="nightly")
    learned = shop.clone("nightly")
    assert learned.learned_ids() == Counter([*(f"s{n}" for n in range(41)), "e1", "e2"])
    assert list(json.loads((learned.folder / "artifacts/tables/journal.json").read_text()).values()) == [shop.drained()]
    recorded = shop.on("runs/nightly", tmp_path / "recorded")
    assert recorded.kept_ids() == Counter(["e1", "e2"])
    assert [line.user_id for _, line in parsed(recorded.folder / "corrections" / "corrections.jsonl")] == ["u1"]
    assert recorded.run("dvc", "status", "-q", "data.dvc") == ""
    # To adopt the result, as the docs have it; then a person goes on by hand.
    shop.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "merge", "-q", "runs/nightly")
    shop.run("dvc", "checkout", "-q", "--force")
    shop.keep(event("e3"))
    ingest(shop.address, shop.folder)
    shop.commit("by hand")
    shop.keep(event("e4"))
    ingest(shop.address, shop.folder, deployment="ingest")
    assert shop.on("runs/ingest", tmp_path / "later").kept_ids() == Counter(["e1", "e2", "e3", "e4"])


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_before_a_step_loses_and_doubles_nothing(
    ingested: Shop, step: str, tmp_path: Path
) -> None:
    shop = ingested
    shop.keep(event("e2"), correction("u1"))
    shop.forget("nobody")
    before = shop.drained()
    env = {**environment(), "PYTHONPATH": str(ROOT), "PREFECT_API_URL": str(get_current_settings().api.url)}
    command = [sys.executable, "-c", KILLED_BEFORE, step, shop.address, str(shop.folder)]
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert shop.drained() == before  # not told before all is safe
    shop.keep(event("e3"))  # the service goes on meanwhile
    ingest(shop.address, shop.folder, deployment="ingest")
    recorded = shop.on("runs/ingest", tmp_path / "recorded")
    assert recorded.kept_ids() == Counter(["e1", "e2", "e3"])
    assert len(parsed(recorded.folder / "corrections" / "corrections.jsonl")) == 1
    with closing(open_journal(shop.address)) as journal:
        assert journal.facts().drained == journal.position()


def test_an_address_with_its_password_is_refused_and_not_shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="holds a password") as refused:
        ingest("redis://user:hunter2@host:6379/0", shop.folder)
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("FILE", Path(shop.address).name)
    shop.keep(event("e1"))
    ingest(f"{os.path.dirname(shop.address)}/${{FILE}}", shop.folder)
    assert shop.drained() == 1
