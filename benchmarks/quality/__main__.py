"""Measure recommendations against tuned baselines and write it down.

python -m benchmarks.quality --only films,journey
"""

from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.evidence.running import Measured, Sections, run_sections
from benchmarks.quality import (
    cold,
    diversity,
    leave_one_out,
    never_worse,
    questions,
    seeds,
    service,
    shilling,
    small_sets,
    speed,
    steer,
    time_split,
)
from benchmarks.quality.time_split import Judged
from strata.cli.terminal import clear_errors
from strata.errors import SourceError

ROOT = Path(".workspaces/quality")
NOVEMBER: Final = {"dates": ["2017-09-01", "2017-10-01", "2017-11-01", "2017-12-01"], "least_users": 5}
"""Complete Journey: tuned on September and October, judged on November; items with at least five buyers."""
MONTHS: Final = {"windows": 4, "window_share": 0.083, "horizon": 1}
"""The ranker learns from what was bought in July, August, September and October."""


FILMS: Final = "MovieLens-100K, the last fifth of all ratings, films new to the user"
PUBLISHED: Final = "low ratings count as others, as published"
LIKES: Final = "the same lists judged by likes alone (ratings of 3 to 5)"
WARM_AND_ALL: Final = (
    ("ml100k-time-warm", f"{FILMS}, users with a past, {PUBLISHED}", True),
    ("ml100k-time-all", f"{FILMS}, all users, {PUBLISHED}", False),
)
BY_LIKES: Final = (
    ("ml100k-time-warm-likes", f"{FILMS}, users with a past, {LIKES}", True),
    ("ml100k-time-all-likes", f"{FILMS}, all users, {LIKES}", False),
)


def films(*, by_seed: bool = False) -> Measured:
    """MovieLens-100K in the project's own workspace, after `make demo`."""
    judged = Judged.read(Path())
    if by_seed:
        return Measured(seeds.rows(Path(), WARM_AND_ALL), judged.split)
    found = [time_split.rows(judged, name, what, only_warm=warm) for name, what, warm in WARM_AND_ALL]
    by_likes = judged.by_likes(Path())
    found += [time_split.rows(by_likes, name, what, only_warm=warm)[:1] for name, what, warm in BY_LIKES]
    return Measured(list(chain.from_iterable(found)), judged.split, judged.table)


def shop(*, repeats: bool) -> Path:
    """The workspace of Complete Journey, November 2017."""
    settings = {"split": NOVEMBER, "rank": MONTHS, "recommend": {"repeats": repeats}}
    return workspaces.workspace("complete-journey", overrides=settings, stages=["evaluate"], root=ROOT)


def journey(*, repeats: bool, by_seed: bool = False) -> Measured:
    """Complete Journey, November 2017, in a workspace of its own."""
    folder = shop(repeats=repeats)
    name, kind = ("all", "all products") if repeats else ("new", "products new to the household")
    what = (
        f"Complete Journey (published as simulated), purchases of November 2017, {kind} with at least 5 buyers before"
    )
    judged = Judged.read(folder)
    if by_seed:
        return Measured(seeds.rows(folder, [(f"journey-{name}", what, True)]), judged.split)
    return Measured(time_split.rows(judged, f"journey-{name}", what, only_warm=True), judged.split, judged.table)


def small() -> tuple[list[Row], str]:
    """The small sets, each in a workspace of its own."""
    root = ROOT / "small"
    return never_worse.together([
        never_worse.rows(small_sets.shop(root), "small-shop", "A made-up shop of 40 customers and ten weeks"),
        never_worse.rows(small_sets.slice_of_films(root), "small-films", "Every fifth user of MovieLens-100K"),
    ])  # fmt: skip


def site() -> Path:
    """The workspace of the Stack Exchange site, split by shares of its events as any data set is by default."""
    return workspaces.workspace("stack-exchange", data=questions.dump(), stages=["evaluate"], root=ROOT / "by-shares")


SECTIONS: Final[Sections] = {
    "films": films,
    "films-seeds": lambda: films(by_seed=True),
    "journey": lambda: journey(repeats=True),
    "journey-seeds": lambda: journey(repeats=True, by_seed=True),
    "journey-new": lambda: journey(repeats=False),
    "leave-one-out": lambda: leave_one_out.rows(ROOT / "leave-one-out", ROOT / "peers"),
    "diversity": lambda: (diversity.rows(), Judged.read(Path()).split),
    "steer-films": lambda: steer.rows(Path(), "MovieLens-100K, the last fifth of all ratings", "-ml100k"),
    "steer": lambda: steer.rows(shop(repeats=True), "Complete Journey (published as simulated), November 2017"),
    "cold": lambda: cold.rows(cold.workspace(ROOT, split=NOVEMBER, rank=MONTHS)),
    "stack-exchange": lambda: questions.rows(questions.workspace(ROOT)),
    "never-worse": lambda: never_worse.rows(Path(), "ml100k", "MovieLens-100K, the last fifth of all ratings"),
    "never-worse-journey": lambda: never_worse.rows(shop(repeats=True), "journey", "Complete Journey, November 2017"),
    "never-worse-site": lambda: never_worse.rows(site(), "stackexchange", "Beer, Wine & Spirits of Stack Exchange"),
    "never-worse-small": small,
    "shilling": lambda: shilling.rows(ROOT / "shilling"),
    "speed": speed.rows,
    "service": service.rows,
}
"""A new section is a function that gives its rows and the hash of what they were measured on, and a line here."""


@clear_errors
def main(
    only: Annotated[str, typer.Option(help=f"Sections to run, joined by commas: {', '.join(SECTIONS)}.")] = "",
    output: Annotated[Path, typer.Option(help="Folder of the evidence files.")] = Path("docs/evidence"),
) -> None:
    """Run the sections one by one; each writes its rows when it is done, rows of the others stay."""
    if not Path("artifacts/release").exists():
        raise SourceError("artifacts/release does not exist; run `make demo` first")
    run_sections("quality", SECTIONS, only, output)


if __name__ == "__main__":
    typer.run(main)
