"""Finds items that users who arrived one after another chose at once, far beyond what others do: a push, or shilling.

A scan statistic (Kulldorff 1997) over users in the order of their first events: in a window of s arrivals with m who
chose the item, s · KL(m/s ‖ p) is what speaks against chance, p being the item's rate among other arrivals. It stays
quiet for items that become popular, since those who arrive after the window choose them too.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from strata.data.schema import ITEM, USER

AT_ONCE = 86_400_000_000
"""Microseconds after a user's first event within which a choice belongs to their arrival."""
CHANCE = 1e-3
"""Of a flood anywhere in the data where there is none."""
NEIGHBOURS = 100
"""Arrivals on either side, at least, that tell an item's rate; twice the window where that is more."""
LARGEST, GROWTH = 0.1, 1.4
"""Share of all users that a flood may have; factor between the sizes of windows tried."""
NEAR = 0.8
"""Windows that reach this share of the best that they overlap with belong to the flood."""


@dataclass
class Arrivals:
    """When users came and what they chose at once, gathered from parts of the events, each user's in one of them.

    `items`: all items, sorted.
    """

    items: pl.Series
    users: list[pl.DataFrame] = field(default_factory=list)
    chosen: list[np.ndarray] = field(default_factory=list)
    """Of each part (c, 2) of int32: places of user and item."""
    n_users: int = 0

    def add(self, events: pl.DataFrame) -> None:
        """More `events`: `user_id`, `item_id`, `at` in microseconds."""
        users = events.group_by(USER, maintain_order=True).agg(first=pl.col("at").min()).with_row_index("user")
        chosen = events.join(users, on=USER, how="inner").filter(pl.col("at") - pl.col("first") <= AT_ONCE)
        places = self.items.to_frame(ITEM).with_row_index("item")
        chosen = chosen.select(ITEM, "user").unique().join(places, on=ITEM, how="inner")
        self.users.append(users.drop("user"))
        rows = chosen.select(pl.col("user") + self.n_users, "item").cast(pl.Int32)
        self.chosen.append(rows.to_numpy())
        self.n_users += users.height

    def floods(self, least: int, share: float) -> pl.DataFrame:
        """Users of floods and the item of each: `user_id`, `item_id`, once each.

        `least`: users of a flood; `share`: of the arrivals in its window who chose the item. Fewer than ten times
        `least` users tell no usual rate: nothing is found.
        """
        nothing = pl.DataFrame(schema={USER: pl.String, ITEM: pl.String})
        if self.n_users < 10 * least:
            return nothing
        users = pl.concat(self.users).with_row_index("user").sort("first", USER)
        arrival = np.empty(self.n_users, np.int64)
        arrival[users["user"].to_numpy()] = np.arange(self.n_users)
        chosen = np.concatenate(self.chosen)
        self.chosen = []
        often = np.bincount(chosen[:, 1], minlength=len(self.items)) >= least
        chosen = chosen[often[chosen[:, 1]]]
        if not len(chosen):
            return nothing
        place = np.cumsum(often) - 1
        keys = np.sort(place[chosen[:, 1]] * np.int64(self.n_users) + arrival[chosen[:, 0]])
        items, arrived = np.divmod(keys, self.n_users)
        marked = _marked(items, arrived, self.n_users, least, share)
        names = self.items.filter(pl.Series(often)).gather(items[marked])
        return pl.DataFrame({USER: users[USER].gather(arrived[marked]), ITEM: names})


def _marked(items: np.ndarray, arrived: np.ndarray, n: int, least: int, share: float) -> np.ndarray:
    """Which choices (c,), sorted by item and arrival, belong to floods: bool (c,)."""
    windows = _windows(items, arrived, n, least, share)
    marked = np.zeros(len(items), bool)
    for _, near in windows.group_by("group"):
        best = near.sort("score", "start", descending=[True, False]).row(0, named=True)
        whole = slice(int(near["start"].min()), int(near["stop"].max()))  # type: ignore[arg-type]
        marked[_core(arrived, whole, best["there"], best["usual"])] = True
    return marked


