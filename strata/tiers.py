"""Points to tiers: what a user touches now, comes back to, or has always been about, and the numbers that say so."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from strata.history import DAY, History
from strata.interests import InterestPoints
from strata.settings import Settings

Tier = Literal["momentary", "stable", "core"]
TIERS: Final[tuple[str, ...]] = get_args(Tier)
FADED = -1
WEEK, MONTH = 7 * DAY, 30.4375 * DAY


class TierSettings(Settings):
    """How points are cut and when they count as momentary, stable or core."""

    cut: float = 1.7
    max_items: int = 500
    half_life_days: float = 30
    month_from_days: float = 183
    min_periods: int = 4
    core_persistence: float = 0.5
    stable_persistence: float = 0.2
    momentary_periods: int = 1
    evidence: int = 3


@dataclass(frozen=True)
class PointStatistics:
    """The numbers behind a tier, one entry per point (P,).

    strength: Σ weight · 2^(−age / half-life) over the point's events, age in days before T.
    persistence: share of the user's active periods in which the point occurs, `periods` of `of_periods`.
    recency: 2^(−age of the latest event / half-life). span: share of the user's lifetime it covers.
    now: touched in the user's latest active periods. by_month: periods are months, else weeks.
    """

    strength: np.ndarray
    persistence: np.ndarray
    periods: np.ndarray
    of_periods: np.ndarray
    recency: np.ndarray
    span: np.ndarray
    now: np.ndarray
    by_month: np.ndarray
    events: np.ndarray
    first_seen: np.ndarray
    last_seen: np.ndarray


def measure(history: History, points: InterestPoints, time: float, settings: TierSettings) -> PointStatistics:
    """Measure all points at `time` (seconds, later than every event) in one vectorised pass.

    Periods are counted backwards from `time`: months for users whose history is at least
    `month_from_days` long, weeks for the others. A user's latest active periods are "now" even if that was
    long ago: what someone wanted at the last visit is the best guess of what they want at the next.
    """
    first, last = _first_and_last(history.times, history.users, history.n_users)
    by_month = (last - first) >= settings.month_from_days * DAY
    length = np.where(by_month, MONTH, WEEK)
    period = ((time - history.times) // length[history.users]).astype(np.int64)

    active = np.unique(np.stack([history.users.astype(np.int64), period]), axis=1)  # sorted: latest period first
    of_periods = np.bincount(active[0], minlength=history.n_users)
    starts = np.cumsum(of_periods) - of_periods
    nth = np.minimum(settings.momentary_periods, np.maximum(of_periods, 1)) - 1
    now_until = np.zeros(history.n_users, np.int64)
    users = np.flatnonzero(of_periods)
    now_until[users] = active[1][starts[users] + nth[users]]

    member = points.of_event >= 0
    point, when, weight = points.of_event[member], history.times[member], history.weights[member]
    n_points = len(points.users)
    age = (time - when) / DAY
    point_first, point_last = _first_and_last(when, point, n_points)
    touched = np.unique(np.stack([point, period[member]]), axis=1)
    periods = np.bincount(touched[0], minlength=n_points)
    latest_period = np.full(n_points, np.iinfo(np.int64).max)
    np.minimum.at(latest_period, touched[0], touched[1])
    owner = points.users
    lifetime = np.maximum(last[owner] - first[owner], 1.0)
    return PointStatistics(
        strength=np.bincount(point, weight * np.exp2(-age / settings.half_life_days), n_points),
        persistence=periods / np.maximum(of_periods[owner], 1),
        periods=periods,
        of_periods=of_periods[owner],
        recency=np.exp2(-(time - point_last) / DAY / settings.half_life_days),
        span=(point_last - point_first) / lifetime,
        now=latest_period <= now_until[owner],
        by_month=by_month[owner],
        events=np.bincount(point, minlength=n_points),
        first_seen=point_first,
        last_seen=point_last,
    )


def assign(statistics: PointStatistics, settings: TierSettings) -> np.ndarray:
    """Tier number (an index of TIERS) of each point, or FADED for what is neither persistent nor of now: (P,).

    Persistence needs a history: with fewer than `min_periods` active periods every point is momentary.
    """
    judged = statistics.of_periods >= settings.min_periods
    persistent = judged & (statistics.periods >= 2)
    core = persistent & (statistics.persistence >= settings.core_persistence)
    stable = persistent & ~core & (statistics.persistence >= settings.stable_persistence)
    momentary = ~core & ~stable & (statistics.now | ~judged)
    return np.select([core, stable, momentary], [2, 1, 0], FADED)


def because(row: dict[str, object], settings: TierSettings) -> str:
    """The numbers that caused a point's tier, in one sentence; `row` is a row of the profile table."""
    unit = row["period_unit"]
    share = f"in {row['periods']} of {row['of_periods']} active {unit}s ({row['persistence']:.0%})"
    if row["tier"] == "core":
        return f"{share}, core from {settings.core_persistence:.0%}"
    if row["tier"] == "stable":
        return f"{share}, stable from {settings.stable_persistence:.0%}"
    if int(str(row["of_periods"])) < settings.min_periods:
        return f"only {row['of_periods']} active {unit}(s): too short a history to be more than momentary"
    return f"{share}, below {settings.stable_persistence:.0%}, touched in the latest active {unit}"


def summarise(profiles: pl.DataFrame, n_faded: int) -> dict[str, object]:
    """Counts for metrics: users, points, mean points per user, share of each tier."""
    users = profiles["user_row"].n_unique()
    tiers = profiles["tier"].value_counts()
    counts = dict(zip(tiers["tier"].to_list(), tiers["count"].to_list(), strict=True))
    return {
        "users": users,
        "points": profiles.height,
        "points_per_user": round(profiles.height / max(users, 1), 3),
        **{tier: counts.get(tier, 0) for tier in TIERS},
        "faded": n_faded,
    }


def _first_and_last(times: np.ndarray, groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Earliest and latest time of each group (n_groups,); groups without events get 0."""
    first, last = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(first, groups, times)
    np.maximum.at(last, groups, times)
    absent = np.isinf(first)
    return np.where(absent, 0.0, first), np.where(absent, 0.0, last)
