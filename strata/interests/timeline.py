"""A profile's timeline: one person's points at several times, each from the events before that time."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from strata.data.schema import LEVELS, TIME
from strata.interests.corrections import Corrections
from strata.interests.profiling import Profiler
from strata.interests.query_users import QueryUser
from strata.interests.statements import NOTHING_STATED, Statements
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
    """The person as known at a time (seconds): profiled from their events before it, with corrections.

    `statements` (the person's own) and `corrections` hold at any time.
    """
    past = person.history.of_users(person.row, person.row + 1).before(at)
    profiles, _ = profiler.profiles(past, at, [user_id], statements)
    if corrections is not None:
        profiles = corrections.apply(profiles, [user_id], profiler.themes, profiler.catalogue.ids)
    return QueryUser(0, past, profiles, person.rejected, person.is_query)


def moments(first: float, last: float, steps: int | None = None) -> list[float]:
    """Times (seconds) after `first` up to `last`: month ends (UTC) and `last`, or the ends of `steps` equal steps."""
    if steps is not None:
        return [float(time) for time in np.linspace(first, last, steps + 1)[1:]]
    month = np.array([first, last]).astype("datetime64[s]").astype("datetime64[M]")
    ends = np.arange(month[0] + 1, month[1] + 1).astype("datetime64[s]").astype(np.float64)
    return [*ends[(ends > first) & (ends < last)].tolist(), last]


def timeline_of(interests: Callable[[float], pl.DataFrame], times: Sequence[float], themes: Themes) -> pl.DataFrame:
    """One row (time, key, name, tier, strength, persistence) for each point at each of `times`, by time.

    `interests` gives the rows of one person's profile table as of a time. `key`: stable id of the main topic; points
    with the same key are one interest and all get its latest name. Names are unique among keys.
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
