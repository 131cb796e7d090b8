"""Items that go together in people's histories: EASE and item neighbours over recency-weighted histories."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from strata.history import History
from strata.settings import Settings
from strata.storage import replacing


class CollaborativeSettings(Settings):
    """How much is tried, and up to what size."""

    trials: int = 8
    """Settings tried for each model on the window before the cut-off: the same number for all."""
    seed: int = 7
    ease_max_items: int = 5_000
    """EASE inverts an items × items matrix; larger catalogues are served by item neighbours alone."""
    neighbours: int = 100


class ItemModel(Protocol):
    """Scores items from weighted histories."""

    @property
    def half_life(self) -> float | None:
        """How fast events of a history lose weight, in later events; None: never."""
        ...

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) float32 for histories (B, n_items)."""
        ...

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) speaks for `item`: (m,)."""
        ...


def weigh(history: History, half_life: float | None) -> sparse.csr_matrix:
    """Users × items: 1, or 2^(−events since / half_life) where a half-life (in events) is given.

    Counting events, not days, keeps the order of a single long session, which calendars lose.
    """
    if half_life is None:
        return history.matrix()
    return history.matrix(np.exp2(-history.age_in_events() / half_life).astype(np.float32))


@dataclass(frozen=True)
class Ease:
    """Embarrassingly shallow autoencoder (Steck, arXiv 1905.03375): `weights` (n_items, n_items), zero diagonal."""

    weights: np.ndarray
    half_life: float | None

    @classmethod
    def fit(cls, history: History, *, penalty: float, half_life: float | None) -> Self:
        """Closed form: B = I − P / diag(P) with P = (XᵀX + penalty·I)⁻¹."""
        matrix = weigh(history, half_life)
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += penalty
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0)
        return cls(weights.astype(np.float32), half_life)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items)."""
        return np.asarray(histories @ self.weights, np.float32)

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) speaks for `item`: (m,)."""
        return np.asarray(self.weights[chosen, item])


@dataclass(frozen=True)
class ItemNeighbours:
    """Cosine between items' users, the nearest of each item kept: `weights` CSR (n_items, n_items)."""

    weights: sparse.csr_matrix
    half_life: float | None

    @classmethod
    def fit(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float = 10) -> Self:
        """Cosine with shrinkage, so that pairs seen a few times do not look identical."""
        matrix = history.matrix().tocsc()
        norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(0)).ravel())
        blocks = []
        for start in range(0, history.n_items, 2_000):  # bounded memory: a block of items at a time
            block = slice(start, min(start + 2_000, history.n_items))
            together = (matrix[:, block].T @ matrix).tocoo()
            cosine = together.data / (norms[block][together.row] * norms[together.col] + shrink)
            other = together.row + start != together.col
            blocks.append(_nearest(together.row[other], together.col[other], cosine[other], together.shape, neighbours))
        return cls(sparse.vstack(blocks).tocsr().astype(np.float32), half_life)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items)."""
        return np.asarray((histories @ self.weights).todense(), np.float32)

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) speaks for `item`: (m,)."""
        return np.asarray(self.weights[chosen][:, [item]].todense()).ravel()


def _nearest(
    rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int], most: int
) -> sparse.csr_matrix:
    """The `most` largest values of each row, ties by column."""
    order = np.lexsort((columns, -values, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < most
    return sparse.csr_matrix((values[kept], (rows[kept], columns[kept])), shape=shape)


def save_model(model: Ease | ItemNeighbours, path: Path) -> None:
    """Write as safetensors."""
    half_life = np.array([np.inf if model.half_life is None else model.half_life])
    if isinstance(model, Ease):
        content = {"weights": model.weights, "half_life": half_life}
    else:
        weights = model.weights
        content = {"data": weights.data, "indices": weights.indices, "indptr": weights.indptr, "half_life": half_life}
    with replacing(path) as temporary:
        save_file(content, temporary)


def load_model(path: Path) -> Ease | ItemNeighbours:
    """Read what `save_model` wrote."""
    content = load_file(path)
    half_life = None if np.isinf(content["half_life"][0]) else float(content["half_life"][0])
    if "weights" in content:
        return Ease(content["weights"], half_life)
    n_items = len(content["indptr"]) - 1
    parts = (content["data"], content["indices"], content["indptr"])
    return ItemNeighbours(sparse.csr_matrix(parts, shape=(n_items, n_items)), half_life)
