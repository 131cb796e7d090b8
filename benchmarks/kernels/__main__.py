"""Race own code against libraries and write down what came of it.

python -m benchmarks.kernels --only forest,ward
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from benchmarks.evidence.files import write_evidence
from benchmarks.kernels import forest, hierarchy, made, selection, sparse_products, threads, ward
from benchmarks.kernels.grounds import RELEASE, Ground
from benchmarks.kernels.race import LEAST, OWN, Race, as_markdown, as_table
from strata.cli.terminal import clear_errors, console
from strata.errors import SourceError

RACES: Final[dict[str, Callable[[Ground, int], list[Race]]]] = {
    "forest": forest.races,
    "ward": ward.races,
    "selection": selection.races,
    "sparse-products": sparse_products.races,
    "threads": threads.races,
    "hierarchy": hierarchy.races,
}
"""A new race is a module with `races` and a line here."""
FILMS, LARGE = "films", "large"
ITEMS, USERS = 20_000, 1_000
MADE: Final = Path(".workspaces/kernels/large")


@clear_errors
def main(
    only: Annotated[str, typer.Option(help=f"Races to run, joined by commas: {', '.join(RACES)}.")] = "",
    on: Annotated[str, typer.Option(help=f"What to run them on: {FILMS}, {LARGE}.")] = f"{FILMS},{LARGE}",
    turns: Annotated[int, typer.Option(help="Turns of every way.", min=5)] = 7,
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run the races one by one; each writes its rows when it is done, rows of the others stay."""
    chosen = only.split(",") if only else list(RACES)
    if unknown := sorted(set(chosen) - set(RACES)):
        raise typer.BadParameter(f"no race {', '.join(unknown)}; there are {', '.join(RACES)}")
    grounds = [_ground(name) for name in on.split(",")]
    for name in chosen:
        started = time.perf_counter()
        found = [each for ground in grounds for each in RACES[name](ground, turns)]
        split = ", ".join(ground.split for ground in grounds)
        write_evidence("kernels", name, [each.row() for each in found], split, output, as_markdown(found))
        console.print(as_table(found))
        console.print(f"{name}: {verdict(found)}; {time.perf_counter() - started:.0f} s, {output}/kernels.md")


def verdict(races: list[Race]) -> str:
    """Whether own code is fast enough for its keep: in one whole call, batch or stage at least, beside each library."""
    best: dict[str, tuple[float, str]] = {}
    for each in races:
        for library in each.seconds if each.whole else ():
            if library != OWN:
                found = float(np.median(each.ratios(library))), each.id
                best[library] = max(best.get(library, found), found)
    says = "stays" if min(best.values())[0] >= LEAST else "is not faster enough"
    return f"{says}: " + "; ".join(f"{name} {ratio:.2f} × in {id}" for name, (ratio, id) in best.items())


def _ground(name: str) -> Ground:
    if name == LARGE:
        workspace = made.workspace(MADE.absolute(), Path("params.yaml").absolute(), items=ITEMS, users=USERS)
        return Ground(f"{ITEMS:,} made items and {USERS:,} users", f"-{LARGE}", workspace)
    if name != FILMS:
        raise typer.BadParameter(f"nothing is known of {name}; there are {FILMS}, {LARGE}")
    if not RELEASE.exists():
        raise SourceError(f"{RELEASE} does not exist; run `make demo` first")
    return Ground("MovieLens-100K", "", Path())


if __name__ == "__main__":
    typer.run(main)
