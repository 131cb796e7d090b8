"""Biased matrix factorisation: a rating is the mean, what the user and the item add to it, and what they share."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import sparse

from strata.data.ratings import Ratings

ROUNDS: Final = 10
"""How often biases, and then factors, are solved for in turn."""
SPREAD: Final = 0.1
"""Standard deviation of the factors at the start."""


@dataclass(frozen=True)
class RatingFactors:
    """Biased matrix factorisation (Koren, Bell, Volinsky, Computer 2009), solved by alternating least squares.

    r̂ = mean + user bias + item bias + p · q. `of_items` (n_items,): their biases, 0 for items nobody rated. `q`
    (n_items, f). What a user adds is solved from their ratings, so that anybody with ratings can be scored.
    """

    mean: float
    of_items: np.ndarray
    q: np.ndarray
    shrink: float
    penalty: float

    @classmethod
    def fit(cls, ratings: Ratings, *, factors: int, shrink: float, penalty: float, seed: int) -> Self:
        """Fit to all ratings; `shrink`: ratings of no deviation added to each bias; `penalty`: L2 of the factors."""
        mean = float(ratings.values.mean())
        left = ratings.values - mean
        of_users, of_items = np.zeros(ratings.n_users), np.zeros(ratings.n_items)
        for _ in range(ROUNDS):
            of_items = _means(ratings.items, left - of_users[ratings.users], ratings.n_items, shrink)
            of_users = _means(ratings.users, left - of_items[ratings.items], ratings.n_users, shrink)
        rest = left - of_users[ratings.users] - of_items[ratings.items]
        by_user = sparse.csr_matrix((rest, (ratings.users, ratings.items)), shape=(ratings.n_users, ratings.n_items))
        by_item = by_user.T.tocsr()
        q = np.random.default_rng(seed).normal(0, SPREAD, (ratings.n_items, factors))
        for _ in range(ROUNDS):
            q = _solved(by_item, _solved(by_user, q, penalty), penalty)
        return cls(mean, of_items, q, shrink, penalty)

    def of_persons(self, given: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Biases (B,) and factors (B, f) of persons by their ratings (B, n_items): values where they rated."""
        counts = np.diff(given.indptr)
        of_row = np.repeat(np.arange(given.shape[0]), counts)
        left = given.data - self.mean - self.of_items[given.indices]
        biases = _means(of_row, left, given.shape[0], self.shrink)
        rest = sparse.csr_matrix((left - biases[of_row], given.indices, given.indptr), shape=given.shape)
        return biases, _solved(rest, self.q, self.penalty)


def _means(rows: np.ndarray, values: np.ndarray, n: int, shrink: float) -> np.ndarray:
    """Mean of the values of each row, drawn to 0: (n,)."""
    return np.asarray(np.bincount(rows, values, minlength=n) / (np.bincount(rows, minlength=n) + max(shrink, 1e-9)))


def _solved(rest: sparse.csr_matrix, other: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge solutions (B, f) of rest (B, m) ≈ x · other (m, f)ᵀ over the entries that are there."""
    f = other.shape[1]
    there = sparse.csr_matrix((np.ones(len(rest.data)), rest.indices, rest.indptr), shape=rest.shape)
    products = (other[:, :, None] * other[:, None, :]).reshape(len(other), f * f)
    grams = (there @ products).reshape(-1, f, f) + penalty * np.eye(f)
    return np.asarray(np.linalg.solve(grams, (rest @ other)[:, :, None])[:, :, 0])
