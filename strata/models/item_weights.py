"""Item models that are a sparse matrix of weights between items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.sparse_products import dense_product
from strata.models.files import csr_arrays, csr_of, half_life_array, half_life_of


@dataclass(frozen=True)
class ItemWeights:
    """An item scores the sum of the `weights`, CSR (n_items, n_items), of a history's items to it."""

    weights: sparse.csr_matrix
    half_life: float | None

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items)."""
        return dense_product(histories, self.weights)

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) adds to the score of `item`: (m,)."""
        return np.asarray(self.weights[chosen][:, [item]].todense()).ravel()

    def arrays(self) -> dict[str, np.ndarray]:
        """What `of_arrays` reads."""
        return {**csr_arrays(self.weights), "half_life": half_life_array(self.half_life)}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Back from `arrays`."""
        return cls(csr_of(content), half_life_of(content))
