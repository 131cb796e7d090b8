"""When each item is there: judged at the moment somebody asks, not at the end of a release's data."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import CREATED, REMOVED


@dataclass(frozen=True)
class Availability:
    """Items are there from `since` (n_items,) on and before `until` (n_items,), both in seconds since 1970.

    `since` is −inf where the time is unknown or somebody chose the item already, `until` inf where it stays.
    """

    since: np.ndarray
    until: np.ndarray

    @classmethod
    def of(cls, catalogue: Catalogue, history: History) -> Self:
        """Of the items of a release and all its events."""
        times = cls.stated(catalogue.items)
        times.since[history.items] = -np.inf
        return times

    @classmethod
    def stated(cls, items: pl.DataFrame) -> Self:
        """As an items table alone says it."""
        return cls(_seconds(items[CREATED], -np.inf), _seconds(items[REMOVED], np.inf))

    def at(self, time: float) -> np.ndarray:
        """The items that are there at a time, in seconds: a new array, bool (n_items,)."""
        return (self.since <= time) & (self.until > time)


def _seconds(times: pl.Series, unknown: float) -> np.ndarray:
    return np.array((times.dt.epoch("us").cast(pl.Float64) / 1e6).fill_null(unknown).to_numpy())
