"""Finds items that users who arrived one after another chose at once, far beyond what others do: a push, or shilling.

A scan statistic (Kulldorff 1997) over users in the order of their first events: in a window of s arrivals with m who
chose the item, s · KL(m/s ‖ p) is what speaks against chance, p being the item's rate among other arrivals. It stays
quiet for items that become popular, since those who arrive after the window choose them too. A flood also thins out
what its neighbours chose, so the clearest are found first and the others sought again among those who are left.
"""

from dataclasses import dataclass, field
from functools import cached_property

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
ROUNDS = 10
"""Times at most that a flood's ends are sought anew."""


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

    def floods(self, least: int, share: float, few: int) -> pl.DataFrame:
        """Users of floods and the item of each: `user_id`, `item_id`, once each.

        `least`: users of a flood; `share`: of the arrivals in its window who chose the item. Fewer than ten times
        `least` users tell no usual rate: nothing is found. Floods of more items than `few` are a habit: all that the
        first look shows are told, and none is sought again.
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
        choices = _Choices(*np.divmod(keys, self.n_users), self.n_users)
        marked = _marked(choices, least, share, few)
        names = self.items.filter(pl.Series(often)).gather(choices.items[marked])
        return pl.DataFrame({USER: users[USER].gather(choices.arrivals[marked]), ITEM: names})


@dataclass(frozen=True)
class _Choices:
    """What `n` users chose as they arrived: places of `items` and of `arrivals`, both (c,), sorted by both."""

    items: np.ndarray
    arrivals: np.ndarray
    n: int

    @cached_property
    def keys(self) -> np.ndarray:
        """Ascending: (c,)."""
        return np.asarray(self.items * np.int64(self.n) + self.arrivals)

    def of(self, item: np.ndarray, arrival: np.ndarray | int) -> np.ndarray:
        """Where the choices of an item by those who arrived at a place or later begin."""
        return np.asarray(np.searchsorted(self.keys, item * np.int64(self.n) + np.clip(arrival, 0, self.n)))

    def without(self, gone: np.ndarray) -> tuple["_Choices", np.ndarray]:
        """The choices of other users than those `gone` (n,), who stand closer then, and their places here."""
        places = np.cumsum(~gone) - 1
        left = np.flatnonzero(~gone[self.arrivals])
        return _Choices(self.items[left], places[self.arrivals[left]], int((~gone).sum())), left


def _marked(choices: _Choices, least: int, share: float, few: int) -> np.ndarray:
    """Which choices belong to floods: bool (c,)."""
    marked = np.zeros(len(choices.items), bool)
    left, places, again = choices, np.arange(len(marked)), True
    while again:
        floods = [_extent(left, window) for window in _windows(left, least, share)]
        again = len({int(left.items[flood.start]) for flood in floods}) <= few
        clear = _apart(left, floods) if again else floods
        gone = np.zeros(left.n, bool)
        for flood in clear:
            gone[left.arrivals[flood]] = marked[places[flood]] = True
        again &= len(clear) < len(floods)
        left, kept = left.without(gone)
        places = places[kept]
    return marked


def _apart(choices: _Choices, floods: list[slice]) -> list[slice]:
    """Of floods, the clearest first, those that no clearer one lies near."""
    near, found = np.zeros(choices.n, bool), []
    for flood in floods:
        low, high = choices.arrivals[flood.start], choices.arrivals[flood.stop - 1]
        if not near[low : high + 1].any():
            found.append(flood)
            reach = _reach(high - low + 1)
            near[max(low - reach, 0) : high + reach + 1] = True
    return found


def _extent(choices: _Choices, flood: slice) -> slice:
    """Where the flood that a window showed begins and ends: as far to both sides as more speaks for it than against.

    What is usual is what users outside do, so it is told anew when the ends have moved.
    """
    middle = (flood.start + flood.stop) // 2
    item, arrivals = choices.items[middle], choices.arrivals
    for _ in range(ROUNDS):
        size, low, high = flood.stop - flood.start, arrivals[flood.start], arrivals[flood.stop - 1]
        usual = _usual(choices, np.array([flood.start]), size)[0]
        there = min(size / (high - low + 1), 1 - (1 - usual) / 10)  # so that an arrival in between may be chance
        if there <= usual:
            break
        reach = _reach(high - low + 1)
        first, last = choices.of(item, np.array([low - reach, high + reach + 1]))
        gain, loss = np.log(there / usual), np.log((1 - there) / (1 - usual))
        before = np.cumsum(gain + loss * (np.diff(arrivals[first : middle + 1])[::-1] - 1))
        after = np.cumsum(gain + loss * (np.diff(arrivals[middle:last]) - 1))
        ends = (int(np.argmax(np.append(0.0, sums))) for sums in (before, after))
        found = slice(middle - next(ends), middle + next(ends) + 1)
        if found == flood:
            break
        flood = found
    return flood


def _windows(choices: _Choices, least: int, share: float) -> list[slice]:
    """Windows that show floods, of those that overlap the best; the clearest first."""
    items, arrivals, n = choices.items, choices.arrivals, choices.n
    found, size, largest = [], least, min(max(least, int(LARGEST * n)), len(items))
    while size <= largest:
        start = np.flatnonzero(items[size - 1 :] == items[: len(items) - size + 1])
        wide = arrivals[start + size - 1] - arrivals[start] + 1
        start, wide = (each[size >= share * wide] for each in (start, wide))
        score = _against_chance(size / wide, _usual(choices, start, size), wide)
        found.append(pl.DataFrame({"item": items[start], "start": start, "stop": start + size, "score": score}))
        size = int(size * GROWTH) + 1
    if not found:
        return []
    enough = np.log(n * (items[-1] + 1) / CHANCE)
    good = pl.concat(found).filter(pl.col("score") >= enough).sort("item", "start", "stop")
    apart = pl.col("start") > pl.col("stop").cum_max().shift(1).over("item")
    grouped = good.with_columns(group=apart.fill_null(value=True).cum_sum())
    clearest = grouped.sort("score", "start", descending=[True, False])
    return [slice(*ends) for ends in clearest.unique("group", maintain_order=True).select("start", "stop").rows()]


def _usual(choices: _Choices, start: np.ndarray, size: int) -> np.ndarray:
    """The highest rate of an item outside each window of `size` choices from `start` (w,), before or after it: (w,)."""
    item, low, high = choices.items[start], choices.arrivals[start], choices.arrivals[start + size - 1]
    wide, n = high - low + 1, choices.n
    before, after = np.maximum(low - _reach(wide), 0), np.minimum(high + _reach(wide), n - 1)
    first, earliest, latest, last = (choices.of(item, edge) for edge in (np.zeros_like(low), before, after + 1, n))
    rates = (
        (last - first - size + 1) / (n - wide + 2),
        (start - earliest + 1) / (low - before + 2),
        (latest - (start + size) + 1) / (after - high + 2),
    )
    return np.asarray(np.clip(np.maximum.reduce(rates), 1e-9, 1 - 1e-9))


def _reach(wide: np.ndarray) -> np.ndarray:
    """Arrivals on either side that tell what is usual beside windows of `wide` arrivals."""
    return np.asarray(np.maximum(2 * wide, NEIGHBOURS))


def _against_chance(there: np.ndarray, usual: np.ndarray, wide: np.ndarray) -> np.ndarray:
    """What speaks against chance where `wide` arrivals (w,) chose at the rate `there` (w,): (w,), in nats."""
    others = np.clip(1 - there, 1e-12, 1)
    divergence = there * np.log(there / usual) + np.where(there < 1, others * np.log(others / (1 - usual)), 0.0)
    return np.where(there > usual, wide * divergence, 0.0)
