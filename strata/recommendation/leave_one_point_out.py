"""How far each score falls when one interest point is left out."""

from dataclasses import replace

import numpy as np

from strata._kernels.selection import NOTHING
from strata.ranking.candidates import Table
from strata.ranking.query import QueryBatch, select_users
from strata.ranking.ranker import Ranker
from strata.ranking.two_stage import Models


def cited_points(lost: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The point (n,) that speaks for each of n items, and whether the item's score would fall without it: (n,) bool.

    It is the point without which the score falls most or, where it falls without none, the nearest; NOTHING for users
    without points. `lost` (P, n): as `without_each_point` gives; `cosines` (n, P): of the points to the items.
    """
    if not len(lost):
        return np.full(len(cosines), NOTHING), np.zeros(len(cosines), bool)
    moved = np.asarray((lost > 0).any(0))
    return np.where(moved, lost.argmax(0), cosines.argmax(1)), moved


def without_each_point(
    whole: Table, rows: np.ndarray, features: np.ndarray, batch: QueryBatch, models: Models, ranker: Ranker
) -> np.ndarray:
    """How far the score of some `rows` (n,) of a single user's table falls without each liked point: (P, n).

    The other points keep their weights, and generators are not run again. All copies of the user, each without one
    point, are scored at once. `whole`: the table of all candidates; `features` (n, F): of the rows.
    """
    n_points, n_rows, table = len(batch.facts.tiers), len(rows), whole.only(rows)
    if not n_points or not n_rows:
        return np.zeros((n_points, n_rows))
    column = table.found_by
    added, copies = table.added(n_points), n_points + 1
    raw, scaled = (np.tile(part, (copies, 1)) for part in (table.raw, table.scaled))
    lost = np.append(added, np.zeros((1, n_rows), np.float32), axis=0).ravel()
    scale = _scale(whole.raw[whole.proposed, column], whole.scaled[whole.proposed, column])
    raw[:, column] -= lost
    scaled[:, column] = np.maximum(scaled[:, column] - scale * lost, np.minimum(scaled[:, column], 0))
    users, items = np.repeat(np.arange(copies), n_rows), np.tile(table.items, copies)
    many = Table(users, items, raw, scaled, table.generators, np.tile(table.proposed, copies))
    lacking = _lacking_each(batch, n_points)
    scores = ranker.scores(many, lambda: models.features.of_points(np.tile(features, (copies, 1)), many, lacking))
    scores = scores.reshape(copies, n_rows)
    return np.asarray(scores[-1] - scores[:-1])


def _lacking_each(batch: QueryBatch, n_points: int) -> QueryBatch:
    """Batch of one copy of the single user without each point in turn, and last the user with all points."""
    copies = n_points + 1
    kept = np.ones((copies, len(batch.owners)), bool)
    kept[np.arange(n_points), np.arange(n_points)] = False
    liked, others = kept[:, :n_points], kept[:, n_points:]
    owner, point = np.nonzero(liked)
    owner_of_other, other = np.nonzero(others)
    chosen = np.append(point, other + n_points)
    return replace(
        batch,
        history=select_users(batch.history, [0] * copies),
        points=batch.points[chosen],
        owners=np.append(owner, owner_of_other),
        weights=batch.weights[chosen],
        facts=batch.facts.take(point),
        times=np.repeat(batch.times, copies),
        cosines=None,  # only a few items need them
    )


def _scale(raw: np.ndarray, scaled: np.ndarray) -> float:
    """Slope of a generator's scaled score over its raw score, among the rows it proposed."""
    there = scaled > 0
    if there.sum() < 2 or np.ptp(raw[there]) <= 0:
        return 1.0
    return float(np.ptp(scaled[there]) / np.ptp(raw[there]))
