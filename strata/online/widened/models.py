"""Models of behaviour for more items than they learned of: what came since has no part in them."""

from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np
from scipy import sparse

from strata.data.history import History
from strata.models.item_model import ScoresItems
from strata.ranking.generators.user_knn import Neighbours

Scorer = TypeVar("Scorer", ScoresItems, Neighbours)


@dataclass(frozen=True)
class _Widened(Generic[Scorer]):
    """`plain` learned of the first n of `n_items` items: others score 0, and say nothing in a history."""

    plain: Scorer
    n: int
    n_items: int

    @classmethod
    def of(cls, model: Scorer, n_before: int, n_items: int) -> Self:
        """A model, widened already or not, that scores `n_before` items."""
        return cls(model.plain, model.n, n_items) if isinstance(model, cls) else cls(model, n_before, n_items)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) of histories (B, n_items)."""
        found = np.zeros((histories.shape[0], self.n_items), np.float32)
        found[:, : self.n] = self.plain.scores(histories[:, : self.n])
        return found


@dataclass(frozen=True)
class WidenedModel(_Widened[ScoresItems]):
    """An item model of more items than it learned of."""

    @property
    def half_life(self) -> float | None:
        """As in ScoresItems."""
        return self.plain.half_life

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """As in ScoresItems."""
        found = np.zeros(len(chosen))
        if item < self.n:
            known = chosen < self.n
            found[known] = self.plain.between(chosen[known], item)
        return found


@dataclass(frozen=True)
class WidenedNeighbours(_Widened[Neighbours]):
    """User-kNN of more items than its users have chosen from."""

    def seen(self, history: History, times: np.ndarray) -> sparse.csr_matrix:
        """As in Neighbours."""
        return self.plain.seen(history, times)
