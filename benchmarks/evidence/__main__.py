"""Measure what Strata promises and write it down.

python -m benchmarks.evidence --only promise,stability
python -m benchmarks.evidence --stale --list
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks import ward, workspaces
from benchmarks.evidence import (
    ablation,
    again,
    calm,
    coverage,
    explanation,
    names,
    names_site,
    planted,
    promise,
    pursued,
    similar,
    stability,
    stated,
)
from benchmarks.evidence.context import STAGES, Context
from benchmarks.evidence.files import Row, write_evidence
from benchmarks.evidence.sections import DATA, FILMS, SHOP, SITE
from strata.cli.terminal import clear_errors, console

ROOT = Path(".workspaces/evidence")
SPLIT: Final = {"test_share": 0.672, "validation_share": 0.085, "early_stopping_share": 0.08}
"""Complete Journey's year cut so that all that is learned ends in April: half a year to judge lies after that."""


@dataclass(frozen=True)
class Section:
    """What gives a section's rows, and the data sets it measures on; all but the first are named in its rows' ids."""

    rows: Callable[[Context], list[Row]]
    data: tuple[str, ...]


SECTIONS: Final = {
    "planted": Section(planted.rows, (SHOP,)),
    "promise": Section(promise.rows, (SHOP, SITE)),
    "stability": Section(stability.rows, (SHOP, SITE)),
    "coverage": Section(coverage.rows, (SHOP, SITE)),
    "calm": Section(calm.rows, (SHOP, FILMS)),
    "names": Section(names.rows, (SHOP,)),
    "names-site": Section(names_site.rows, (SITE,)),
    "explanation": Section(explanation.rows, (FILMS,)),
    "ablation": Section(lambda context: ablation.rows(context, "journey", repeats=True), (SHOP,)),
    "ablation-films": Section(lambda context: ablation.rows(context, "ml100k", repeats=False), (FILMS,)),
    "pursued": Section(lambda context: pursued.rows(context, "journey"), (SHOP,)),
    "pursued-films": Section(lambda context: pursued.rows(context, "ml100k"), (FILMS,)),
    "pursued-site": Section(lambda context: pursued.rows(context, "stackexchange"), (SITE,)),
    "stated": Section(stated.rows, (SITE,)),
    "similar-films": Section(similar.rows, (FILMS,)),
    "speed": Section(lambda context: [Row(**row) for row in ward.rows()], (FILMS,)),
}
"""A new section is a module with `rows` and a line here."""


@clear_errors
def main(
    only: Annotated[str, typer.Option(help=f"Sections to run, joined by commas: {', '.join(SECTIONS)}.")] = "",
    data_set: Annotated[str, typer.Option("--data", help=f"One of {', '.join(DATA)}; all by default.")] = "",
    workspace: Annotated[list[str] | None, typer.Option(help="DATA=FOLDER: a workspace to measure in.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
    *,
    stale: Annotated[bool, typer.Option("--stale", help="All that is of older code, of all commands.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say what is of older code, measure nothing.")] = False,
) -> None:
    """Run the sections one by one; each writes its rows when it is done, rows of the others stay."""
    given = dict(one.split("=", 1) for one in workspace or [] if "=" in one)
    if stale or listed:
        again.show(output) if listed else again.measure(output, given)
        return
    chosen = only.split(",") if only else list(SECTIONS)
    if unknown := sorted(set(chosen) - set(SECTIONS)):
        raise typer.BadParameter(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if data_set not in ("", *DATA):
        raise typer.BadParameter(f"no data set {data_set}; there are {', '.join(DATA)}")
    for data in (data_set,) if data_set else DATA:  # one of them in memory at a time
        wanted = [name for name in chosen if data in SECTIONS[name].data]
        folder = Path(given[data]) if data in given else ready(data) if wanted else None
        if wanted and folder is None:
            console.print(f"{data}: left out; make its workspace, then give it by --workspace {data}=FOLDER")
        elif wanted and folder is not None:
            context = Context.read(folder, console.print)
            for name in wanted:
                _measure(name, data, context, output)


def ready(data: str) -> Path | None:
    """The workspace of a data set: the project's own, one of today's code if a package has the data, else an older."""
    if data == FILMS:
        return Path()
    if data == SHOP:  # made or brought up to date: what an older pipeline left there would pass for today's
        return workspaces.workspace(data, overrides={"split": SPLIT}, stages=STAGES, root=ROOT)
    folder = ROOT / data
    return folder if (folder / "artifacts" / "models" / "backtest" / "themes").exists() else None


def _measure(name: str, data: str, context: Context, output: Path) -> None:
    started = time.perf_counter()
    suffix = "" if data == SECTIONS[name].data[0] else f"-{data}"
    rows = [replace(row, id=row.id + suffix) for row in SECTIONS[name].rows(context)]
    seconds = time.perf_counter() - started
    if rows:
        write_evidence("evidence", name + suffix, rows, context.split, output, seconds=seconds)
    for row in rows:
        console.print(f"  {row.id}: {row.value:.4g} {row.unit} ({row.low:.4g} … {row.high:.4g}), n = {row.n:,}")
    console.print(f"{name}{suffix}: {len(rows)} rows in {seconds:.0f} s, {output}/evidence.md")


if __name__ == "__main__":
    typer.run(main)
