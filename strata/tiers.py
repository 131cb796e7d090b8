"""Points to tiers: what a user touches now, comes back to, or has always been about, and the numbers that say so."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl
from pydantic import Field

from strata.grouping import Method
from strata.history import DAY, History
from strata.interests import InterestPoints
from strata.settings import Settings

Tier = Literal["momentary", "stable", "core"]
TIERS: Final[tuple[str, ...]] = get_args(Tier)
FADED = -1


class TierSettings(Settings):
    """How points are cut and when they count as momentary, stable or core."""

    method: Method = "ward"
    cut: float = Field(1.0, ge=0)
    half_life_days: float = Field(30, gt=0)
    period_days: float = Field(7, gt=0)
    min_periods: int = Field(4, ge=1)
    core_persistence: float = Field(0.36, gt=0, le=1)
    stable_persistence: float = Field(0.12, gt=0, le=1)
    doubt: float = Field(0.03, ge=0, lt=1)
    recent_days: float = Field(14, gt=0)
    momentary_events: int = Field(2, ge=1)
    least_events: int = Field(5, ge=1)
    over_after: float = Field(1.6, gt=0)
    stated_similarity: float = Field(0.5, ge=-1, le=1)
    evidence: int = Field(3, ge=1)


@dataclass(frozen=True)
class PointStatistics:
    """The numbers behind a tier, one entry per point (P,).

    strength: Σ weight · 2^(−age / half-life) over the point's events, age in days before T.
    persistence: share of the user's active periods in which the point occurs, `periods` of `of_periods`.
    absent: the user's active periods since it last occurred.
    recency: 2^(−age of the latest event / half-life). span: share of the user's lifetime it covers.
    recent: its events in the user's recent days. gap: mean days between the recent days on which it occurred, at
    least 1. quiet: days since its latest event. Recent days and quiet are counted back from T, or from the user's
    latest event where that is longer than the recent days ago.
    """

    strength: np.ndarray
    persistence: np.ndarray
    periods: np.ndarray
    of_periods: np.ndarray
    absent: np.ndarray
    recency: np.ndarray
    span: np.ndarray
    recent: np.ndarray
    gap: np.ndarray
    quiet: np.ndarray
    events: np.ndarray
    first_seen: np.ndarray
    last_seen: np.ndarray


def measure(history: History, points: InterestPoints, time: float, settings: TierSettings) -> PointStatistics:
    """Measure all points at `time` (seconds, later than every event) in one vectorised pass.

    Periods are counted backwards from `time`; only those in which the user did anything count.
    """
    first, last = _first_and_last(history.times, history.users, history.n_users)
    period = ((time - history.times) // (settings.period_days * DAY)).astype(np.int64)
    active = np.unique(history.users * BEYOND + period)  # latest period of each user first
    of_periods = np.bincount(active // BEYOND, minlength=history.n_users)

    owner, n_points, member = points.users, len(points.users), points.of_event >= 0
    point, when, weight = points.of_event[member], history.times[member], history.weights[member]
    point_first, point_last = _first_and_last(when, point, n_points)
    touched = np.unique(point * BEYOND + period[member])
    periods = np.bincount(touched // BEYOND, minlength=n_points)
    latest = touched[np.searchsorted(touched, np.arange(n_points) * BEYOND)] % BEYOND
    absent = np.searchsorted(active, owner * BEYOND + latest) - np.searchsorted(active, owner * BEYOND)

    now = _now(last, time, settings)
    recent, gap = _recent(point, (now[owner[point]] - when) / DAY, n_points, settings.recent_days)
    age = (time - when) / DAY
    return PointStatistics(
        strength=np.bincount(point, weight * np.exp2(-age / settings.half_life_days), n_points).astype(
            np.float64
        ),  # of nothing, it counts in int
        persistence=periods / np.maximum(of_periods[owner], 1),
        periods=periods,
        of_periods=of_periods[owner],
        absent=absent,
        recency=np.exp2(-(time - point_last) / DAY / settings.half_life_days),
        span=(point_last - point_first) / np.maximum(last[owner] - first[owner], 1.0),
        recent=recent,
        gap=gap,
        quiet=np.maximum(now[owner] - point_last, 0) / DAY,
        events=np.bincount(point, minlength=n_points),
        first_seen=point_first,
        last_seen=point_last,
    )


BEYOND = np.int64(1 << 24)
"""More periods than any history has: user · BEYOND + period is one sortable key."""


def _now(last: np.ndarray, time: float, settings: TierSettings) -> np.ndarray:
    """The time (n_users,) from which "lately" counts back: T, or a user's latest event where that is long ago."""
    return np.where(time - last <= settings.recent_days * DAY, time, last)


