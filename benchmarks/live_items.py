"""What it costs to add items to a release that serves, and whether lists and searches take longer afterwards.

python -m benchmarks.live_items --release artifacts/release
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import polars as pl
import typer
from rich.table import Table

from strata.cli.terminal import clear_errors, console
from strata.data.schema import ITEM, TITLE
from strata.online.widened.release import with_items
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender

TIMES: Final = 7
AMOUNTS: Final = (1, 20, 200)


def copies(release: Recommender, count: int, name: str) -> tuple[pl.DataFrame, np.ndarray]:
    """New items that say what items of the release say, with one word more, and the vectors of those."""
    rows = np.arange(count) % len(release.catalogue)
    number = pl.int_range(pl.len()).cast(pl.String)
    items = release.catalogue.items[rows].with_columns(
        pl.concat_str(pl.lit(f"{name}-"), number).alias(ITEM), pl.concat_str(TITLE, pl.lit(f" {name}")).alias(TITLE)
    )
    return items, release.texts.vectors(rows)


def milliseconds(work: Callable[[], Any]) -> float:
    """The median of TIMES."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1_000 * float(np.median(taken))


def asked(release: Recommender) -> dict[str, float]:
    """Milliseconds of a list, of a search, and of the items nearest to one."""
    user, title, vector = release.richest_user(), release.catalogue.titles[0], release.texts.vectors(np.array([0]))[0]
    work: dict[str, Callable[[], Any]] = {
        "a list with reasons": lambda: release.recommend(user),
        "a search": lambda: release.search(title, vector),
        "items like one": lambda: release.similar_items(str(release.catalogue.ids[0])),
    }
    return {name: milliseconds(each) for name, each in work.items()}


@clear_errors
def main(
    release: Annotated[Path, typer.Option(help="A release folder.")] = Path("artifacts/release"),
) -> None:
    """Print the times."""
    plain = load_recommender(release)
    table = Table("what", "ms", "with 221 items more, ms")
    before, wider = asked(plain), plain
    for count in AMOUNTS:
        more = copies(plain, count, f"new{count}")
        wider = with_items(wider, *more)
        table.add_row(f"add {count}", f"{milliseconds(lambda more=more: with_items(plain, *more)):.1f}", "")
    more = copies(plain, 1, "another")
    table.add_row("add 1 once more", "", f"{milliseconds(lambda: with_items(wider, *more)):.1f}")
    for name, after in asked(wider).items():
        table.add_row(name, f"{before[name]:.1f}", f"{after:.1f}")
    console.print(f"{len(plain.catalogue):,} items, {len(plain.users):,} users")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
