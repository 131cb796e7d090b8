"""Item-kNN: items chosen by the same users."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.sparse_products import top_products
from strata.data.history import History
from strata.models.files import csr_arrays, csr_of, half_life_array, half_life_of
from strata.models.item_model import weigh


@dataclass(frozen=True)
class ItemKnn:
    """Cosine between items' users, the nearest of each item kept: `weights` CSR (n_items, n_items)."""

    weights: sparse.csr_matrix
    half_life: float | None

    @classmethod
    def fit(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float = 10) -> Self:
        """Cosine with shrinkage, so that pairs seen a few times do not look identical."""
        return cls(_cosines(history, neighbours, shrink), half_life)

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


@lru_cache(maxsize=8)
def _cosines(history: History, neighbours: int, shrink: float) -> sparse.csr_matrix:
    """Cached, because half-lives are tried on the same cosines."""
    matrix = weigh(history, None)
    norms = np.sqrt(np.asarray(matrix.sum(0)).ravel())
    return top_products(matrix.T.tocsr(), matrix, norms, shrink=shrink, most=neighbours)
