"""The numbers behind a tier: strength, persistence, recency and span of interest points.

Time goes by in the owner's own steps: periods are the same ones whenever one looks, and what is lately is counted back
from the owner's latest event. So a point changes by what its owner does; time alone lets its strength fade. Where times
are made, nothing fades: which event came last is chance there.
"""

from dataclasses import dataclass

import numpy as np

from strata.data.history import DAY, History
from strata.interests.periods import first_and_last, period_of
from strata.interests.points import InterestPoints
from strata.interests.settings import TierSettings


@dataclass(frozen=True)
class PointStatistics:
    """The numbers behind a tier, one entry per point (P,).

    strength: Σ weight · 2^(−age / half-life) over the point's events, age in days before T. fresh: the same as of the
    user's latest event, for shares: time alone changes no share, and strength is too small to divide in the end.
    persistence: share of the user's active periods in which the point occurs, `periods` of `of_periods`.
    absent: the user's active periods since it last occurred.
    standing: how it has lasted (see `_standing`): 2 like a core point, 1 like a stable one, 0 neither.
    recency: 2^(−age of the latest event / half-life). span: share of the user's lifetime it covers.
    recent: its events in the last `recent_days` up to the user's latest event. gap: mean days between the recent days
    on which it occurred, at least 1. items: different ones. quiet: days from its latest event to the user's latest.
    """

    strength: np.ndarray
    fresh: np.ndarray
    persistence: np.ndarray
    periods: np.ndarray
    of_periods: np.ndarray
    absent: np.ndarray
    standing: np.ndarray
    recency: np.ndarray
    span: np.ndarray
    recent: np.ndarray
    gap: np.ndarray
    quiet: np.ndarray
    events: np.ndarray
    items: np.ndarray
    first_seen: np.ndarray
    last_seen: np.ndarray


def measure(history: History, points: InterestPoints, time: float, settings: TierSettings) -> PointStatistics:
    """Measure all points at `time` (seconds, later than every event) in one vectorised pass.

    Only periods in which the user did anything count.
    """
    first, last = first_and_last(history.times, history.users, history.n_users)
    started = period_of(history.times, settings)
    period = started.max(initial=0) - started
    active = np.unique(history.users * BEYOND + period)  # each user's latest period first
    of_periods = np.bincount(active // BEYOND, minlength=history.n_users)

    owner, n_points, member = points.users, len(points.users), points.of_event >= 0
    point, when, weight = points.of_event[member], history.times[member], history.weights[member]
    point_first, point_last = first_and_last(when, point, n_points)
    touched = np.unique(point * BEYOND + period[member])
    periods = np.bincount(touched // BEYOND, minlength=n_points)
    latest = touched[np.searchsorted(touched, np.arange(n_points) * BEYOND)] % BEYOND
    absent = np.searchsorted(active, owner * BEYOND + latest) - np.searchsorted(active, owner * BEYOND)

    from_last = np.searchsorted(active, owner[touched // BEYOND] * BEYOND + touched % BEYOND)
    from_last -= np.searchsorted(active, owner[touched // BEYOND] * BEYOND)
    standing = _standing(touched // BEYOND, from_last, of_periods[owner], periods, settings)

    pairs = np.unique(point * np.int64(history.n_items) + history.items[member])
    before_last = (last[owner[point]] - when) / DAY
    recent, gap = _recent(point, before_last, n_points, settings.recent_days)
    half_life = settings.half_life_days if settings.timed else np.inf
    faded = weight * np.exp2(-before_last / half_life)
    fresh = np.bincount(point, faded, n_points).astype(np.float64)  # without events, bincount gives integers
    since = (time - last[owner]) / DAY
    return PointStatistics(
        strength=fresh * np.exp2(-since / half_life),
        fresh=fresh,
        persistence=periods / np.maximum(of_periods[owner], 1),
        periods=periods,
        of_periods=of_periods[owner],
        absent=absent,
        standing=standing,
        recency=np.exp2(-(time - point_last) / DAY / half_life),
        span=(point_last - point_first) / np.maximum(last[owner] - first[owner], 1.0),
        recent=recent,
        gap=gap,
        quiet=np.maximum(last[owner] - point_last, 0) / DAY,
        events=np.bincount(point, minlength=n_points),
        items=np.bincount(pairs // history.n_items, minlength=n_points),
        first_seen=point_first,
        last_seen=point_last,
    )


BEYOND = np.int64(1 << 24)
"""More periods than any history has: user · BEYOND + period is one sortable key."""


def _standing(
    point: np.ndarray, from_last: np.ndarray, of_periods: np.ndarray, periods: np.ndarray, settings: TierSettings
) -> np.ndarray:
    """How each point has lasted, as a state that needs a margin to be lost: (P,).

    It lasts like a core point once its persistence reached `core_persistence`, until it has fallen `margin` below;
    like a stable one in the same way. `point`, `from_last` (m,): point of each period in which it occurs, latest
    first, and how many active periods of its owner came since; `of_periods`, `periods` (P,).
    """
    n_points = len(periods)
    place = of_periods[point] - from_last  # 1 is the owner's first active period
    before = np.arange(len(point)) - np.searchsorted(point, point)
    count = periods[point] - before  # periods with the point, up to this one
    until = np.where(before > 0, np.roll(place, 1) - 1, of_periods[point])  # it does not occur again before
    judged_from = np.maximum(place, settings.min_periods)
    judged = judged_from <= until
    highest, lowest = count / judged_from, count / np.maximum(until, 1)
    standing = np.zeros(n_points, np.int64)
    for threshold in (settings.stable_persistence, settings.core_persistence):
        entered = np.full(n_points, len(point) + 1)
        left = np.full(n_points, len(point) + 1)
        np.minimum.at(entered, point[judged & (highest >= threshold)], before[judged & (highest >= threshold)])
        lost = judged & (lowest < threshold * (1 - settings.margin))
        np.minimum.at(left, point[lost], before[lost])
        standing += (entered < left) & (entered <= len(point))  # the latest period has the smallest number
    return standing


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
