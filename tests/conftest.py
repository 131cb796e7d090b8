"""What all tests share: property-test settings, and one small release that the real pipeline built."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml

from benchmarks.quality.small_sets import slice_movielens
from strata.data.journal_folder import JournalFolder
from strata.data.sources.packages import fetch_data
from tests.places import ROOT

ON_PIPELINE = ("test_pipeline", "services/", "cli/test_all", "cli/test_related", "recommendation/test_related")
"""Starts of the paths of modules whose tests read what the pipeline made."""

# No deadline: these machines are shared. The same examples every time: a red run can be repeated.
hypothesis.settings.register_profile("strata", deadline=None, max_examples=40, derandomize=True)
hypothesis.settings.load_profile("strata")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: a mistake shows within seconds. Side by side, one process begins with the longest group."""
    beside = "PYTEST_XDIST_WORKER" in os.environ
    items.sort(
        key=lambda item: (
            beside and _group(item.nodeid) != "pipeline",
            item.get_closest_marker("slow") is not None,
        )
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Side by side: what shares a fixture that takes long, the pipeline or Prefect, runs in one process."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByFixture(config, log)


def _group(nodeid: str) -> str:
    module = nodeid.split("::")[0].removeprefix("tests/")
    if module.startswith(ON_PIPELINE):
        return "pipeline"
    return "flows" if module.startswith("flows/") else module


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A test that loads an encoder gives the whole process its threads; small trees then take ten times as long."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


class Workspace:
    """A clone of the project in its own folder, with its own data, parameters and DVC cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "DVC_NO_ANALYTICS": "1",
            "COLUMNS": "160",
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the workspace; a failure shows everything it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, text=True, capture_output=True, check=False
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(command)} left with {done.returncode}:\n{done.stdout}\n{done.stderr}", False)
        return done

    def set_params(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change parameters, section by section; a section of another set of keys is replaced."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section, values in changes.items():
            params[section] = {**params[section], **values} if section != "source" else dict(values)
        path.write_text(yaml.safe_dump(params, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def commit(self) -> None:
        """Commit everything: DVC experiments start from a commit."""
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "start")


@pytest.fixture(scope="session")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Workspace]:
    """Make a workspace from the files that git tracks or would track, without data, artefacts and lock."""

    def make(name: str) -> Workspace:
        folder = tmp_path_factory.mktemp(name)
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        ).stdout.decode()
        for file in filter(None, listed.split("\0")):
            if (ROOT / file).is_file() and file not in {"data.dvc", "dvc.lock"}:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / file, folder / file)
        made = Workspace(folder)
        made.run("git", "init", "-q")  # DVC wants one
        return made

    return make


SMALL = {
    "finetune": {
        "steps": 6,
        "evaluate_every": 3,
        "checkpoint_every": 3,
        "validation_users": 200,
        "validation_items": 500,
    },
    "collaborate": {"trials": 3},
    "rank": {"trials": 40, "trees": {"sizes": [{"leaves": 8, "rounds": [50, 100]}]}},
    "evaluate": {"bootstrap": 200},
}


@pytest.fixture(scope="session")
def workspace(new_workspace: Callable[[str], Workspace], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The whole pipeline, run once on a slice of MovieLens-100K with few training steps."""
    made = new_workspace("pipeline")
    present = ROOT / "data" / "movielens-100k"
    source = fetch_data("movielens-100k", present if present.exists() else tmp_path_factory.mktemp("raw") / "ml")
    slice_movielens(source, made.folder / "data" / "movielens-100k")
    JournalFolder.made(made.folder / "data" / "movielens-100k", "of these tests")  # of which nothing came yet
    made.set_params(SMALL)
    made.run("dvc", "add", "-q", "data")
    made.commit()
    made.run("dvc", "repro")
    return made


@pytest.fixture(scope="session")
def release_folder(workspace: Workspace) -> Path:
    """The small release; copy it before changing it."""
    return workspace.folder / "artifacts" / "release"
