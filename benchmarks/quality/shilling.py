"""What fifty fake users get an item: its places in top tens once they have rated it among films that many know.

They arrive within a day, a month before the test window, each with five stars for the item and thirty other films drawn
by popularity, rated as people rate them. The whole pipeline runs again on MovieLens-100K with them in it.
"""

import shutil
import tempfile
from contextlib import chdir
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
STAGES: Final = ("rank", "tier@backtest", "collaborate@backtest", "index@backtest")


def rows(root: Path) -> tuple[list[Row], str]:
    """Row shilling: places with the fake users over those without, in the project's own workspace after `make demo`."""
    plain = places(Path())
    target, listed = pushed(plain)
    cuts = read_json(Path("artifacts/history/cut_offs.json"))
    with tempfile.TemporaryDirectory(prefix="strata-shilling-") as folder:
        data = Path(folder) / "data"
        shutil.copytree(DATA, data)
        plant(data, target, cuts["backtest"] - BEFORE)
        attacked = workspaces.workspace("movielens-100k", data=data, stages=STAGES, root=root)
    found = compared(plain, places(attacked), target)
    signs = pl.read_parquet(attacked / "artifacts/tables/suspicious.parquet").filter("certain")
    users = signs[USER].unique()
    caught = int(users.str.starts_with(FAKE).sum())
    told = (
        f"MovieLens-100K, {FAKES} fake users push film {target}, which had {listed} places in the top tens of the test "
        f"window's users: its places in the lists of those whom both windows have, with the fakes over without them. "
        f"{caught} of the {FAKES} are flagged, and {len(users) - caught} of 943 people. At most {MOST_GAIN} is asked."
    )
    interval = pooled(found.select("after", "before").to_numpy(), share)
    return [Row.of("shilling", told, interval, "times", len(found), seeds=(SEED,), per_user=found)], Judged.read(
        Path()
    ).split


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


def plant(data: Path, item: str, at: float) -> None:
    """Add the fake users to the files of MovieLens-100K in `data`; they arrive within a day from `at`, s since 1970."""
    rng = np.random.default_rng(SEED)
    rated = pl.read_csv(data / INTERACTIONS, separator="\t", infer_schema=False)
    user, film, rating, time = rated.columns
    films = rated.filter(pl.col(film) != item)
    added = []
    for fake in range(FAKES):
        fillers = films[rng.permutation(films.height)].unique(film, keep="first", maintain_order=True).head(FILLERS)
        own = pl.DataFrame({film: [item], rating: ["5"]})
        chosen = pl.concat([fillers.select(film, rating), own])[rng.permutation(FILLERS + 1)]
        times = at + rng.uniform(0, DAY) + np.cumsum(rng.uniform(2, 30, FILLERS + 1))
        names = (pl.lit(f"{FAKE}{fake}").alias(user), pl.Series(time, times.astype(np.int64)).cast(pl.String))
        added.append(chosen.with_columns(names).select(rated.columns))
    pl.concat([rated, *added]).write_csv(data / INTERACTIONS, separator="\t")
    people = pl.read_csv(data / USERS, separator="\t", infer_schema=False)
    named = pl.format("{}{}", pl.lit(FAKE), pl.int_range(FAKES)).alias(user)
    fakes = people.sample(FAKES, seed=SEED).with_columns(named)
    pl.concat([people, fakes]).write_csv(data / USERS, separator="\t")
