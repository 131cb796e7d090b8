"""A real Prefect server for all flow tests, and a tiny project with real git and real DVC."""

import gc
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from prefect.settings import get_current_settings
from prefect.testing.utilities import prefect_test_harness

from flows.leash import environment
from tests.places import ROOT

STAGE = """\
import sys, time
from pathlib import Path
source, target, word = sys.argv[1:]
print("making", target, flush=True)
if word == "wait":
    Path("stage.pid").write_text(str(__import__("os").getpid()))
    time.sleep(600)
if word == "fail":
    sys.exit("this stage fails")
Path(target).parent.mkdir(parents=True, exist_ok=True)
Path(target).write_text(Path(source).read_text() + word)
"""
# Out of order on purpose, with a foreach: the flow must walk as DVC does.
PIPELINE = """\
stages:
  report:
    cmd: exec python stage.py b.live artifacts/evaluation/metrics.md ${words.report}
    deps: [b.live, stage.py]
    outs: [artifacts/evaluation/metrics.md]
  b:
    foreach: [live]
    do:
      cmd: exec python stage.py a b.${item} ${words.b}
      deps: [a, stage.py]
      outs: ["b.${item}"]
  a:
    cmd: exec python stage.py data/raw.txt a ${words.a}
    deps: [data, stage.py]
    outs: [a]
"""
PARAMS = "words: {a: one, b: two, report: three}\n"
IGNORED = "/a\n/b.*\n/artifacts/\n/data\n/stage.pid\n/releases/\n__pycache__/\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prefect leaves the sockets of its clients to the garbage collector."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def all_ended(processes: list[psutil.Process], seconds: float = 20) -> bool:
    """Whether they end in that time; one that only waits to be collected by its parent has ended."""

    def ended(process: psutil.Process) -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until(lambda: all(map(ended, processes)), seconds)
    return True


class Project:
    """A git repository with a pipeline of three stages in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def lock(self) -> bytes:
        return (self.folder / "dvc.lock").read_bytes()

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, env=environment(), text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def refresh(self) -> subprocess.Popen[str]:
        """Start the flow as a person does in a shell, against the test server."""
        url = str(get_current_settings().api.url)
        env = {**environment(), "PYTHONPATH": str(ROOT), "PREFECT_API_URL": url}
        command = [sys.executable, "-m", "flows.refresh"]
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=-1, stderr=subprocess.STDOUT, text=True)

    def set_words(self, **words: str) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump({"words": words}))

    def commit(self, message: str) -> str:
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", message)
        return self.run("git", "rev-parse", "HEAD")


@pytest.fixture(scope="session")
def session_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.fixture
def server(session_server: None) -> Iterator[None]:
    """A Prefect server with a database of its own, one for all tests; sockets left behind are collected here."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("pristine") / "project"
    (folder / "data").mkdir(parents=True)
    for name, text in {
        "data/raw.txt": "raw",
        "stage.py": STAGE,
        "dvc.yaml": PIPELINE,
        "params.yaml": PARAMS,
        ".gitignore": IGNORED,
    }.items():
        (folder / name).write_text(text)
    project = Project(folder)
    project.run("git", "init", "-q", "-b", "main")
    project.run("dvc", "init", "-q")
    project.run("dvc", "add", "-q", "data")
    project.commit("start")
    return project


@pytest.fixture
def new_project(pristine: Project, tmp_path: Path) -> Callable[[str], Project]:
    """Make a project in which nothing has run yet."""
    return lambda name: Project(shutil.copytree(pristine.folder, tmp_path / name, symlinks=True))


@pytest.fixture
def project(new_project: Callable[[str], Project]) -> Project:
    return new_project("project")
