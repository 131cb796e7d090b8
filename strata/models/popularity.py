"""Recent popularity: the simplest recommender, and the fallback of all others."""

import numpy as np

from strata.data.history import DAY, History


def popularity(history: History, time: float, window_days: float | None = None) -> np.ndarray:
    """Distinct users per item in the last `window_days` before `time`, or ever: float32 (n_items,).

    Items outside the window follow in the order of their whole-history counts, scaled below one user.
    """
    history = history.choices
    ever = _users_per_item(history.before(time))
    if window_days is None:
        return ever
    recent = _users_per_item(history.between(time - window_days * DAY, time))
    return recent + ever / (ever.max() + 1 if len(ever) else 1)


def _users_per_item(history: History) -> np.ndarray:
    return np.bincount(history.matrix().indices, minlength=history.n_items).astype(np.float32)
