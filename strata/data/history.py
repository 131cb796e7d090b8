"""Events of users in time order, as flat columns: the input of every collaborative model."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.schema import CHOSEN, EVENT, ITEM, ITEM_ROW, TIMESTAMP, USER, USER_ROW, WEIGHT

DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class History:
    """Interactions sorted by user row, time, item row; n events of `n_users` × `n_items`.

    `users`, `items`: int32 (n,) dense rows; `times`: float64 (n,) seconds since 1970 UTC; `weights`: float32 (n,),
    negative where an event speaks against its item, such as a low rating or hiding it; `chosen`: bool (n,), whether it
    is a choice: false where it hides the item, and for low ratings where the settings say so; `offsets`: int64
    (n_users + 1,), user u owns the slice offsets[u]:offsets[u + 1].
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    weights: np.ndarray
    chosen: np.ndarray
    offsets: np.ndarray
    n_items: int

    @property
    def n_users(self) -> int:
        """Number of users, those without events included."""
        return len(self.offsets) - 1

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def from_columns(
        cls,
        users: np.ndarray,
        items: np.ndarray,
        times: np.ndarray,
        weights: np.ndarray,
        chosen: np.ndarray | None = None,
        *,
        n_users: int,
        n_items: int,
    ) -> Self:
        """Build from columns in any order (a stable sort keeps ties in the order given after item row).

        Without `chosen`, every event is a choice.
        """
        order = np.lexsort((items, times, users))
        users = np.asarray(users, np.int32)[order]
        offsets = np.searchsorted(users, np.arange(n_users + 1)).astype(np.int64)
        return cls(
            users=users,
            items=np.asarray(items, np.int32)[order],
            times=np.asarray(times, np.float64)[order],
            weights=np.asarray(weights, np.float32)[order],
            chosen=np.ones(len(order), bool) if chosen is None else np.asarray(chosen, bool)[order],
            offsets=offsets,
            n_items=n_items,
        )

    @classmethod
    def read(cls, path: Path, *, n_users: int, n_items: int) -> Self:
        """Read the table that the stage `split` wrote."""
        told = CHOSEN in pl.read_parquet_schema(path)  # earlier versions wrote no such column
        table = pl.read_parquet(path, columns=[USER_ROW, ITEM_ROW, TIMESTAMP, WEIGHT, *([CHOSEN] if told else [])])
        return cls.from_columns(
            table[USER_ROW].to_numpy(),
            table[ITEM_ROW].to_numpy(),
            table[TIMESTAMP].dt.epoch("us").to_numpy() / 1e6,
            table[WEIGHT].to_numpy(),
            table[CHOSEN].to_numpy() if told else None,
            n_users=n_users,
            n_items=n_items,
        )

    def keep(self, mask: np.ndarray) -> "History":
        """The events where `mask` (n,) holds; users and items keep their rows."""
        users = self.users[mask]
        offsets = np.searchsorted(users, np.arange(self.n_users + 1)).astype(np.int64)
        return History(
            users, self.items[mask], self.times[mask], self.weights[mask], self.chosen[mask], offsets, self.n_items
        )

    def within(self, items: np.ndarray) -> "History":
        """Events on the items where `items` (n_items,) bool holds; these become items 0 … in the same order."""
        kept, rows = self.keep(items[self.items]), np.cumsum(items, dtype=np.int32) - np.int32(1)
        return replace(kept, items=rows[kept.items], n_items=int(items.sum()))

    def before(self, time: float) -> "History":
        """Events strictly before `time`."""
        return self.keep(self.times < time)

    def between(self, start: float, end: float) -> "History":
        """Events in [start, end)."""
        return self.keep((self.times >= start) & (self.times < end))

    @cached_property
    def choices(self) -> "History":
        """Events that are choices: what collaborative models, labels and relevance follow."""
        return self if self.chosen.all() else self.keep(self.chosen)

    def positive(self) -> "History":
        """Choices that speak for their item."""
        return self.keep(self.chosen & (self.weights > 0))

    def negative(self) -> "History":
        """Events that speak against their item, as positive weights."""
        against = self.keep(self.weights < 0)
        return replace(against, weights=-against.weights)

    def spoken_against(self) -> np.ndarray:
        """Events (n,) bool on items of which the same user's latest event says no: hidden, disliked or rated low."""
        order, starts = self.by_pair
        stops = np.append(starts[1:], len(order))[: len(starts)]
        latest = order[stops - 1]
        no = ~self.chosen[latest] | (self.weights[latest] < 0)
        found = np.zeros(len(self), bool)
        found[order] = np.repeat(no, stops - starts)
        return found

    def of_users(self, start: int, stop: int) -> "History":
        """The events of users start … stop − 1, who become users 0 …; views, only user rows are copied."""
        events = slice(int(self.offsets[start]), int(self.offsets[stop]))
        return History(
            self.users[events] - np.int32(start),
            self.items[events],
            self.times[events],
            self.weights[events],
            self.chosen[events],
            self.offsets[start : stop + 1] - self.offsets[start],
            self.n_items,
        )

    def of(self, user: int) -> slice:
        """The slice of user row `user`."""
        return slice(int(self.offsets[user]), int(self.offsets[user + 1]))

    def active_users(self) -> np.ndarray:
        """Rows of the users with at least one event."""
        return np.flatnonzero(np.diff(self.offsets))

    def matrix(self, values: np.ndarray | None = None, *, summed: bool = False) -> sparse.csr_matrix:
        """Users × items, float32 CSR: the largest (`summed`: the sum) of `values` (n,) per pair, or ones."""
        order, starts = self.by_pair
        if values is None:
            of_pair = np.ones(len(starts), np.float32)
        else:
            values = np.asarray(values, np.float32)[order]
            of_pair = (np.add if summed else np.maximum).reduceat(values, starts) if len(starts) else values
        return sparse.csr_matrix((of_pair, *self._columns), shape=(self.n_users, self.n_items))

    @cached_property
    def _columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Item row of each pair, and where each user's pairs start among them."""
        starts = np.searchsorted(self.pairs, np.arange(self.n_users + 1, dtype=np.int64) * self.n_items)
        return (self.pairs % self.n_items).astype(np.int32), starts.astype(np.int32)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Every user and item with an event, as user row · n_items + item row, ascending."""
        order, starts = self.by_pair
        first = order[starts]
        return np.asarray(self.users[first] * np.int64(self.n_items) + self.items[first])

    @cached_property
    def by_pair(self) -> tuple[np.ndarray, np.ndarray]:
        """An order (n,) in which events of the same user and item lie together, by time, and where each pair starts."""
        keys = self.users * np.int64(self.n_items) + self.items
        order = np.argsort(keys, kind="stable")
        return order, np.flatnonzero(np.diff(keys[order], prepend=-1))

    def age_in_events(self) -> np.ndarray:
        """How many events of the same user came after each event: (n,), 0 for the latest."""
        return np.asarray(self.offsets[self.users + 1] - 1 - np.arange(len(self)))


def ranges(starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All integers of the ranges [start, stop), and the index of the range that each is from."""
    counts = stops - starts
    of_range = np.repeat(np.arange(len(starts)), counts)
    return np.arange(len(of_range)) + np.repeat(starts - (np.cumsum(counts) - counts), counts), of_range


def looked_up(wanted: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """First position of each wanted key in ascending `keys`, −1 where it is missing: (n,)."""
    if not len(keys):
        return np.full(np.shape(wanted), -1)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def order_interactions(interactions: pl.DataFrame, users: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Add dense rows and sort by user, time, item and event id: ties are broken the same way everywhere."""
    user_rows = users.select(USER).with_row_index(USER_ROW)
    item_rows = items.select(ITEM).with_row_index(ITEM_ROW)
    return (
        interactions.join(user_rows, on=USER, how="inner")
        .join(item_rows, on=ITEM, how="inner")
        .with_columns(pl.col(USER_ROW, ITEM_ROW).cast(pl.Int32))
        .sort(USER_ROW, TIMESTAMP, ITEM_ROW, EVENT)
    )


def as_date(seconds: float) -> str:
    """Seconds since 1970 as YYYY-MM-DD, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
