"""Changes scores towards the tiers that a request asks more of."""

from collections.abc import Mapping

import numpy as np

from strata.data.schema import TIERS
from strata.ranking.candidates import Table
from strata.ranking.features import Features
from strata.ranking.query import QueryBatch


def mix(
    table: Table,
    batch: QueryBatch,
    features: Features,
    scores: np.ndarray,
    tier_weights: Mapping[str, float] | None,
) -> np.ndarray:
    """What the requested tier weights add to the scores (n,) of a table: 0 without any.

    An item whose nearest point is of a tier gains ln(weight) standard deviations of its user's scores; weights below
    LEAST_WEIGHT count as LEAST_WEIGHT.
    """
    if not tier_weights:
        return np.zeros(len(table))
    log_weights = np.log([max(tier_weights.get(tier, 1.0), LEAST_WEIGHT) for tier in TIERS])
    rows = np.maximum(np.bincount(table.users, minlength=len(batch)), 1)
    means = np.bincount(table.users, scores, len(batch)) / rows
    squares = np.bincount(table.users, (scores - means[table.users]) ** 2, len(batch))
    deviation = np.maximum(np.sqrt(squares / rows), 1e-9)
    return np.asarray(np.append(log_weights, 0)[features.nearest_tiers(table, batch)] * deviation[table.users])


LEAST_WEIGHT = 1e-2
"""Weight at which a tier is practically excluded; its items still come if there is nothing else."""
