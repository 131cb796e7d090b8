"""Ratings that users gave, with their values on the platform's scale: the input of predicted ratings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from strata.data.schema import BEHAVIOUR, ITEM_ROW, TIMESTAMP, USER_ROW, VALUE
from strata.data.weights import RATE, RatingSettings


@dataclass(frozen=True, eq=False)
class Ratings:
    """n ratings in time order, the latest of each user and item.

    `users`, `items`: int32 (n,) dense rows; `values`: float64 (n,) within the scale; `times`: float64 (n,) seconds.
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    times: np.ndarray
    n_users: int
    n_items: int

    @classmethod
    def read(cls, path: Path, scale: RatingSettings, *, n_users: int, n_items: int) -> Self:
        """Read the ratings among the events that the stage `split` wrote; those without a value say nothing."""
        rows = pl.read_parquet(path, columns=[USER_ROW, ITEM_ROW, BEHAVIOUR, TIMESTAMP, VALUE])
        rated = rows.filter(pl.col(BEHAVIOUR) == RATE, pl.col(VALUE).is_not_null())
        rated = rated.sort(TIMESTAMP, USER_ROW, ITEM_ROW, maintain_order=True)
        rated = rated.unique([USER_ROW, ITEM_ROW], keep="last", maintain_order=True)
        return cls(
            rated[USER_ROW].to_numpy(),
            rated[ITEM_ROW].to_numpy(),
            rated[VALUE].clip(scale.lowest, scale.highest).to_numpy(),
            rated[TIMESTAMP].dt.epoch("us").to_numpy() / 1e6,
            n_users,
            n_items,
        )

    def __len__(self) -> int:
        return len(self.values)

    def keep(self, which: np.ndarray) -> "Ratings":
        """The ratings where `which` (n,) bool holds."""
        users, items, values, times = (part[which] for part in (self.users, self.items, self.values, self.times))
        return Ratings(users, items, values, times, self.n_users, self.n_items)

    def before(self, time: float) -> "Ratings":
        """Those before `time` (seconds)."""
        return self.keep(self.times < time)

    def between(self, start: float, end: float) -> "Ratings":
        """Those in [start, end)."""
        return self.keep((self.times >= start) & (self.times < end))
