"""Items chosen by users with a similar history (user-kNN)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from strata.data.history import History
from strata.ranking.candidates import ByNothing, Candidates
from strata.ranking.query import QueryBatch


class Neighbours(Protocol):
    """Scores items by users with a similar history: see `UserKnn`."""

    def seen(self, history: History, times: np.ndarray) -> sparse.csr_matrix:
        """The histories of B users at `times` (B,), in seconds: (B, n_items)."""
        ...

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) for histories that `seen` returned."""
        ...


@dataclass(frozen=True)
class FromUserKnn(ByNothing):
    """Items chosen by users with a similar history."""

    model: Neighbours
    name: str = "user-knn"
    credited = ()

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says who chose it."""
        return "chosen by people with a history like yours"

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(batch.choices):
            return Candidates.none()
        return Candidates.best(self.model.scores(self.model.seen(batch.history, batch.times)), batch, n, least=0.0)
