"""What fifty fake users get an item: its places in top tens once they have rated it among films that many know.

They arrive within a day, a month before the test window, each with five stars for the item and thirty other films drawn
by popularity, rated as people rate them. The whole pipeline runs again on MovieLens-100K with them in it. Models that
are trained again give other lists without any attack too, so the same is counted for fifty users who arrive as
they do and push nothing.
"""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from benchmarks.quality.diversity import LISTED, Lists
from benchmarks.quality.time_split import Judged
from strata.data.history import DAY
from strata.data.schema import ITEM, USER
from strata.errors import ValidationFailed
from strata.storage import read_json
from tasks.inputs import Inputs

DATA: Final = Path("data/movielens-100k")
INTERACTIONS, USERS = "ml-100k.inter", "ml-100k.user"
FAKES, FILLERS, BEFORE = 50, 30, 30 * DAY
FAKE: Final = "fake"
LEAST, MOST_GAIN = 20, 1.1
"""Places that the pushed item had at least; what is asked: at most so many times as many afterwards."""
DRAWS: Final = (SEED,)
"""Of each change that is no attack; each is the whole pipeline once more."""
STAGES: Final = ("rank", "tier@backtest", "collaborate@backtest", "index@backtest")


def rows(root: Path) -> tuple[list[Row], str]:
    """Row shilling: places with the fake users over those without, in the project's own workspace after `make demo`."""
    before = places(Path())
    target, listed = pushed(before)
    at = read_json(Path("artifacts/history/cut_offs.json"))["backtest"] - BEFORE
    attacked = retrained(root / "attack", partial(plant, item=target, at=at))
    found = compared(before, places(attacked), target)
    caught, people = flagged(attacked)
    like_them = [retrained(root / f"like-them-{n}", partial(plant, item=None, at=at, seed=n)) for n in DRAWS]
    told = (
        f"MovieLens-100K, {FAKES} fake users push film {target}, which had {listed} places in the top tens of the test "
        f"window's users: its places in the lists of those whom both windows have, with the fakes over without them. "
        f"{caught} of the {FAKES} are flagged, and {people} of 943 people. At most {MOST_GAIN} is asked. Trained again "
        f"without an attack, with {FAKES} users who arrive as they do and push nothing: "
        f"{_times(before, like_them, target)}."
    )
    interval = pooled(found.select("after", "before").to_numpy(), share)
    seeds = tuple(sorted({SEED, *DRAWS}))
    return [Row.of("shilling", told, interval, "times", len(found), seeds=seeds, per_user=found)], Judged.read(
        Path()
    ).split


def retrained(root: Path, change: Callable[[Path], None]) -> Path:
    """A workspace in `root` of MovieLens-100K whose files `change` was given to alter, run up to the lists."""
    with tempfile.TemporaryDirectory(prefix="strata-shilling-") as folder:
        data = Path(folder) / "data"
        shutil.copytree(DATA, data)
        change(data)
        return workspaces.workspace("movielens-100k", data=data, stages=STAGES, root=root)


def flagged(workspace: Path) -> tuple[int, int]:
    """How many fake users and how many others are flagged for certain."""
    users = pl.read_parquet(workspace / "artifacts/tables/suspicious.parquet").filter("certain")[USER].unique()
    fakes = int(users.str.starts_with(FAKE).sum())
    return fakes, len(users) - fakes


def _times(before: pl.DataFrame, workspaces: list[Path], item: str) -> str:
    """The item's places in each over those `before`, in words."""
    sums = [compared(before, places(each), item).select(pl.col("after", "before").sum()).row(0) for each in workspaces]
    times = [f"{after / listed:.2f}" for after, listed in sums]
    return f"{' and '.join([', '.join(times[:-1]), times[-1]] if times[1:] else times)} times"


def places(workspace: Path) -> pl.DataFrame:
    """Top tens of the test window's users who have a past, in a workspace: `user_id`, `item_id`, one row a place."""
    with chdir(workspace):
        inputs, lists = Inputs(), Lists.between("backtest", "live")
        ranked = lists.items[:, :LISTED]
        users, items = np.repeat(inputs.user_ids[lists.window.users], LISTED), ranked.ravel()
        there = items >= 0
        names = inputs.catalogue.items[ITEM].to_numpy()
        return pl.DataFrame({USER: users[there], ITEM: names[items[there]]})


def pushed(listed: pl.DataFrame) -> tuple[str, int]:
    """The item of LEAST places or more that has fewest, since it has most to gain, and how many it has."""
    counts = listed[ITEM].value_counts().filter(pl.col("count") >= LEAST).sort("count", ITEM)
    if counts.is_empty():
        raise ValidationFailed(f"no item has {LEAST} places in the top tens of {listed[USER].n_unique()} users")
    return counts.row(0)


def compared(before: pl.DataFrame, after: pl.DataFrame, item: str) -> pl.DataFrame:
    """Whether the item is in the lists of each user who is in both: `user_id`, `before`, `after`, 0 or 1."""
    counts = [
        each.group_by(USER).agg((pl.col(ITEM) == item).sum().cast(pl.Int64).alias(name))
        for each, name in ((before, "before"), (after, "after"))
    ]
    return counts[0].join(counts[1], on=USER, how="inner").sort(USER)


def plant(data: Path, item: str | None, at: float, seed: int = SEED) -> None:
    """Add the fake users to the files of MovieLens-100K in `data`; they arrive within a day from `at`, s since 1970.

    Without an `item` to push they rate one more film drawn by popularity.
    """
    rng = np.random.default_rng(seed)
    rated = pl.read_csv(data / INTERACTIONS, separator="\t", infer_schema=False)
    user, film, rating, time = rated.columns
    films = rated.filter(pl.col(film).ne_missing(item))
    own = pl.DataFrame({film: [item], rating: ["5"]}, schema={film: pl.String, rating: pl.String}).drop_nulls()
    added = []
    for fake in range(FAKES):
        fillers = films[rng.permutation(films.height)].unique(film, keep="first", maintain_order=True)
        fillers = fillers.select(film, rating).head(FILLERS + 1 - own.height)
        chosen = pl.concat([fillers, own])[rng.permutation(FILLERS + 1)]
        times = at + rng.uniform(0, DAY) + np.cumsum(rng.uniform(2, 30, FILLERS + 1))
        names = (pl.lit(f"{FAKE}{fake}").alias(user), pl.Series(time, times.astype(np.int64)).cast(pl.String))
        added.append(chosen.with_columns(names).select(rated.columns))
    pl.concat([rated, *added]).write_csv(data / INTERACTIONS, separator="\t")
    people = pl.read_csv(data / USERS, separator="\t", infer_schema=False)
    named = pl.format("{}{}", pl.lit(FAKE), pl.int_range(FAKES)).alias(user)
    fakes = people.sample(FAKES, seed=seed).with_columns(named)
    pl.concat([people, fakes]).write_csv(data / USERS, separator="\t")
