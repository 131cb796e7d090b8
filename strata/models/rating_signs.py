"""What speaks for a higher or lower rating of an item by a person, each in the stars that it alone would add."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
from scipy import sparse

from strata.data.history import DAY
from strata.data.ratings import Ratings
from strata.models.rating_factors import RatingFactors

SIGNS: Final = (
    "user bias", "item bias", "factors", "item lately", "item by text", "items alike", "classes", "group",
    "item in group", "classes in group",
)  # fmt: skip
LATELY: Final = 30 * DAY
FEW: Final = 5.0
"""Ratings of no deviation added to what is known of one item or one person."""
FEW_OF_GROUP: Final = 50.0
"""The same for groups of users."""
SHARP: Final = 4
"""Power of the cosine by which items alike count."""
RIDGE: Final = 20.0


@dataclass(frozen=True)
class ItemFacts:
    """What is known of items but their ratings: unit vectors of texts (n_items, d), classes (n_items, C) CSR of 1."""

    vectors: np.ndarray
    classes: sparse.csr_matrix


@dataclass(frozen=True)
class RatingSigns:
    """All that ratings up to a time tell: `given` (n_users, n_items) CSR holds them.

    `lately`, `by_text` (n_items,): what an item adds, by its ratings of the last month, and as its text lets expect.
    `groups` (n_users, G) CSR: what users state of themselves, a column for each statement. `of_group` (G,), `in_group`
    (G, n_items), `classes_in_group` (G, C): what members of a group add, to any item, to one, to items of a class.
    """

    factors: RatingFactors
    given: sparse.csr_matrix
    items: ItemFacts
    lately: np.ndarray
    by_text: np.ndarray
    groups: sparse.csr_matrix
    of_group: np.ndarray
    in_group: sparse.csr_matrix
    classes_in_group: np.ndarray

    @classmethod
    def of(
        cls, ratings: Ratings, time: float, factors: RatingFactors, items: ItemFacts, groups: sparse.csr_matrix
    ) -> Self:
        """Of ratings before `time` (seconds)."""
        shape = (ratings.n_users, ratings.n_items)
        given = sparse.csr_matrix((ratings.values, (ratings.users, ratings.items)), shape=shape)
        biases, _ = factors.of_persons(given)
        by_item = ratings.values - factors.mean - factors.of_items[ratings.items]
        by_user = ratings.values - factors.mean - biases[ratings.users]
        rest = by_item - biases[ratings.users]
        new = ratings.times > time - LATELY
        lately = _mean(ratings.items[new], by_user[new], ratings.n_items, FEW)
        members = groups[ratings.users].T.tocsr()  # (G, n)
        of_group = (members @ by_item) / (np.asarray(members.sum(1)).ravel() + FEW_OF_GROUP)
        to_items = sparse.csr_matrix((np.ones(len(ratings)), (np.arange(len(ratings)), ratings.items)),
                                     shape=(len(ratings), ratings.n_items))  # fmt: skip
        of_pairs = sparse.csr_matrix((rest, to_items.indices, to_items.indptr), shape=to_items.shape)
        sums, counts = members @ of_pairs, members @ to_items
        divisor = counts.copy()
        divisor.data = 1 / (counts.data + FEW)
        in_group = sparse.csr_matrix(sums.multiply(divisor))
        by_class = (sums @ items.classes).toarray() / ((counts @ items.classes).toarray() + FEW_OF_GROUP)
        by_text = _expected(ratings, by_user, items)
        return cls(factors, given, items, lately, by_text, groups, np.asarray(of_group), in_group, by_class)

    def table(
        self, persons: sparse.csr_matrix, groups: sparse.csr_matrix, of: np.ndarray, items: np.ndarray
    ) -> np.ndarray:
        """Signs (n, len(SIGNS)) of pairs of a person, row `of` (n,) of `persons`, and an item `items` (n,).

        `persons` (B, n_items): their ratings; `groups` (B, G): what they state.
        """
        biases, p = self.factors.of_persons(persons)
        rest = persons.copy()
        of_row = np.repeat(np.arange(len(biases)), np.diff(persons.indptr))
        rest.data = persons.data - self.factors.mean - self.factors.of_items[persons.indices] - biases[of_row]
        there = sparse.csr_matrix((np.ones(len(rest.data)), rest.indices, rest.indptr), shape=rest.shape)
        own = (rest @ self.items.classes).toarray() / ((there @ self.items.classes).toarray() + FEW)
        share = _by_row(groups)
        return np.stack([
            biases[of],
            self.factors.of_items[items],
            (p[of] * self.factors.q[items]).sum(1),
            self.lately[items],
            self.by_text[items],
            self._alike(rest, of, items),
            (own[of] * self._shares[items]).sum(1),
            (share @ self.of_group)[of],
            _at(share @ self.in_group, of, items),
            ((share @ self.classes_in_group)[of] * self._shares[items]).sum(1),
        ], axis=1)  # fmt: skip

    @cached_property
    def _shares(self) -> np.ndarray:
        """Each item's classes as shares of 1: (n_items, C)."""
        return np.asarray(_by_row(self.items.classes).toarray())

    def _alike(self, rest: sparse.csr_matrix, of: np.ndarray, items: np.ndarray) -> np.ndarray:
        """What a person's ratings of items with similar texts were beyond expectation: (n,)."""
        found = np.zeros(len(items))
        order = np.argsort(of, kind="stable")
        bounds = np.searchsorted(of[order], np.arange(rest.shape[0] + 1))
        for person, (start, stop) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            mine = slice(rest.indptr[person], rest.indptr[person + 1])
            if start < stop and mine.start < mine.stop:
                rows, rated = order[start:stop], rest.indices[mine]
                near = np.maximum(self.items.vectors[items[rows]] @ self.items.vectors[rated].T, 0) ** SHARP
                near[items[rows][:, None] == rated] = 0  # an item is not like itself
                found[rows] = near @ rest.data[mine] / (near.sum(1) + 1)
        return found


def _mean(rows: np.ndarray, values: np.ndarray, n: int, few: float) -> np.ndarray:
    return np.asarray(np.bincount(rows, values, minlength=n) / (np.bincount(rows, minlength=n) + few))


def _by_row(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows that sum to 1, or hold nothing."""
    sums = np.asarray(matrix.sum(1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(sums, 1)) @ matrix)


def _at(matrix: sparse.csr_matrix, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.asarray(matrix[rows, columns]).ravel() if len(rows) else np.zeros(0)


def _expected(ratings: Ratings, left: np.ndarray, items: ItemFacts) -> np.ndarray:
    """What an item adds by its text and classes (n_items,): ridge regression over the items that are rated."""
    counts = np.bincount(ratings.items, minlength=ratings.n_items)
    rated = np.flatnonzero(counts)
    facts = np.hstack([3 * items.vectors, items.classes.toarray(), np.ones((ratings.n_items, 1))])
    means = np.bincount(ratings.items, left, minlength=ratings.n_items)[rated] / counts[rated]
    weights, known = counts[rated] / (counts[rated] + FEW), facts[rated]
    gram = known.T @ (known * weights[:, None]) + RIDGE * np.eye(known.shape[1])
    return np.asarray(facts @ np.linalg.solve(gram, known.T @ (weights * means)))
