"""More of some tiers: what a wish for a mix of tiers adds to scores."""

from collections.abc import Mapping

import numpy as np

from strata.data.schema import TIERS
from strata.ranking.candidates import Table
from strata.ranking.features import Signals
from strata.ranking.query import Audience


def mix(
    table: Table,
    audience: Audience,
    signals: Signals,
    scores: np.ndarray,
    tier_weights: Mapping[str, float] | None,
) -> np.ndarray:
    """What a wish for more of some tiers adds to the scores (n,) of a table: 0 without one.

    An item nearest to a point of a tier gains ln(weight) standard deviations of its user's scores; LEAST_WISH bounds
    it.
    """
    if not tier_weights:
        return np.zeros(len(table))
    wished = np.log([max(tier_weights.get(tier, 1.0), LEAST_WISH) for tier in TIERS])
    rows = np.maximum(np.bincount(table.users, minlength=len(audience)), 1)
    means = np.bincount(table.users, scores, len(audience)) / rows
    squares = np.bincount(table.users, (scores - means[table.users]) ** 2, len(audience))
    deviation = np.maximum(np.sqrt(squares / rows), 1e-9)
    return np.asarray(np.append(wished, 0)[signals.nearest_tiers(table, audience)] * deviation[table.users])


LEAST_WISH = 1e-2
"""Weight at which a tier is as good as unwanted; its items still come when there is nothing else."""
