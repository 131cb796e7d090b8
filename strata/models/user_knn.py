"""User-kNN: items chosen by users with similar histories."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.selection import top_k
from strata._kernels.sparse_products import CsrParts, dense_product
from strata.data.history import DAY, History
from strata.models.files import csr_arrays, csr_of, half_life_array, half_life_of
from strata.models.item_model import weigh


@dataclass(frozen=True)
class UserKnn:
    """The `neighbours` users with the most similar histories: CSR `histories` (n_users, n_items).

    Without a half-life histories are binary, and an item scores the summed similarity of the neighbours who chose it.
    With `half_life_days` they hold log(1 + decayed count), similarity weighs rare items more, and an item scores the
    neighbours' mean by similarity: TIFU-KNN without the user's own part (Hu et al., SIGIR 2020). `rarity` (n_items,):
    an item's weight in similarity.
    """

    histories: sparse.csr_matrix
    rarity: np.ndarray
    neighbours: int
    half_life_days: float | None = None

    @classmethod
    def fit(
        cls, history: History, time: float, *, neighbours: int, half_life_days: float | None, least_rarity: float
    ) -> Self:
        """Store all histories as of `time`, in seconds.

        With a half-life, `least_rarity` is the smallest weight of an item in similarity.
        """
        if half_life_days is None:
            return cls(weigh(history, None), np.ones(history.n_items, np.float32), neighbours)
        histories = _counted(history, np.broadcast_to(time, history.n_users), half_life_days)
        users = np.bincount(histories.indices, minlength=history.n_items)
        rarity = np.log((1 + history.n_users) / (1 + users)).astype(np.float32)
        return cls(histories, np.maximum(rarity, least_rarity), neighbours, half_life_days)

    def seen(self, history: History, times: np.ndarray) -> sparse.csr_matrix:
        """The histories of B users as this model sees them at `times` (B,), in seconds: (B, n_items)."""
        if self.half_life_days is None:
            return weigh(history, None)
        return _counted(history, times, self.half_life_days)

    @cached_property
    def _by_item(self) -> sparse.csr_matrix:
        rows = self._unit_rows(self.histories)
        return sparse.csr_matrix((rows.data, rows.indices, rows.indptr), self.histories.shape).T.tocsr()

    def _unit_rows(self, histories: sparse.csr_matrix) -> CsrParts:
        """Histories weighted by rarity, each row scaled to length 1."""
        data, lengths = histories.data * self.rarity[histories.indices], np.diff(histories.indptr)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        norms = np.sqrt(np.bincount(rows, data.astype(np.float64) ** 2, len(lengths)))
        return CsrParts(histories.indptr, histories.indices, (data / np.maximum(norms, 1e-12)[rows]).astype(np.float32))

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) float32 for histories that `seen` returned."""
        similarity = dense_product(self._unit_rows(histories), self._by_item)
        similarity[similarity > 1 - 1e-6] = 0  # identical history: the user itself
        if self.neighbours < similarity.shape[1]:
            least = top_k(similarity, self.neighbours)[1][:, -1:]
            similarity[similarity < least] = 0
        if self.half_life_days is not None:
            similarity /= np.maximum(similarity.sum(1, keepdims=True), 1e-9)
        user, neighbour = np.nonzero(similarity)
        indptr = np.searchsorted(user, np.arange(len(similarity) + 1))
        return dense_product(CsrParts(indptr, neighbour, similarity[user, neighbour]), self.histories)

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that `of_arrays` reads."""
        half_life = half_life_array(self.half_life_days)
        neighbours = np.array([self.neighbours])
        return {**csr_arrays(self.histories), "rarity": self.rarity, "neighbours": neighbours, "half_life": half_life}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Rebuild from `arrays`."""
        return cls(csr_of(content), content["rarity"], int(content["neighbours"][0]), half_life_of(content))


def _counted(history: History, times: np.ndarray, half_life_days: float) -> sparse.csr_matrix:
    """log(1 + decayed count) of each user and chosen item at `times` (n_users,): users × items."""
    history = history.choices
    age = np.maximum(times[history.users] - history.times, 0) / DAY
    counts = history.matrix(np.exp2(-age / half_life_days), summed=True)
    counts.data = np.log1p(counts.data)
    return counts
