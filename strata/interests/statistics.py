"""The numbers behind a tier: strength, persistence, recency and span of interest points."""

from dataclasses import dataclass

import numpy as np

from strata.data.history import DAY, History
from strata.interests.points import InterestPoints
from strata.interests.settings import TierSettings


@dataclass(frozen=True)
class PointStatistics:
    """The numbers behind a tier, one entry per point (P,).

    strength: Σ weight · 2^(−age / half-life) over the point's events, age in days before T.
    persistence: share of the user's active periods in which the point occurs, `periods` of `of_periods`.
    absent: the user's active periods since it last occurred.
    recency: 2^(−age of the latest event / half-life). span: share of the user's lifetime it covers.
    recent: its events in the last `recent_days`. gap: mean days between the recent days on which it occurred, at
    least 1. quiet: days since its latest event. recent, gap and quiet count back from T or, for a user without events
    in the last `recent_days`, from their latest event.
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
    active = np.unique(history.users * BEYOND + period)  # each user's latest period first
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
        ),  # without events, bincount gives integers
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
    """Time (n_users,) from which recent days count back: T, or the user's latest event if that is before them."""
    return np.where(time - last <= settings.recent_days * DAY, time, last)


def _recent(point: np.ndarray, ago: np.ndarray, n_points: int, recent_days: float) -> tuple[np.ndarray, np.ndarray]:
    """Recent events of each point (P,), and the mean gap in days between the recent days it occurred on (P,).

    `point` and `ago` (n,): point of each event, and its age in days before its owner's `_now`.
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


def _first_and_last(times: np.ndarray, groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Earliest and latest time of each group (n_groups,); groups without events get 0."""
    first, last = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(first, groups, times)
    np.maximum.at(last, groups, times)
    absent = np.isinf(first)
    return np.where(absent, 0.0, first), np.where(absent, 0.0, last)
