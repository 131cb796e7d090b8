"""What people with much the same history chose."""
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
from strata.ranking.generators.item_models import FromHistory




@dataclass(frozen=True)
class FromPeers:
    """What people with much the same history chose."""

    model: UserNeighbours
    name: str = "peers"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(audience.choices):
            return Candidates.none()
        return Candidates.best(
            self.model.scores(self.model.seen(audience.history, audience.times)), audience, n, least=0.0
        )
