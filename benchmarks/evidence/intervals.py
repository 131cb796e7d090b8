"""Intervals of figures that are made of sums over users: shares, F1 scores, means and their differences."""

from collections.abc import Callable

import numpy as np

from strata.evaluation.metrics import Interval

SAMPLES, SEED = 2_000, 7


def pooled(per_user: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> Interval:
    """The figure over all users with a 95 % percentile bootstrap interval; users are what is drawn.

    `per_user` (n, k): what each user adds. `statistic` turns sums (…, k) into figures (…).
    """
    n = len(per_user)
    draws = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=SAMPLES)
    low, high = np.quantile(statistic(draws @ per_user), [0.025, 0.975])
    return Interval(float(statistic(per_user.sum(0))), float(low), float(high))


def share(sums: np.ndarray) -> np.ndarray:
    """The first of two columns (…, 2) by the second; 0 where that is 0, as there are no cases."""
    return np.divide(sums[..., 0], sums[..., 1], out=np.zeros(sums.shape[:-1]), where=sums[..., 1] > 0)
