"""Periods of time, the same ones whenever one looks, and the first and last time of groups of events."""

from typing import Final

import numpy as np

from strata.data.history import DAY, History
from strata.interests.settings import TierSettings

MONDAY: Final = 3 * DAY
"""1970 began on a Thursday; weeks begin on Mondays."""


def period_of(times: np.ndarray, settings: TierSettings) -> np.ndarray:
    """Number of the period in which each time (n,) in seconds lies: int64 (n,)."""
    return np.floor((times + MONDAY) / (settings.period_days * DAY)).astype(np.int64)


def active_periods(history: History, settings: TierSettings) -> np.ndarray:
    """How many different periods each user did anything in: (n_users,)."""
    pairs = np.unique(np.stack([history.users.astype(np.int64), period_of(history.times, settings)]), axis=1)
    return np.bincount(pairs[0], minlength=history.n_users)


def first_and_last(times: np.ndarray, groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Earliest and latest time of each group (n_groups,); groups without events get 0."""
    first, last = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(first, groups, times)
    np.maximum.at(last, groups, times)
    absent = np.isinf(first)
    return np.where(absent, 0.0, first), np.where(absent, 0.0, last)
