"""Items that go together in people's histories, follow each other there, or were chosen by people who chose alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol, Self

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from strata.history import DAY, History
from strata.model_files import csr_arrays, csr_of, half_life_array, half_life_of
from strata.selection import top_k
from strata.settings import Settings
from strata.sparse_products import Rows, dense_product, sums_of_rows, top_products


class CollaborativeSettings(Settings):
    """How much is tried, and up to what size."""

    trials: int = 8
    """Settings tried for each model on the window before the cut-off: the same number for all."""
    seed: int = 7
    ease_max_items: int = 5_000
    """EASE inverts an items × items matrix; of a larger catalogue it takes the items that most users chose."""
    neighbours: int = 100
    """Other items kept for each item."""
    users: int = 1_000
    """Users, at most, on whom settings are tried."""


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
    """Users × chosen items: 1, or 2^(−choices since / half_life) where a half-life (in choices) is given.

    Counting events, not days, keeps the order of a single long session, which calendars lose.
    """
    history = history.choices
    if half_life is None:
        return history.matrix()
    ages = history.age_in_events()
    halved = np.exp2(-np.arange(int(ages.max(initial=0)) + 1) / half_life).astype(np.float32)
    return history.matrix(halved[ages])


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
        """Closed form: B = I − P / diag(P) with P = (XᵀX + penalty·I)⁻¹, over the `most` items most users chose."""
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
        """What `of_arrays` reads."""
        n_items = np.array([self.n_items])
        half_life = half_life_array(self.half_life)
        return {"weights": self.weights, "items": self.items, "n_items": n_items, "half_life": half_life}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Back from `arrays`."""
        return cls(content["weights"], content["items"], int(content["n_items"][0]), half_life_of(content))

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) speaks for `item`: (m,)."""
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


@dataclass(frozen=True)
class ItemNeighbours:
    """Cosine between items' users, the nearest of each item kept: `weights` CSR (n_items, n_items)."""

    weights: sparse.csr_matrix
    half_life: float | None

    @classmethod
    def fit(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float = 10) -> Self:
        """Cosine with shrinkage, so that pairs seen a few times do not look identical."""
        return cls(_cosines(history, neighbours, shrink), half_life)

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items)."""
        return dense_product(histories, self.weights)

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) speaks for `item`: (m,)."""
        return np.asarray(self.weights[chosen][:, [item]].todense()).ravel()

    def arrays(self) -> dict[str, np.ndarray]:
        """What `of_arrays` reads."""
        return {**csr_arrays(self.weights), "half_life": half_life_array(self.half_life)}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Back from `arrays`."""
        return cls(csr_of(content), half_life_of(content))

    @classmethod
    def following(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float = 10) -> Self:
        """Sequential rules: how often an item comes after another, weighted 1 / distance up to FAR events apart.

        A row is scaled by the item's total with shrinkage: what follows a rare item is not yet known.
        """
        history = history.choices
        n, before, after, near = history.n_items, [], [], []
        for distance in range(1, min(FAR, len(history) - 1) + 1):
            same = history.users[:-distance] == history.users[distance:]
            before.append(history.items[:-distance][same])
            after.append(history.items[distance:][same])
            near.append(np.full(same.sum(), 1 / distance, np.float32))
        pairs = (np.concatenate([*before, []]).astype(np.int64), np.concatenate([*after, []]).astype(np.int64))
        follows = sparse.csr_matrix((np.concatenate([*near, []]), pairs), (n, n))
        total = np.maximum(np.asarray(follows.sum(1)).ravel() + shrink, 1e-9)
        shares = sparse.diags(1 / total) @ follows
        identity = sparse.identity(n, np.float32, "csr")
        return cls(top_products(shares.tocsr(), identity, np.zeros(n), shrink=1.0, most=neighbours), half_life)


@lru_cache(maxsize=8)
def _cosines(history: History, neighbours: int, shrink: float) -> sparse.csr_matrix:
    """Kept, because half-lives are tried on the same cosines."""
    matrix = weigh(history, None)
    norms = np.sqrt(np.asarray(matrix.sum(0)).ravel())
    return top_products(matrix.T.tocsr(), matrix, norms, shrink=shrink, most=neighbours)


FAR = 10
"""Events between an item and what is said to follow it, at most."""


@dataclass(frozen=True)
class UserNeighbours:
    """People with much the same history, `neighbours` of them for each user: (n_users, n_items) CSR `histories`.

    Without a half-life a history says which items were chosen, and an item scores the summed similarity of the
    neighbours who chose it. With `half_life_days` it says how often lately, as log(1 + decayed count), similarity
    weighs rare items more, and an item scores the neighbours' mean by similarity: TIFU-KNN without the user's own
    part (Hu et al., SIGIR 2020). `rarity` (n_items,): what an item counts in similarity.
    """

    histories: sparse.csr_matrix
    rarity: np.ndarray
    neighbours: int
    half_life_days: float | None = None

    @classmethod
    def fit(cls, history: History, time: float, *, neighbours: int, half_life_days: float | None = None) -> Self:
        """Keep everybody's history as it is at `time`, in seconds."""
        if half_life_days is None:
            return cls(weigh(history, None), np.ones(history.n_items, np.float32), neighbours)
        histories = _counted(history, np.broadcast_to(time, history.n_users), half_life_days)
        users = np.bincount(histories.indices, minlength=history.n_items)
        rarity = np.log((1 + history.n_users) / (1 + users)).astype(np.float32)
        return cls(histories, np.maximum(rarity, LEAST_RARITY), neighbours, half_life_days)

    def seen(self, history: History, times: np.ndarray) -> sparse.csr_matrix:
        """The histories of B users as this model sees them at `times` (B,), in seconds: (B, n_items)."""
        if self.half_life_days is None:
            return weigh(history, None)
        return _counted(history, times, self.half_life_days)

    @cached_property
    def _by_item(self) -> sparse.csr_matrix:
        rows = self._unit_rows(self.histories)
        return sparse.csr_matrix((rows.data, rows.indices, rows.indptr), self.histories.shape).T.tocsr()

    def _unit_rows(self, histories: sparse.csr_matrix) -> Rows:
        """Histories with every item's rarity, each row of length 1."""
        data, lengths = histories.data * self.rarity[histories.indices], np.diff(histories.indptr)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        norms = np.sqrt(np.bincount(rows, data.astype(np.float64) ** 2, len(lengths)))
        return Rows(histories.indptr, histories.indices, (data / np.maximum(norms, 1e-12)[rows]).astype(np.float32))

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) float32 for what `seen` gives of B users."""
        similarity = dense_product(self._unit_rows(histories), self._by_item)
        similarity[similarity > 1 - 1e-6] = 0  # the very same history: the user
        if self.neighbours < similarity.shape[1]:
            least = top_k(similarity, self.neighbours)[1][:, -1:]
            similarity[similarity < least] = 0
        if self.half_life_days is not None:
            similarity /= np.maximum(similarity.sum(1, keepdims=True), 1e-9)
        user, neighbour = np.nonzero(similarity)
        indptr = np.searchsorted(user, np.arange(len(similarity) + 1))
        return dense_product(Rows(indptr, neighbour, similarity[user, neighbour]), self.histories)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `of_arrays` reads."""
        half_life = half_life_array(self.half_life_days)
        neighbours = np.array([self.neighbours])
        return {**csr_arrays(self.histories), "rarity": self.rarity, "neighbours": neighbours, "half_life": half_life}

    @classmethod
    def of_arrays(cls, content: Mapping[str, np.ndarray]) -> Self:
        """Back from `arrays`."""
        return cls(csr_of(content), content["rarity"], int(content["neighbours"][0]), half_life_of(content))


LEAST_RARITY = 0.1
"""What an item that everybody chose still counts in similarity."""


def _counted(history: History, times: np.ndarray, half_life_days: float) -> sparse.csr_matrix:
    """log(1 + how often, decayed) of each pair of user and chosen item at `times` (n_users,): users × items."""
    history = history.choices
    age = np.maximum(times[history.users] - history.times, 0) / DAY
    counts = history.matrix(np.exp2(-age / half_life_days), summed=True)
    counts.data = np.log1p(counts.data)
    return counts
