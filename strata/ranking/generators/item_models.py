"""Items that go with a user's history, by an item model: EASE, item-kNN, association rules, ALS."""
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
import numpy as np
from scipy import sparse
from strata._kernels.compiled import compiled
from strata._kernels.selection import NOTHING, best_of_groups, largest
from strata.data.history import DAY
from strata.embeddings.index import ItemIndex
from strata.models.fitted import Behaviour
from strata.models.item_model import ItemModel, weigh
from strata.models.user_knn import UserNeighbours
from strata.ranking.candidates import Candidates, Found, Generator
from strata.ranking.query import Audience




@dataclass(frozen=True)
class FromHistory:
    """Items that an item model (EASE, neighbours, transitions) finds going with the user's weighted history."""

    model: ItemModel
    name: str

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(audience.choices):
            return Candidates.none()
        scores = self.model.scores(weigh(audience.history, self.model.half_life))
        return Candidates.best(scores, audience, n, least=0.0)
