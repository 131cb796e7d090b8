"""Items that go with a user's history, by an item model: EASE, item-kNN, association rules, ALS."""

from dataclasses import dataclass

import numpy as np

from strata.models.item_model import ScoresItems, weigh
from strata.ranking.candidates import Candidates
from strata.ranking.query import QueryBatch


@dataclass(frozen=True)
class FromHistory:
    """Items that an item model (EASE, item-kNN, association rules, ALS) scores for the user's weighted history."""

    model: ScoresItems
    name: str
    credited = ()

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(batch.choices):
            return Candidates.none()
        scores = self.model.scores(weigh(batch.history, self.model.half_life))
        return Candidates.best(scores, batch, n, least=0.0)

    def led_by(self, item: int, batch: QueryBatch) -> np.ndarray:
        """Liked history items to which the model relates `item`, the strongest first."""
        chosen = np.unique(batch.history.items[batch.history.weights > 0])
        strength = self.model.between(chosen, item)
        best = np.lexsort((chosen, -strength))
        return np.asarray(chosen[best[strength[best] > 0]])

    def says(self, led_by: str) -> str:
        """Says what the item goes with."""
        return f"goes with {led_by}" if led_by else ""
