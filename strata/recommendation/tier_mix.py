"""Lists with so many times as many places of a tier: items advance by the weight of the tier their reason cites."""

from collections import deque
from collections.abc import Mapping

import numpy as np

from strata._kernels.selection import NOTHING
from strata.data.schema import TIERS


def weights_of(cited: np.ndarray, tiers: np.ndarray, tier_weights: Mapping[str, float]) -> np.ndarray:
    """The weight of each item (n,): that of the tier of the point its reason cites; 1 for users without points.

    `cited` (n,): the point that each reason cites, NOTHING for none; `tiers` (P,): index in TIERS of each point. Tiers
    that are not named weigh 1, those below LEAST_WEIGHT weigh LEAST_WEIGHT.
    """
    of_tier = np.array([max(tier_weights.get(tier, 1.0), LEAST_WEIGHT) for tier in TIERS])
    return np.where(cited == NOTHING, 1.0, np.append(of_tier[tiers], 1.0)[cited])


def in_order(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Positions of n items, best first: an item at place r by score is due at place r / weight.

    Each place goes to the item of the greatest weight that is due or, where none is, of the greatest weight at all; of
    those to the best score, then to the earlier item. So a tier of weight w has w times as many of the first places, as
    far as there are so many, and items of one weight keep their order. `scores`, `weights` (n,). Weights that are all
    the same change nothing.
    """
    by_score = np.argsort(-scores, kind="stable")
    if len(weights) and (weights == weights[0]).all():  # as in nearly every request
        return np.asarray(by_score)
    of_place, order = weights[by_score], []
    waiting = [(weight, deque(np.flatnonzero(of_place == weight).tolist())) for weight in np.unique(weights)[::-1]]
    for place in range(1, len(scores) + 1):
        waiting = [(weight, left) for weight, left in waiting if left]
        due = (left for weight, left in waiting if left[0] + 1 <= weight * place)
        order.append(next(due, waiting[0][1]).popleft())
    return np.asarray(by_score[np.array(order, np.int64)])


LEAST_WEIGHT = 1e-2
"""Weight at which a tier is practically excluded; its items still come if there is nothing else."""
