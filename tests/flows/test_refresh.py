"""The flow refresh against a real Prefect server and a real DVC: the same lock, clear failures, no orphans."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from prefect import get_client
from prefect.artifacts import Artifact
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun

from flows.clone import Clone
from flows.pipeline import Pipeline
from flows.refresh import refresh
from tests.flows.conftest import Project, all_ended, wait_until

pytestmark = pytest.mark.usefixtures("server")


def run_named(name: str) -> tuple[FlowRun, dict[str, str]]:
    """A flow run, and the state type of each of its task runs."""
    with get_client(sync_client=True) as client:
        [run] = client.read_flow_runs(flow_run_filter=FlowRunFilter(name={"any_": [name]}))

    async def tasks() -> dict[str, str]:
        async with get_client() as client:
            found = await client.read_task_runs(flow_run_filter=FlowRunFilter(id={"any_": [run.id]}))
            return {task.name: task.state_type.value for task in found}

    return run, asyncio.run(tasks())


def name_in(log: str) -> str:
    return re.search(r"Beginning flow run '([^']+)'", log)[1]


@pytest.mark.slow
def test_the_lock_is_the_one_dvc_repro_writes(new_project: Callable[[str], Project]) -> None:
    plain, flown = new_project("plain"), new_project("flown")
    plain.run("dvc", "repro")
    log, _ = (process := flown.refresh()).communicate()
    assert process.returncode == 0, log
    assert flown.lock == plain.lock
    run, tasks = run_named(name_in(log))
    stages = plain.run("dvc", "stage", "list", "--name-only").splitlines()
    assert run.state_type.value == "COMPLETED"
    assert {stage: "COMPLETED" for stage in stages}.items() <= tasks.items()
    assert "making a\n" in log
    assert Artifact.get("metrics").data == "rawonetwothree"
    assert "b.live" in Artifact.get("versions").data
    assert flown.run("git", "log", "--oneline", "--all").count("\n") == 0


@pytest.mark.slow
def test_a_failing_stage_fails_its_task_and_the_flow_and_stops_what_follows(project: Project) -> None:
    project.run("dvc", "repro")
    before = project.lock
    project.set_words(a="one", b="fail", report="changed")
    (project.folder / "dvc.yaml").write_text(_in_order((project.folder / "dvc.yaml").read_text()))
    log, _ = (process := project.refresh()).communicate()
    assert process.returncode == 1
    assert "this stage fails" in log
    assert project.lock == before
    run, tasks = run_named(name_in(log))
    assert run.state_type.value == "FAILED"
    assert tasks == {"a": "COMPLETED", "b@live": "FAILED"}


def _in_order(pipeline: str) -> str:
    """The stages as a person would list them."""
    head, report, b, a = re.split(r"^(?=  \w+:$)", pipeline, flags=re.MULTILINE)
    return head + a + b + report


@pytest.mark.slow
def test_nothing_outlives_a_run_that_is_killed(project: Project) -> None:
    project.set_words(a="wait", b="two", report="three")
    process = project.refresh()
    pid_file = project.folder / "stage.pid"
    wait_until(pid_file.exists)
    stage = psutil.Process(int(pid_file.read_text()))
    family = [each for each in psutil.Process(process.pid).children(recursive=True) if "repro" in each.cmdline()]
    assert len(family) == 2  # DVC and what holds it
    process.kill()
    process.communicate()
    assert all_ended([stage, *family])


@pytest.mark.slow
def test_a_deployment_works_in_its_clone_and_commits_to_its_branch_only(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "remote", "add", "-d", "store", str(tmp_path / "remote"))
    main = project.commit("remote")
    refresh(project.folder, deployment="nightly")
    made = project.folder / ".dvc" / "tmp" / "runs" / "nightly" / "dvc.lock"
    assert project.run("git", "rev-parse", "main", "HEAD").splitlines() == [main, main]
    assert project.run("git", "status", "--porcelain") == ""
    assert not (project.folder / "dvc.lock").exists()
    assert project.run("git", "diff", "--name-only", "main", "runs/nightly") == "dvc.lock"
    assert project.run("git", "show", "runs/nightly:dvc.lock") == made.read_text().strip()
    # It shared the workspace's cache, so nothing runs again here; and it pushed, so nothing runs again elsewhere.
    assert "making" not in project.run("dvc", "repro")
    assert project.lock == made.read_bytes()
    elsewhere, lines = Project(tmp_path / "elsewhere"), []
    project.run("git", "clone", "-q", ".", str(elsewhere.folder))
    Pipeline(elsewhere.folder).restore_data(lines.append)
    Pipeline(elsewhere.folder).reproduce("report", lines.append)
    assert not [line for line in lines if "making" in line]
    assert (elsewhere.folder / "b.live").read_text() == "rawonetwo"


def test_a_clone_follows_the_workspace_and_its_branch_keeps_every_result(project: Project, tmp_path: Path) -> None:
    clone = Clone(tmp_path / "clone", "nightly")
    clone.update(project.folder)
    (clone.folder / "stage.py").write_text("half done")
    (clone.folder / "left.txt").write_text("left behind")
    commits, recorded = [], []
    for word in ("first", "second"):
        project.set_words(a=word, b="two", report="three")
        commits.append(project.commit(word))
        clone.update(project.folder)
        assert project.run("git", "-C", str(clone.folder), "status", "--porcelain") == ""
        assert project.run("git", "-C", str(clone.folder), "rev-parse", "HEAD") == commits[-1]
        (clone.folder / "dvc.lock").write_text(f"schema: '2.0' # {word}\n")
        recorded.append(clone.record(word))
        assert project.run("git", "rev-parse", "runs/nightly", "main").splitlines() == [recorded[-1], commits[-1]]
    assert project.run("git", "show", "-s", "--format=%P", recorded[0]) == commits[0]
    assert project.run("git", "show", "-s", "--format=%P", recorded[1]).split() == [recorded[0], commits[1]]
    clone.update(project.folder)
    (clone.folder / "dvc.lock").write_text("schema: '2.0' # second\n")
    assert clone.record("the same again") is None
