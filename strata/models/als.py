"""ALS: implicit matrix factorisation by alternating least squares."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from strata._kernels.compiled import compiled
from strata.data.history import History
from strata.models.files import half_life_array, half_life_of
from strata.models.item_model import weigh


@dataclass(frozen=True)
class Als:
    """Implicit-feedback factorisation (Hu, Koren, Volinsky, ICDM 2008) with f factors per item and user.

    `factors` (n_items, f) float32, 0 for items that nobody chose. A chosen item's confidence is 1 + `alpha` · weight,
    any other's 1. User factors are not kept but solved from a history, so any user can be scored.
    """

    factors: np.ndarray
    penalty: float
    alpha: float
    half_life: float | None

    @classmethod
    def fit(
        cls, history: History, *, factors: int, penalty: float, alpha: float, half_life: float | None,
        rounds: int, seed: int,
    ) -> Self:  # fmt: skip
        """Fit with `implicit`, the same for the same history and seed.

        Each of the `rounds` solves for user factors, then for item factors.
        """
        from implicit.cpu.als import AlternatingLeastSquares  # only the pipeline needs it

        confidence = weigh(history, half_life).astype(np.float32)
        confidence.data = 1 + alpha * confidence.data
        with threadpool_limits(1, "blas"):  # rows are shared among threads already
            model = AlternatingLeastSquares(
                factors=factors, regularization=penalty, iterations=rounds, random_state=seed
            )
            model.fit(confidence, show_progress=False)
        return cls(np.asarray(model.item_factors, np.float32), penalty, alpha, half_life)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) of weighted histories (B, n_items).

        One user at a time: a product for all at once would round differently than one for a single user.
        """
        scores = np.zeros((histories.shape[0], len(self.factors)), np.float32)
        rows = histories.indptr, histories.indices, np.asarray(histories.data, np.float32)
        compiled(_score)(*rows, self.factors, self._gram, np.float32(self.alpha), scores)
        return scores

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) adds to the score of `item`, if nothing else was chosen: (m,)."""
        vectors = self.factors[chosen]
        smoothed = np.linalg.solve(self._confided(vectors, np.full(len(vectors), self.alpha)), self.factors[item])
        return np.asarray((1 + self.alpha) * (vectors @ smoothed))

    def _confided(self, chosen: np.ndarray, extra: np.ndarray) -> np.ndarray:
        """Matrix of a user's normal equations: YᵀY + Yᵀ diag(extra) Y of the chosen + penalty · I."""
        return np.asarray(self._gram + (chosen.T * extra) @ chosen)

    @cached_property
    def _gram(self) -> np.ndarray:
        penalty = self.penalty * np.eye(self.factors.shape[1], dtype=np.float32)
        return np.asarray(self.factors.T @ self.factors + penalty)

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that `of_arrays` reads."""
        numbers = np.array([self.penalty, self.alpha])
        return {"factors": self.factors, "numbers": numbers, "half_life": half_life_array(self.half_life)}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from `arrays`."""
        penalty, alpha = content["numbers"].tolist()
        return cls(content["factors"], penalty, alpha, half_life_of(content))


def _score(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray,
    factors: np.ndarray, gram: np.ndarray, alpha: float,
    scores: np.ndarray,
) -> None:  # fmt: skip
    """Fill each row of `scores`, with user factors solved from its history."""
    for user in range(len(scores)):
        mine = slice(indptr[user], indptr[user + 1])
        if mine.start < mine.stop:
            chosen = factors[indices[mine]]
            extra = (alpha * data[mine]).reshape(-1, 1)
            asked = gram + chosen.T @ (extra * chosen)
            scores[user] = factors @ np.linalg.solve(asked, (chosen + extra * chosen).sum(0))
