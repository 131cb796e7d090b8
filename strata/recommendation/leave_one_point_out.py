"""What a score would lose without each interest point."""

from dataclasses import replace

import numpy as np

from strata.ranking.candidates import Table
from strata.ranking.generators import NearestToInterests
from strata.ranking.lambdamart import LambdaMart
from strata.ranking.query import Audience, select_users
from strata.ranking.two_stage import Models, Ranker


def without_each_point(
    table: Table, signals: np.ndarray, audience: Audience, models: Models, ranker: Ranker
) -> np.ndarray:
    """How much each row of the only user's `table` would lose of its score without each liked point: (P, len(table)).

    The other points keep their weights, and the generators what they found. Users who lack one point each are scored
    at once. `signals` (len(table), F): of the rows.
    """
    n_points, n_rows = len(audience.facts.tiers), len(table)
    if not n_points or not n_rows:
        return np.zeros((n_points, n_rows))
    column = next(i for i, each in enumerate(models.generators) if isinstance(each, NearestToInterests))
    added, copies = table.added(n_points), n_points + 1
    raw, features = (np.tile(part, (copies, 1)) for part in (table.raw, table.features))
    lost = np.append(added, np.zeros((1, n_rows), np.float32), axis=0).ravel()
    scale = _scale(table.raw[:, column], table.features[:, column])
    raw[:, column] -= lost
    features[:, column] = np.maximum(features[:, column] - scale * lost, 0)
    many = Table(np.repeat(np.arange(copies), n_rows), np.tile(table.items, copies), raw, features, table.generators)
    if isinstance(ranker, LambdaMart):
        others = np.tile(signals, (copies, 1))
        scores = ranker.scores(models.signals.of_points(others, many, _lacking_each(audience, n_points)))
    else:
        scores = ranker.scores(many)
    scores = scores.reshape(copies, n_rows)
    return np.asarray(scores[-1] - scores[:-1])


def _lacking_each(audience: Audience, n_points: int) -> Audience:
    """As many copies of the only user as there are points, each without one of them, and then the user."""
    copies = n_points + 1
    kept = np.ones((copies, len(audience.owners)), bool)
    kept[np.arange(n_points), np.arange(n_points)] = False
    liked, others = kept[:, :n_points], kept[:, n_points:]
    owner, point = np.nonzero(liked)
    owner_of_other, other = np.nonzero(others)
    chosen = np.append(point, other + n_points)
    return replace(
        audience,
        history=select_users(audience.history, [0] * copies),
        points=audience.points[chosen],
        owners=np.append(owner, owner_of_other),
        weights=audience.weights[chosen],
        facts=audience.facts.take(point),
        times=np.repeat(audience.times, copies),
        cosines=None,  # they are asked about a few items
    )


def _scale(raw: np.ndarray, features: np.ndarray) -> float:
    """How much a generator's feature grows with its score, among the rows it proposed."""
    there = features > 0
    if there.sum() < 2 or np.ptp(raw[there]) <= 0:
        return 1.0
    return float(np.ptp(features[there]) / np.ptp(raw[there]))
