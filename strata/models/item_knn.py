"""Item-kNN: items chosen by the same users."""

from functools import lru_cache
from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.sparse_products import top_products
from strata.data.history import History
from strata.models.item_model import weigh
from strata.models.item_weights import ItemWeights


class ItemKnn(ItemWeights):
    """Cosine between items' users, the nearest of each item kept: `weights` CSR (n_items, n_items)."""

    @classmethod
    def fit(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float = 10) -> Self:
        """Cosine with shrinkage, so that pairs seen a few times do not look identical."""
        return cls(_cosines(history, neighbours, shrink), half_life)


@lru_cache(maxsize=8)
def _cosines(history: History, neighbours: int, shrink: float) -> sparse.csr_matrix:
    """Cached, because half-lives are tried on the same cosines."""
    matrix = weigh(history, None)
    norms = np.sqrt(np.asarray(matrix.sum(0)).ravel())
    return top_products(matrix.T.tocsr(), matrix, norms, shrink=shrink, most=neighbours)
