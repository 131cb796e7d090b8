"""A person's candidates with their scores, on the way to a list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from strata.ranking.candidates import Table
from strata.ranking.query import QueryBatch
from strata.ranking.ranker import Ranker
from strata.recommendation.tier_mix import in_order


@dataclass(frozen=True)
class Scored:
    """A single user's candidates with their scores (n,) and weights (n,) by tier; `features()` gives theirs (n, F)."""

    table: Table
    batch: QueryBatch
    ranker: Ranker
    features: Callable[[], np.ndarray]
    scores: np.ndarray
    weights: np.ndarray

    def in_order(self, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Items (1, m) of the rows in `part` (n,) bool, best first; the i-th has the i-th best score (1, m)."""
        rows = np.flatnonzero(part)
        order = rows[in_order(self.scores[rows], self.weights[rows])]
        return self.table.items[order][None], np.sort(self.scores[rows].astype(float))[::-1][None]


class ManyLists(NamedTuple):
    """Item rows (B, k), best first, NOTHING pads, and their scores; whose list needs further candidates: (B,) bool."""

    items: np.ndarray
    scores: np.ndarray
    short: np.ndarray


def by_words_alone(batch: QueryBatch) -> np.ndarray:
    """Users with interest points but no history, (B,) bool: the weighted sum ranks for them: trees need a history."""
    liked = batch.owners[: len(batch.facts.tiers)]
    return np.asarray(np.isin(np.arange(len(batch)), liked) & (np.diff(batch.choices.offsets) == 0))