def _core(arrivals: np.ndarray, whole: slice, there: float, usual: float) -> slice:
    """The part of the choices `whole` for which a rate `there` instead of the `usual` one speaks most (Kadane)."""
    there = min(there, 1 - (1 - usual) / 10)  # so that an arrival between two choices may be chance
    gaps = np.diff(arrivals[whole], prepend=arrivals[whole][0]) - 1
    misses = np.log((1 - there) / (1 - usual)) * np.maximum(gaps, 0)
    gain = np.log(there / usual)
    sums = np.cumsum(gain + misses)
    starts = sums - gain  # what came before a choice that begins the part
    lowest = np.minimum.accumulate(starts)
    stop = int(np.argmax(sums - lowest))
    start = int(np.argmin(starts[: stop + 1]))
    return slice(whole.start + start, whole.start + stop + 1)


def _windows(items: np.ndarray, arrivals: np.ndarray, n: int, least: int, share: float) -> pl.DataFrame:
    """Slices start … stop of the choices (c,), sorted by item and arrival, that are floods.

    With their rate `there`, the `usual` one, `score`, and a `group` for those of an item that overlap.
    """
    found, size, largest = [], least, min(max(least, int(LARGEST * n)), len(items))
    while size <= largest:
        start = np.flatnonzero(items[size - 1 :] == items[: len(items) - size + 1])
        start = start[size >= share * (arrivals[start + size - 1] - arrivals[start] + 1)]
        usual = _usual(items, arrivals, n, start, size)
        wide = arrivals[start + size - 1] - arrivals[start] + 1
        score = _against_chance(size / wide, usual, wide)
        found.append(
            pl.DataFrame({"item": items[start], "start": start, "stop": start + size, "score": score}).with_columns(
                there=pl.Series(size / wide), usual=pl.Series(usual)
            )
        )
        size = int(size * GROWTH) + 1
    enough = np.log(n * (items[-1] + 1) / CHANCE)
    good = pl.concat(found).filter(pl.col("score") >= enough).sort("item", "start", "stop")
    apart = pl.col("start") > pl.col("stop").cum_max().shift(1).over("item")
    grouped = good.with_columns(group=apart.fill_null(value=True).cum_sum())
    return grouped.filter(pl.col("score") >= NEAR * pl.col("score").max().over("group"))


def _usual(items: np.ndarray, arrivals: np.ndarray, n: int, start: np.ndarray, size: int) -> np.ndarray:
    """The highest rate of an item outside each window of `size` choices from `start` (w,), before or after it: (w,)."""
    keys = items * np.int64(n) + arrivals
    item, low, high = items[start], arrivals[start], arrivals[start + size - 1]
    wide = high - low + 1
    reach = np.maximum(2 * wide, NEIGHBOURS)
    before, after = np.maximum(low - reach, 0), np.minimum(high + reach, n - 1)
    first, last = (np.searchsorted(keys, item * n + edge) for edge in (0, n))
    earlier = start - np.searchsorted(keys, item * n + before)
    later = np.searchsorted(keys, item * n + after, "right") - (start + size)
    rates = (
        (last - first - size + 1) / (n - wide + 2),
        (earlier + 1) / (low - before + 2),
        (later + 1) / (after - high + 2),
    )
    return np.asarray(np.clip(np.maximum.reduce(rates), 1e-9, 1 - 1e-9))


def _against_chance(there: np.ndarray, usual: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """What speaks against chance where `wide` arrivals (w,) chose at the rate `there` (w,): (w,), in nats."""
    others = np.clip(1 - there, 1e-12, 1)
    divergence = there * np.log(there / usual) + np.where(there < 1, others * np.log(others / (1 - usual)), 0.0)
    return np.where(there > usual, wide * divergence, 0.0)
