"""The profile table: a user's interest points with names, tiers, evidence and the numbers behind them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from strata.data.schema import LEVELS, USER, USER_ROW
from strata.errors import UnknownId
from strata.interests.point_facts import PointFacts
from strata.storage import read_array, write_array, write_table


@dataclass(frozen=True)
class Profiles:
    """All users' points: `table` (P rows, sorted by user, tier, strength) and `vectors` (P, d), aligned.

    Columns of `table`: user_row, user_id, point, name, phrases, tier, because, strength, share, persistence,
    periods, of_periods, absent, recency, span, recent, quiet, events, items, first_seen, last_seen, medoid, evidence,
    topics (all of the point's), topic, category, theme (of its medoid), stated (in the profile text). Of points that
    are read from words alone, the numbers of events and the medoid are null.
    `dislikes`: points of negative events, as profiles whose table has only DISLIKE_COLUMNS.
    """

    table: pl.DataFrame
    vectors: np.ndarray
    dislikes: Self | None = None

    @cached_property
    def owners(self) -> np.ndarray:
        """The user row of each point (P,), ascending."""
        return self.table[USER_ROW].to_numpy()

    @cached_property
    def facts(self) -> PointFacts:
        """Tiers, numbers and topics of the points as arrays."""
        return PointFacts.of(self.table)

    def of(self, user_row: int) -> slice:
        """The rows of one user."""
        return slice(*np.searchsorted(self.owners, [user_row, user_row + 1]).tolist())

    def write(self, folder: Path) -> None:
        """Write profiles.parquet and points.npy, and the dislikes beside them."""
        write_table(self.table, folder / "profiles.parquet")
        write_array(self.vectors, folder / "points.npy")
        if self.dislikes is not None:
            write_table(self.dislikes.table, folder / "dislikes.parquet")
            write_array(self.dislikes.vectors, folder / "dislikes.npy")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        dislikes = None
        if (folder / "dislikes.parquet").exists():
            dislikes = cls(pl.read_parquet(folder / "dislikes.parquet"), read_array(folder / "dislikes.npy"))
        return cls(pl.read_parquet(folder / "profiles.parquet"), read_array(folder / "points.npy"), dislikes)


READABLE = 9
"""Points of a profile that people read to the end."""


def showcase(table: pl.DataFrame) -> str:
    """The id of an example user: most tiers, then not too many points to read, then most active periods.

    Raises UnknownId where nobody has a point.
    """
    per_user = table.group_by(USER).agg(
        pl.col("tier").n_unique().alias("tiers"), pl.col("of_periods").max().fill_null(0), pl.len().alias("points")
    )
    if per_user.is_empty():
        raise UnknownId("no user of this release has an interest point")
    per_user = per_user.with_columns(readable=pl.col("points") <= READABLE)
    order = {"tiers": True, "readable": True, "of_periods": True, "points": False, USER: False}
    best = per_user.sort(list(order), descending=list(order.values()))
    return str(best[USER][0])


DISLIKE_COLUMNS = (
    USER_ROW, USER, "point", "name", "phrases", "because", "strength", "share", "events", "items", "first_seen",
    "last_seen", "medoid", "evidence", "topics", *LEVELS,
)  # fmt: skip
