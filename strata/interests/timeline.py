"""A profile's timeline: one person's points at several times, each from the events before that time."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from strata.data.schema import LEVELS, TIME
from strata.interests.profiling import Profiler
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes

SHARED = 0.5
"""Share of the smaller side's topics that a point and an earlier one have in common where they are one interest."""
TIMELINE = pl.Schema(
    {
        "time": TIME,
        "key": pl.String(),
        "name": pl.String(),
        "tier": pl.String(),
        "strength": pl.Float64(),
        "persistence": pl.Float64(),
    }
)


def as_of(person: QueryUser, at: float, profiler: Profiler) -> QueryUser:
    """The person as known at a time (seconds): profiled from their events before it, with what holds at any time."""
    past = person.history.of_users(person.row, person.row + 1).before(at)
    profiles, _ = profiler.profiles(past, at, [person.user_id], person.statements)
    profiles = person.corrections.apply(profiles, [person.user_id], profiler.themes, profiler.catalogue.ids)
    return replace(person, row=0, history=past, profiles=profiles)


def moments(first: float, last: float, steps: int | None = None) -> list[float]:
    """Times (seconds) after `first` up to `last`: month ends (UTC) and `last`, or the ends of `steps` equal steps."""
    if steps is not None:
        return [float(time) for time in np.linspace(first, last, steps + 1)[1:]]
    month = np.array([first, last]).astype("datetime64[s]").astype("datetime64[M]")
    ends = np.arange(month[0] + 1, month[1] + 1).astype("datetime64[s]").astype(np.float64)
    return [*ends[(ends > first) & (ends < last)].tolist(), last]


Lane = tuple[int, int]
"""The main topic with which an interest began, and which of those that began with it, from 1."""


class Lanes:
    """Interests as they go on: which topics each one held when it was last seen, by the topic that is its key."""

    def __init__(self) -> None:
        self._topics: dict[Lane, set[int]] = {}

    def of(self, main: Sequence[int], topics: Sequence[set[int]]) -> list[Lane]:
        """The key of each point: its main topic or, where it goes on from an earlier time, the key that it had then.

        Points and lanes are matched one to one so that as many topics as can be stay (Kuhn 1955), if at least half of
        the smaller side's are shared. A new interest of a main topic that has begun one before counts on.
        """
        keys = list(self._topics)
        shared = np.array([[len(now & self._topics[key]) for key in keys] for now in topics], float)
        shared = shared.reshape(len(topics), len(keys))
        least = np.array([[min(len(now), len(self._topics[key])) for key in keys] for now in topics], float)
        enough = shared >= SHARED * np.maximum(least.reshape(shared.shape), 1)
        found: list[Lane | None] = [None] * len(topics)
        for point, number in zip(*linear_sum_assignment(np.where(enough, shared, 0), maximize=True), strict=True):
            if enough[point, number]:
                found[point] = keys[number]
        given = []
        for point, key in enumerate(found):
            lane = key or (main[point], 1 + sum(topic == main[point] for topic, _ in self._topics))
            self._topics[lane] = topics[point]
            given.append(lane)
        return given


def timeline_of(interests: Callable[[float], pl.DataFrame], times: Sequence[float], themes: Themes) -> pl.DataFrame:
    """One row (time, key, name, tier, strength, persistence) for each point at each of `times`, by time.

    `interests` gives the rows of one person's profile table as of a time. `key`: stable id of the main topic with which
    an interest began; it is the same interest while it keeps most of its topics, and gets its latest name throughout.
    Where two interests become one, that goes on which shares more with it; names are unique among keys.
    """
    ids = themes.at(LEVELS[0])["id"].to_list()
    parts, lanes = [pl.DataFrame(schema=TIMELINE)], Lanes()
    for time in times:
        points = interests(time)
        at = pl.lit(round(time * 1e6)).cast(pl.Int64).cast(TIME)
        topics = points["topics"] if "topics" in points.columns else points["topic"].reshape((-1, 1)).arr.to_list()
        keys = lanes.of(points["topic"].to_list(), [set(found) for found in topics.to_list()])
        key = pl.Series([ids[topic] + (f"/{n}" if n > 1 else "") for topic, n in keys], dtype=pl.String)
        parts.append(
            points.with_columns(time=at, key=key).select(pl.col(name).cast(TIMELINE[name]) for name in TIMELINE)
        )
    timeline = pl.concat(parts).with_columns(name=pl.col("name").last().over("key"))
    shared = pl.col("key").n_unique().over("name") > 1
    return timeline.with_columns(name=pl.when(shared).then(pl.format("{} ({})", "name", "key")).otherwise("name"))
