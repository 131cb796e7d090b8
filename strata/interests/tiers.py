"""Assigns interest points to tiers (momentary, stable, core), and gives the numbers behind each decision."""

import numpy as np
import polars as pl

from strata.data.history import DAY, History
from strata.interests.periods import first_and_last
from strata.interests.points import InterestPoints
from strata.interests.settings import TierSettings
from strata.interests.statistics import PointStatistics

FADED = -1


def assign(statistics: PointStatistics, settings: TierSettings) -> np.ndarray:
    """Tier number (an index of TIERS) of each point, or FADED if it is neither persistent nor momentary: (P,).

    With fewer than `min_periods` active periods, or without times, every point is momentary; one of a single period, or
    of no more than `recent_days`, is never persistent.
    Others are core or stable by how they have lasted (`PointStatistics.standing`); one item alone is never core.
    p = (1 − persistence) ^ absent is the chance that a live point stays away this long: below `doubt` a core point
    becomes stable and a stable one has ended, below `doubt`² a core one has ended too. A momentary point needs
    `momentary_events` recent events (a single one may be noise) and has ended once it is quiet for more than
    `over_after` times its own mean gap.
    """
    s = statistics
    judged = (s.of_periods >= settings.min_periods) & settings.timed
    persistent = judged & (s.periods >= 2) & (s.last_seen - s.first_seen > settings.recent_days * DAY)
    staying_away = (1 - np.minimum(s.persistence, 0.99)) ** s.absent
    core = persistent & (s.standing == 2) & (s.items > 1)
    stable = persistent & (s.standing > 0) & ~core
    doubted, ended = staying_away < settings.doubt, staying_away < settings.doubt**2
    of_now = (s.recent >= settings.momentary_events) & (s.quiet <= settings.over_after * s.gap)
    momentary = ~judged | (~core & ~stable & of_now)
    return np.select([core & ~doubted, (stable & ~doubted) | (core & doubted & ~ended), momentary], [2, 1, 0], FADED)


def by_chance(
    history: History,
    points: InterestPoints,
    statistics: PointStatistics,
    tiers: np.ndarray,
    settings: TierSettings,
) -> np.ndarray:
    """Events (n,) bool that are noise, or mere popularity, rather than interest.

    These are events of a momentary point before the recent days that made it momentary, and events of a faded point
    with fewer than `least_events`. Users with fewer than `min_periods` active periods keep all events.
    """
    last = first_and_last(history.times, history.users, history.n_users)[1]
    judged = (statistics.of_periods >= settings.min_periods) & settings.timed
    of_now = np.append(judged & (tiers == 0), [False])[points.of_event]
    before = last[history.users] - history.times > settings.recent_days * DAY
    rare = np.append((tiers == FADED) & (statistics.events < settings.least_events), [False])[points.of_event]
    return np.asarray((of_now & before) | rare)


def reasons(settings: TierSettings) -> pl.Expr:
    """The column `because` of a profile table: one sentence with the numbers behind each point's tier."""
    share = pl.format(
        "in {} of {} active {} ({}%)",
        "periods",
        "of_periods",
        pl.lit(period_name(settings)),
        (pl.col("persistence") * 100).round(0).cast(pl.Int64),
    )
    core, stable = (f"{value:.0%}" for value in (settings.core_persistence, settings.stable_persistence))
    lately = f"{settings.recent_days:g}"
    away = pl.format("away for the last {}", "absent")
    was_core, was_stable = (
        pl.col("persistence") >= settings.core_persistence,
        pl.col("persistence") >= settings.stable_persistence,
    )
    short = pl.col("of_periods") < settings.min_periods
    timeless = pl.lit(value=not settings.timed)
    sentence = (
        pl.when(timeless & pl.col("stated"))
        .then(pl.lit("stated in the profile text"))
        .when(timeless)
        .then(pl.lit("the data have no times, so nothing says how long it lasts"))
        .when(pl.col("stated"))
        .then(pl.format("stated in the profile text; {}", share))
        .when((pl.col("tier") == "core") & was_core)
        .then(pl.format("{}, core from {}", share, pl.lit(core)))
        .when(pl.col("tier") == "core")
        .then(pl.format("{}, core since it was {}", share, pl.lit(core)))
        .when((pl.col("tier") == "stable") & was_core & (pl.col("items") == 1) & (pl.col("absent") == 0))
        .then(pl.format("{}, stable and not core as it is of one item", share))
        .when((pl.col("tier") == "stable") & was_core)
        .then(pl.format("{} but {}: no longer core", share, away))
        .when((pl.col("tier") == "stable") & was_stable)
        .then(pl.format("{}, stable from {}", share, pl.lit(stable)))
        .when(pl.col("tier") == "stable")
        .then(pl.format("{}, stable since it was {}", share, pl.lit(stable)))
        .when(short)
        .then(pl.format("{}: too short a history to be more than momentary", share))
        .otherwise(pl.format("{}, {} events in the {} days up to the last visit", share, "recent", pl.lit(lately)))
    )
    return sentence.alias("because")


def period_name(settings: TierSettings) -> str:
    """The name of the counted periods, such as "weeks"."""
    return "weeks" if settings.period_days == 7 else f"{settings.period_days:g}-day periods"
