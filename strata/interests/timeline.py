"""A profile's timeline: the same person's points at one time after another, each as it was known then."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from strata.data.schema import LEVELS, TIME
from strata.interests.corrections import Corrections
from strata.interests.profiling import NOTHING_STATED, Profiler, Statements
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes

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


def as_of(
    person: QueryUser,
    at: float,
    profiler: Profiler,
    user_id: str = "",
    statements: Statements = NOTHING_STATED,
    corrections: Corrections | None = None,
) -> QueryUser:
    """The person alone as known at a time (seconds): profiled from what their history holds before it, as corrected.

    What people state and correct has no place among the events: it holds at any time. `statements` are their own.
    """
    past = person.history.of_users(person.row, person.row + 1).before(at)
    profiles, _ = profiler.profiles(past, at, [user_id], statements)
    if corrections is not None:
        profiles = corrections.apply(profiles, [user_id], profiler.themes, profiler.catalogue.ids)
    return QueryUser(0, past, profiles, person.rejected, person.is_query)


def moments(first: float, last: float, steps: int | None = None) -> list[float]:
    """Times (seconds) after `first` up to `last`: the ends of the months (UTC) and `last`, or so many equal steps."""
    if steps is not None:
        return [float(time) for time in np.linspace(first, last, steps + 1)[1:]]
    month = np.array([first, last]).astype("datetime64[s]").astype("datetime64[M]")
    ends = np.arange(month[0] + 1, month[1] + 1).astype("datetime64[s]").astype(np.float64)
    return [*ends[(ends > first) & (ends < last)].tolist(), last]


def timeline_of(interests: Callable[[float], pl.DataFrame], times: Sequence[float], themes: Themes) -> pl.DataFrame:
    """One row (time, key, name, tier, strength, persistence) for each point at each of `times`, by time.

    `interests` gives the rows of somebody's profile table as of a time. Points of different times are the same one
    where their main topic is: `key` is its stable id. They all have the name that the latest of them has, and no two
    keys have the same.
    """
    ids = themes.at(LEVELS[0])["id"]
    parts = [pl.DataFrame(schema=TIMELINE)]
    for time in times:
        points = interests(time)
        at = pl.lit(round(time * 1e6)).cast(pl.Int64).cast(TIME)
        key = pl.Series(ids.gather(points["topic"]), dtype=pl.String)
        parts.append(
            points.with_columns(time=at, key=key).select(pl.col(name).cast(TIMELINE[name]) for name in TIMELINE)
        )
    timeline = pl.concat(parts).with_columns(name=pl.col("name").last().over("key"))
    shared = pl.col("key").n_unique().over("name") > 1
    return timeline.with_columns(name=pl.when(shared).then(pl.format("{} ({})", "name", "key")).otherwise("name"))
