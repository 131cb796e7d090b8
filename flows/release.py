"""The flow release: verify, gate, store, build, promote, prune; and the flow rollback, which undoes it."""

import argparse
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import ParameterTypeError
from pydantic import Field

from flows.leash import CommandFailed, stream
from strata.errors import ReleaseError, StrataError
from strata.interests.anchors import write_anchors
from strata.interests.corrections import lost_in
from strata.interests.themes import Themes
from strata.release.gate import GateSettings, as_markdown, figures, judge
from strata.release.layout import Part
from strata.release.manifest import read_manifest, verify
from strata.release.registry import Registry
from strata.settings import read_settings

STORE = Path("releases")
FOLDER = Path("artifacts/release")
ANCHORS = Path("anchors")


@task(task_run_name="verify", cache_policy=NO_CACHE)
def verify_release(folder: Path) -> str:
    """Check every file against the manifest; returns the release's id."""
    return verify(folder).id


@task(task_run_name="gate", cache_policy=NO_CACHE)
def gate(folder: Path, current: Path | None) -> None:
    """Compare with the current release; refuse, with the table, metrics that fall further than params.yaml allows."""
    settings = read_settings(GateSettings, "gate")
    verdicts = judge(figures(current) if current else None, figures(folder), settings)
    table = as_markdown(verdicts)
    create_markdown_artifact(table, "gate", f"Release {read_manifest(folder).id} against {_name(current)}")
    get_run_logger().info(table)
    if not all(verdict.passed for verdict in verdicts):
        raise ReleaseError(
            f"release {read_manifest(folder).id} is refused: worse than {_name(current)}, which goes on serving. "
            f"Find out why, or change `gate` in params.yaml if the loss is meant.\n{table}"
        )


@task(task_run_name="store", cache_policy=NO_CACHE)
def add(folder: Path, store: Path) -> None:
    """Add a verified copy to the registry."""
    Registry(store).add(folder)


@task(task_run_name="build", cache_policy=NO_CACHE)
def build_bento(folder: Path) -> None:
    """Build the Bento that holds this release."""
    stream(["python", "-m", "services.build", "--release", str(folder)], Path(), get_run_logger().info)


@task(task_run_name="promote", cache_policy=NO_CACHE)
def promote(release: str, store: Path, keep: int) -> None:
    """Make the release current, then drop all but the latest ones."""
    Registry(store).promote(release)
    removed = Registry(store).prune(keep)
    get_run_logger().info(f"{release} serves; removed: {', '.join(removed) or 'none'}")


@task(task_run_name="remember", cache_policy=NO_CACHE)
def remember(folder: Path, anchors: Path) -> None:
    """Keep the release's themes, so that unchanged themes of the next one have the same ids and names.

    Says which corrections find their interest in none of them.
    """
    items = pl.read_parquet(folder / Part.ITEMS)
    write_anchors(Themes.read(folder / Part.THEMES), items, anchors)
    get_run_logger().info(f"themes remembered in {anchors}; commit it, or the next run on another clone names anew")
    for lost in lost_in(folder):
        get_run_logger().warning(lost)


@flow(name="release")
def release(
    folder: Path = FOLDER,
    store: Path = STORE,
    keep: Annotated[int, Field(ge=1)] = 5,
    build: bool = True,
    anchors: Path = ANCHORS,
) -> None:
    """Let a new release serve if it is complete and not clearly worse than the current one.

    Args:
        folder: The release folder that the stage package wrote.
        store: The release registry, which running services follow.
        keep: How many releases stay in the registry; the current one and the one before it always do.
        build: Whether to build the Bento as well.
        anchors: Where the themes of the last release are kept.
    """
    new, current = verify_release(folder), Registry(store).current()
    if current is not None and read_manifest(current).id == new:
        get_run_logger().info(f"{new} serves already")
        return
    gate(folder, current)
    add(folder, store)
    if build:
        build_bento(store / new)
    promote(new, store, keep)
    remember(folder, anchors)


@flow(name="rollback")
def rollback(store: Path = STORE) -> None:
    """Let the release that served before the current one serve again."""
    get_run_logger().info(f"{Registry(store).rollback()} serves again")


def _name(current: Path | None) -> str:
    return read_manifest(current).id if current else "no release"


def main() -> None:
    """Run one of the flows from a shell."""
    parser = argparse.ArgumentParser(prog="python -m flows.release", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help=f"release folder (default: {FOLDER})")
    registry = f"release registry (default: {STORE})"
    parser.add_argument("--registry", "--store", dest="store", type=Path, default=STORE, help=registry)
    parser.add_argument("--keep", type=int, default=5, help="releases that stay in the registry (default: 5)")
    parser.add_argument("--anchors", type=Path, default=ANCHORS, help=f"remembered themes (default: {ANCHORS})")
    parser.add_argument("--no-build", dest="build", action="store_false", help="leave out the Bento")
    parser.add_argument("--rollback", action="store_true", help="go back to the release that served before")
    options = vars(parser.parse_args())
    try:
        if options.pop("rollback"):
            rollback(options["store"])
        else:
            release(**options)
    except (StrataError, CommandFailed, ParameterTypeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
