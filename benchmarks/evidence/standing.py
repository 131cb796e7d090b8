"""What users are interested in at a time: the points and tiers their profiles would have, without the names."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.evidence.context import Context
from strata.data.history import History
from strata.interests.points import InterestPoints, find_points, let_go
from strata.interests.shards import shards
from strata.interests.statistics import PointStatistics, measure
from strata.interests.tiers import FADED, assign, by_chance


@dataclass(frozen=True)
class Standing:
    """The points, P of them, of consecutive users at a time.

    `first`: row of the first user among all; `history`, their events before that time, and `points` count users from
    there. `tiers`, `statistics`: of each point (P,), FADED ones among them. `short` (P,) bool: its owner's history is
    too short for any tier but momentary.
    """

    first: int
    history: History
    points: InterestPoints
    statistics: PointStatistics
    tiers: np.ndarray
    short: np.ndarray

    @property
    def users(self) -> np.ndarray:
        """Row of each point's owner among all users: (P,)."""
        return self.points.users + self.first

    @property
    def kept(self) -> np.ndarray:
        """Rows of the points that are in a tier."""
        return np.flatnonzero(self.tiers != FADED)


def standings(context: Context, time: float) -> Iterator[Standing]:
    """All users at `time`, a shard of them at a time, by what was known then."""
    for first, history in shards(context.history.before(time)):
        yield standing(context, history, time, first)


def standing(context: Context, history: History, time: float, first: int = 0) -> Standing:
    """The points of a history's users at `time`, later than all of its events, from what they did alone."""
    vectors, settings, topics = context.vectors_at(time), context.settings, context.topics_at(time)
    points = find_points(history, vectors, topics, settings, height=context.height)
    statistics = measure(history, points, time, settings)
    tiers = assign(statistics, settings)
    chance = by_chance(history, points, statistics, tiers, settings) & (tiers != FADED)[points.of_event]
    points = let_go(points, history, vectors, topics, chance)
    short = statistics.of_periods < settings.min_periods
    return Standing(first, history, points, measure(history, points, time, settings), tiers, short)
