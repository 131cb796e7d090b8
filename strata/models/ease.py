"""EASE: item scores from a closed-form regression on the other items of a history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from strata._kernels.sparse_products import sums_of_rows
from strata.data.history import History
from strata.models.files import half_life_array, half_life_of
from strata.models.item_model import weigh


@dataclass(frozen=True)
class Ease:
    """Embarrassingly shallow autoencoder (Steck, arXiv 1905.03375) over m of n_items items.

    `weights` (m, m) with zero diagonal; `items` (m,): their rows, ascending. Other items score 0.
    """

    weights: np.ndarray
    items: np.ndarray
    n_items: int
    half_life: float | None

    @classmethod
    def fit(cls, history: History, *, penalty: float, half_life: float | None, most: int | None = None) -> Self:
        """Closed form: B = I − P / diag(P) with P = (XᵀX + penalty·I)⁻¹, over the `most` items with the most users."""
        matrix = weigh(history, half_life)
        items = np.arange(history.n_items)
        if most is not None and most < len(items):
            users = np.bincount(matrix.indices, minlength=len(items))
            items = np.sort(np.argsort(-users, kind="stable")[:most])
            matrix = matrix[:, items]
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += penalty
        inverse = _inverse(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0)
        return cls(weights.astype(np.float32), items, history.n_items, half_life)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items)."""
        if len(self.items) == self.n_items:
            return sums_of_rows(histories, self.weights)
        scores = np.zeros((histories.shape[0], self.n_items), np.float32)
        scores[:, self.items] = sums_of_rows(histories[:, self.items], self.weights)
        return scores

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that `of_arrays` reads."""
        n_items = np.array([self.n_items])
        half_life = half_life_array(self.half_life)
        return {"weights": self.weights, "items": self.items, "n_items": n_items, "half_life": half_life}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from `arrays`."""
        return cls(content["weights"], content["items"], int(content["n_items"][0]), half_life_of(content))

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) adds to the score of `item`: (m,)."""
        place = np.minimum(np.searchsorted(self.items, np.append(chosen, item)), len(self.items) - 1)
        known = self.items[place] == np.append(chosen, item)
        return np.asarray(np.where(known[:-1] & known[-1], self.weights[place[:-1], place[-1]], 0.0))


def _inverse(gram: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric positive definite matrix, by Cholesky: half the work of the general one."""
    factor, failed = lapack.dpotrf(gram, lower=True, overwrite_a=True)
    inverse, failed_too = lapack.dpotri(factor, lower=True, overwrite_c=True)
    if failed or failed_too:
        raise np.linalg.LinAlgError("the Gram matrix is not positive definite; raise the penalty")
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)