def _recent(point: np.ndarray, ago: np.ndarray, n_points: int, recent_days: float) -> tuple[np.ndarray, np.ndarray]:
    """Recent events of each point (P,), and the mean gap in days between the recent days it occurred on (P,).

    `point` and `ago` (n,): the point of each event and how many days before its owner's now it lies.
    """
    there = ago <= recent_days
    point, day = point[there], np.maximum(ago[there], 0).astype(np.int64)
    days = np.unique(point * BEYOND + day)
    ends = np.searchsorted(days, np.arange(n_points + 1) * BEYOND)
    n_days = np.diff(ends)
    several = n_days > 1
    extent = np.zeros(n_points)
    extent[several] = days[ends[1:][several] - 1] - days[ends[:-1][several]]
    return np.bincount(point, minlength=n_points), np.maximum(extent / np.maximum(n_days - 1, 1), 1.0)


def assign(statistics: PointStatistics, settings: TierSettings) -> np.ndarray:
    """Tier number (an index of TIERS) of each point, or FADED for what is neither persistent nor of now: (P,).

    Persistence needs a history: with fewer than `min_periods` active periods every point is momentary. A persistent
    point that would hardly have stayed away for so long if it were alive, with probability
    (1 − persistence) ^ absent < `doubt`, steps down a tier; beyond doubt² it has ended. A momentary point needs
    `momentary_events` recent events (one alone is as likely noise) and has ended once it is quiet for more than
    `over_after` of its own gaps.
    """
    s = statistics
    judged = s.of_periods >= settings.min_periods
    persistent = judged & (s.periods >= 2)
    staying_away = (1 - np.minimum(s.persistence, 0.99)) ** s.absent
    core = persistent & (s.persistence >= settings.core_persistence)
    stable = persistent & ~core & (s.persistence >= settings.stable_persistence)
    doubted, ended = staying_away < settings.doubt, staying_away < settings.doubt**2
    of_now = (s.recent >= settings.momentary_events) & (s.quiet <= settings.over_after * s.gap)
    momentary = ~judged | (~core & ~stable & of_now)
    return np.select([core & ~doubted, (stable & ~doubted) | (core & doubted & ~ended), momentary], [2, 1, 0], FADED)


def by_chance(
    history: History,
    points: InterestPoints,
    statistics: PointStatistics,
    tiers: np.ndarray,
    time: float,
    settings: TierSettings,
) -> np.ndarray:
    """Events (n,) bool that say nothing of what their user wants: noise, or what is merely popular.

    They are those of a momentary point before the recent days that made it momentary, and those of a faded point with
    fewer than `least_events`. A user with too short a history to tell keeps them all.
    """
    last = _first_and_last(history.times, history.users, history.n_users)[1]
    judged = statistics.of_periods >= settings.min_periods
    of_now = np.append(judged & (tiers == 0), [False])[points.of_event]
    before = _now(last, time, settings)[history.users] - history.times > settings.recent_days * DAY
    rare = np.append((tiers == FADED) & (statistics.events < settings.least_events), [False])[points.of_event]
    return np.asarray((of_now & before) | rare)


def reasons(settings: TierSettings) -> pl.Expr:
    """The numbers that caused each point's tier, in one sentence, as the column `because` of a profile table."""
    share = pl.format(
        "in {} of {} active {} ({}%)",
        "periods",
        "of_periods",
        pl.lit(period_name(settings)),
        (pl.col("persistence") * 100).round(0).cast(pl.Int64),
    )
    core, stable = (f"{value:.0%}" for value in (settings.core_persistence, settings.stable_persistence))
    away = pl.format("away for the last {}", "absent")
    was_core = pl.col("persistence") >= settings.core_persistence
    short = pl.col("of_periods") < settings.min_periods
    sentence = (
        pl.when(pl.col("stated"))
        .then(pl.format("stated in the profile text; {}", share))
        .when(pl.col("tier") == "core")
        .then(pl.format("{}, core from {}", share, pl.lit(core)))
        .when((pl.col("tier") == "stable") & was_core)
        .then(pl.format("{} but {}: no longer core", share, away))
        .when(pl.col("tier") == "stable")
        .then(pl.format("{}, stable from {}", share, pl.lit(stable)))
        .when(short)
        .then(pl.format("{}: too short a history to be more than momentary", share))
        .otherwise(pl.format("{}, {} events lately, last {} days ago", share, "recent", pl.col("quiet").round(0)))
    )
    return sentence.alias("because")


def period_name(settings: TierSettings) -> str:
    """What people call the periods that are counted."""
    return "weeks" if settings.period_days == 7 else f"{settings.period_days:g}-day periods"


def _first_and_last(times: np.ndarray, groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Earliest and latest time of each group (n_groups,); groups without events get 0."""
    first, last = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(first, groups, times)
    np.maximum.at(last, groups, times)
    absent = np.isinf(first)
    return np.where(absent, 0.0, first), np.where(absent, 0.0, last)
