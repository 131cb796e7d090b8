"""Association rules: items that follow others in users' histories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.sparse_products import top_products
from strata.data.history import History
from strata.models.files import csr_arrays, csr_of, half_life_array, half_life_of


@dataclass(frozen=True)
class AssociationRules:
    """Sequential rules (Ludewig, Jannach, UMUAI 2018): how often an item follows another, each time 1 / events apart.

    `weights` CSR (n_items, n_items): of each item the strongest that follow it, divided by the item's total.
    """

    weights: sparse.csr_matrix
    half_life: float | None

    @classmethod
    def fit(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float, distance: int) -> Self:
        """Count pairs up to `distance` events apart; keep `neighbours` for each item.

        `shrink` is added to an item's total, so that rules of rare items weigh less.
        """
        history = history.choices
        n, before, after, near = history.n_items, [], [], []
        for apart in range(1, min(distance, len(history) - 1) + 1):
            same = history.users[:-apart] == history.users[apart:]
            before.append(history.items[:-apart][same])
            after.append(history.items[apart:][same])
            near.append(np.full(same.sum(), 1 / apart, np.float32))
        pairs = (np.concatenate([*before, []]).astype(np.int64), np.concatenate([*after, []]).astype(np.int64))
        follows = sparse.csr_matrix((np.concatenate([*near, []]), pairs), (n, n))
        total = np.maximum(np.asarray(follows.sum(1)).ravel() + shrink, 1e-9)
        shares = sparse.diags(1 / total) @ follows
        identity = sparse.identity(n, np.float32, "csr")
        return cls(top_products(shares.tocsr(), identity, np.zeros(n), shrink=1.0, most=neighbours), half_life)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items)."""
        return np.asarray((histories @ self.weights).toarray(), np.float32)

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) adds to the score of `item`: (m,)."""
        return np.asarray(self.weights[chosen][:, [item]].todense()).ravel()

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that `of_arrays` reads."""
        return {**csr_arrays(self.weights), "half_life": half_life_array(self.half_life)}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from `arrays`."""
        return cls(csr_of(content), half_life_of(content))
