"""The flow refresh: run every stage of dvc.yaml as a task, then publish the results to the UI and the remote.

DVC decides what is stale and what comes from its cache, so this flow and `dvc repro` give the same dvc.lock.
A deployment takes what the deployment of the flow ingest has drained from the service's journal.
"""

import argparse
import sys
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import deployment as running
from prefect.runtime import flow_run

from flows.clone import Clone, branch_of
from flows.drained import join
from flows.leash import CommandFailed, stream
from flows.pipeline import Pipeline
from flows.publish import DATA_DOCS, publish_link, publish_results

VALIDATION = Path("artifacts/validation")
CLONES = Path(".dvc/tmp/runs")  # beside DVC's own: ignored by git and DVC, on the cache's file system


@task(task_run_name="{stage}", cache_policy=NO_CACHE)
def reproduce(folder: Path, stage: str) -> None:
    """Run one stage. No cache and no retries here: DVC caches, and a failure would repeat."""
    Pipeline(folder).reproduce(stage, get_run_logger().info)


@task(task_run_name="clone", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=10)
def update_clone(clone: Clone, workspace: Path) -> None:
    """Update the deployment's clone to the workspace's commit, with its data."""
    clone.update(workspace)
    Pipeline(clone.folder).restore_data(get_run_logger().info)


@task(task_run_name="drained data", cache_policy=NO_CACHE)
def join_drained(clone: Clone, branch: str) -> None:
    """What the service kept and another deployment drained, with the workspace's data."""
    join(clone, branch, get_run_logger().info)


@task(task_run_name="data docs", cache_policy=NO_CACHE)
def render_data_docs(folder: Path) -> None:
    """Render Data Docs of the validation results, whether or not they passed."""
    stream(["python", "-m", "tasks.validate", "--docs", str(DATA_DOCS.parent)], folder, get_run_logger().info)
    publish_link(folder, DATA_DOCS, "data-docs")


@task(task_run_name="publish", cache_policy=NO_CACHE)
def publish(folder: Path) -> None:
    """Metrics, tiers, model card and versions as Prefect artifacts."""
    publish_results(folder)


@task(task_run_name="push", cache_policy=NO_CACHE, retries=3, retry_delay_seconds=30)
def push(folder: Path) -> None:
    """Artefacts and run cache to the remote."""
    Pipeline(folder).push(get_run_logger().info)


@task(task_run_name="record", cache_policy=NO_CACHE)
def record(clone: Clone) -> None:
    """The new dvc.lock as a commit on the deployment's branch."""
    commit = clone.record(f"Refresh by {clone.deployment} ({flow_run.flow_name}/{flow_run.name})")
    get_run_logger().info(f"{clone.branch}: {commit[:12]}" if commit else "this dvc.lock is committed already")


@flow(name="refresh")
def refresh(
    workspace: Path = Path(), deployment: str | None = None, clone: Path | None = None, ingested: str = "ingest"
) -> None:
    """Bring all artefacts up to date.

    Args:
        workspace: The project's folder.
        deployment: Deployment to run for: in a clone, recorded on the branch runs/DEPLOYMENT. By default the one that
            started the run; without any, the run works in the workspace itself.
        clone: Folder of that clone; by default in the workspace, under .dvc/tmp/runs.
        ingested: Deployment of the flow ingest, whose branch has what the service kept; without that branch, nothing.
    """
    deployment = deployment or running.name
    if deployment is None:
        _run_stages(workspace)
        return
    own = Clone((clone or workspace / CLONES / deployment).absolute(), deployment)
    update_clone(own, workspace)
    join_drained(own, branch_of(ingested))
    _run_stages(own.folder)
    record(own)


def _run_stages(folder: Path) -> None:
    pipeline = Pipeline(folder)
    try:
        for stage in pipeline.stages():
            reproduce(folder, stage)
    finally:
        if (folder / VALIDATION).exists():  # a report that fails shows as a failed task, no more
            render_data_docs(folder, return_state=True)
    publish(folder)
    if pipeline.has_remote():
        push(folder)


def main() -> None:
    """Run the flow from a shell."""
    parser = argparse.ArgumentParser(prog="python -m flows.refresh", description=__doc__.partition("\n")[0])
    parser.add_argument("--workspace", type=Path, default=Path(), help="the project's folder (default: here)")
    parser.add_argument("--deployment", metavar="NAME", help="work in a clone and commit to the branch runs/NAME")
    parser.add_argument("--clone", type=Path, metavar="FOLDER", help=f"that clone (default: {CLONES}/NAME)")
    parser.add_argument(
        "--ingested", default="ingest", metavar="NAME", help="deployment that drains the journal (default: ingest)"
    )
    try:
        refresh(**vars(parser.parse_args()))
    except CommandFailed as error:
        sys.exit(f"refresh failed: {error}")


if __name__ == "__main__":
    main()
