"""The flow ingest: what the service kept becomes a new version of the data, which the next refresh learns from.

The journal is told last, once the version is committed and on the disk: wherever a run ends, the next makes up for it.
"""

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import deployment as running
from prefect.runtime import flow_run
from pydantic import Field

from flows.clone import CORRECTIONS, Clone
from flows.drained import join, source_of
from flows.leash import CommandFailed
from flows.pipeline import Pipeline
from flows.refresh import CLONES, push, update_clone
from strata.errors import StrataError
from strata.online.addresses import VARIABLE, resolved
from strata.online.draining import Drained, drain, place_of
from strata.online.opening import open_journal
from strata.online.retaining import retain_files, retain_journal

ADDRESS = f"address of the journal, secrets as ${{NAME}} (default: what {VARIABLE} holds, else the service's own file)"


@task(task_run_name="earlier data", cache_policy=NO_CACHE)
def join_earlier(clone: Clone) -> None:
    """What earlier runs of this deployment drained, with the workspace's data."""
    join(clone, clone.branch, get_run_logger().info)


@task(task_run_name="drain", cache_policy=NO_CACHE)
def drain_journal(folder: Path, journal: str | None, data_days: float | None) -> None:
    """Write what is new in the journal as files of the data set."""
    logger = get_run_logger()
    with closing(open_journal(resolved(journal))) as opened:
        drained = drain(opened, folder / source_of(folder), folder / CORRECTIONS)
        if data_days is not None:
            gone = retain_files(opened, folder / source_of(folder), data_days)
            logger.info(f"{gone:,} rows of the journal's files are older than {data_days:g} days: removed")
    if drained is None:
        logger.info("nothing new in the journal")
        return
    if drained.again_from is not None:
        logger.warning(
            f"another version of the data has records after place {drained.again_from} already; this one has not: "
            "drained again, as far as the journal still keeps them"
        )
    logger.info(", ".join(f"{count:,} {what}" for what, count in _counts(drained).items()))
    create_table_artifact([{"what": what, "rows": count} for what, count in _counts(drained).items()], "ingest",
                          f"Places {drained.after + 1} to {drained.place} of the journal")  # fmt: skip


@task(task_run_name="add", cache_policy=NO_CACHE)
def add_data(folder: Path) -> None:
    """Make the data set a new version."""
    Pipeline(folder).add(source_of(folder), get_run_logger().info)


@task(task_run_name="record", cache_policy=NO_CACHE)
def record(clone: Clone) -> None:
    """The new version as a commit on the deployment's branch."""
    commit = clone.record(f"Ingest by {clone.deployment} ({flow_run.flow_name}/{flow_run.name})")
    get_run_logger().info(f"{clone.branch}: {commit[:12]}" if commit else "this version is committed already")


@task(task_run_name="acknowledge", cache_policy=NO_CACHE)
def acknowledge(folder: Path, journal: str | None, journal_days: float | None) -> None:
    """Tell the journal up to which place a version of the data has its records; what is old may then leave it."""
    os.sync()  # neither DVC nor git waits for the disk
    with closing(open_journal(resolved(journal))) as opened:
        opened.drain(place_of(opened, folder / source_of(folder)))
        if journal_days is not None:
            gone = retain_journal(opened, folder / source_of(folder), journal_days)
            get_run_logger().info(f"{gone:,} records of the journal are older than {journal_days:g} days: removed")


@flow(name="ingest")
def ingest(
    journal: str | None = None,
    workspace: Path = Path(),
    deployment: str | None = None,
    clone: Path | None = None,
    journal_days: Annotated[float, Field(gt=0)] | None = None,
    data_days: Annotated[float, Field(gt=0)] | None = None,
) -> None:
    """Drain the journal into a new version of the data.

    Args:
        journal: Address of the journal, secrets as ${NAME} of the environment; by default what STRATA_JOURNAL holds
            there, else the file that the service has by default.
        workspace: The project's folder.
        deployment: Deployment to run for: in a clone, recorded on the branch runs/DEPLOYMENT, from where the flow
            refresh takes it. By default the one that started the run; without any, the data of the workspace change.
        clone: Folder of that clone; by default in the workspace, under .dvc/tmp/runs.
        journal_days: Days before the latest event from which on the journal keeps events and lists; without, it keeps
            all. Longer than from one release to the next: users of now are made of the journal since their release.
        data_days: The same of what was drained.
    """
    deployment = deployment or running.name
    if deployment is None:
        drain_journal(workspace, journal, data_days)
        add_data(workspace)
        acknowledge(workspace, journal, journal_days)
        return
    own = Clone((clone or workspace / CLONES / deployment).absolute(), deployment)
    update_clone(own, workspace)
    join_earlier(own)
    drain_journal(own.folder, journal, data_days)
    add_data(own.folder)
    record(own)
    if Pipeline(own.folder).has_remote():
        push(own.folder)
    acknowledge(own.folder, journal, journal_days)


def _counts(drained: Drained) -> dict[str, int]:
    return {
        "events": drained.events,
        "changes of items": drained.items,
        "lists shown and judged": drained.lists,
        "corrections": drained.corrections,
        "users forgotten": drained.erasures,
        "rows of theirs removed": drained.forgotten,
    }


def main() -> None:
    """Run the flow from a shell."""
    parser = argparse.ArgumentParser(prog="python -m flows.ingest", description=__doc__.partition("\n")[0])
    parser.add_argument("--journal", metavar="ADDRESS", help=ADDRESS)
    parser.add_argument("--workspace", type=Path, default=Path(), help="the project's folder (default: here)")
    parser.add_argument("--deployment", metavar="NAME", help="work in a clone and commit to the branch runs/NAME")
    parser.add_argument("--clone", type=Path, metavar="FOLDER", help=f"that clone (default: {CLONES}/NAME)")
    parser.add_argument("--journal-days", type=float, metavar="DAYS", help="what the journal keeps (default: all)")
    parser.add_argument("--data-days", type=float, metavar="DAYS", help="what the drained files keep (default: all)")
    try:
        ingest(**vars(parser.parse_args()))
    except (CommandFailed, StrataError) as error:
        sys.exit(f"ingest failed: {error}")


if __name__ == "__main__":
    main()
