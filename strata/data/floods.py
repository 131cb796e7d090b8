"""Finds items that users who arrived one after another chose at once, far beyond what others do: a push, or shilling.

A scan statistic (Kulldorff 1997) over users in the order of their first events: in a window of s arrivals with m who
chose the item, s · KL(m/s ‖ p) is what speaks against chance, p being the item's rate among other arrivals. It stays
quiet for items that become popular, since those who arrive after the window choose them too.
"""

import numpy as np
import polars as pl

from strata.data.schema import ITEM, USER

AT_ONCE = 86_400_000_000
"""Microseconds after a user's first event within which a choice belongs to their arrival."""
CHANCE = 1e-3
"""Of a flood anywhere in the data where there is none."""
NEIGHBOURS = 100
"""Arrivals on either side, at least, that tell an item's rate; twice the window where that is more."""
LARGEST, GROWTH = 0.25, 1.4
"""Share of all users that a flood may have; factor between the sizes of windows tried."""
NEAR = 0.8
"""Windows of an item that reach this share of its best belong to the flood."""


def floods(events: pl.DataFrame, least: int, share: float) -> pl.DataFrame:
    """Users of floods and the item of each: `user_id`, `item_id`, once each.

    `events`: `user_id`, `item_id`, `at` in microseconds. `least`: users of a flood; `share`: of the arrivals in its
    window who chose the item. Fewer than ten times `least` users tell no usual rate: nothing is found.
    """
    arrivals = events.group_by(USER).agg(first=pl.col("at").min()).sort("first", USER).with_row_index("arrival")
    if arrivals.height < 10 * least:
        return pl.DataFrame(schema={USER: pl.String, ITEM: pl.String})
    chosen = events.join(arrivals, on=USER, how="inner").filter(pl.col("at") - pl.col("first") <= AT_ONCE)
    chosen = chosen.select(ITEM, USER, pl.col("arrival").cast(pl.Int64)).unique()
    chosen = chosen.filter(pl.len().over(ITEM) >= least).sort(ITEM, "arrival")
    if chosen.is_empty():
        return pl.DataFrame(schema={USER: pl.String, ITEM: pl.String})
    items = (chosen[ITEM].rank("dense") - 1).cast(pl.Int64).to_numpy()
    windows = _windows(items, chosen["arrival"].to_numpy(), arrivals.height, least, share)
    marks = np.zeros(len(items) + 1, np.int64)
    np.add.at(marks, windows["start"].to_numpy(), 1)
    np.add.at(marks, windows["stop"].to_numpy(), -1)
    return chosen.filter(pl.Series(marks[:-1].cumsum() > 0)).select(USER, ITEM)


def _windows(items: np.ndarray, arrivals: np.ndarray, n: int, least: int, share: float) -> pl.DataFrame:
    """Slices start … stop of the choices (c,), sorted by item and arrival, that are floods: each item's best ones."""
    found, size, largest = [], least, max(least, int(LARGEST * n))
    while size <= largest:
        start = np.flatnonzero(items[size - 1 :] == items[: len(items) - size + 1])
        wide = arrivals[start + size - 1] - arrivals[start] + 1
        start = start[size >= share * wide]
        score = _score(items, arrivals, n, start, size)
        found.append(pl.DataFrame({"item": items[start], "start": start, "stop": start + size, "score": score}))
        size = int(size * GROWTH) + 1
    enough = np.log(n * (items[-1] + 1) / CHANCE)
    best = pl.concat(found).filter(pl.col("score") >= enough)
    return best.filter(pl.col("score") >= NEAR * pl.col("score").max().over("item"))


def _score(items: np.ndarray, arrivals: np.ndarray, n: int, start: np.ndarray, size: int) -> np.ndarray:
    """What speaks against chance in each window of `size` choices from `start` (w,): (w,), in nats."""
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
    usual, there = np.clip(np.maximum.reduce(rates), 1e-9, 1 - 1e-9), size / wide
    others = np.clip(1 - there, 1e-12, 1)
    divergence = there * np.log(there / usual) + np.where(there < 1, others * np.log(others / (1 - usual)), 0.0)
    return np.where(there > usual, wide * divergence, 0.0)
