"""Groups of tagged items split into a half that names them and one whose tag the name should find."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.schema import TAGS

FEWEST = 4
"""Tagged items, at least, of a group that is judged: two that name it, two to find."""


@dataclass(frozen=True)
class Tags:
    """The tags of items: `names` (n_tags,), sorted, and `of_item`, a CSR matrix (n_items, n_tags) of ones."""

    names: list[str]
    of_item: sparse.csr_matrix

    @classmethod
    def of(cls, items: pl.DataFrame) -> "Tags":
        """Read the tags of an items table; an item has each of its tags once."""
        given = items[TAGS].list.unique(maintain_order=True).fill_null([])
        rows = np.repeat(np.arange(len(given)), given.list.len().to_numpy())
        flat = given.list.explode().drop_nulls().to_list()
        names = sorted(set(flat))
        number = {name: place for place, name in enumerate(names)}
        places = (rows, np.array([number[name] for name in flat], np.int64))
        matrix = sparse.csr_matrix((np.ones(len(flat), np.float32), places), shape=(len(given), len(names)))
        return cls(names, matrix)

    @property
    def tagged(self) -> np.ndarray:
        """Whether each item has a tag: (n_items,) bool."""
        return np.diff(self.of_item.indptr) > 0

    def most(self, groups: Sequence[np.ndarray]) -> np.ndarray:
        """Which tags are the most frequent among the items of each group, ties all of them: (G, n_tags) bool.

        A group without tags has none.
        """
        counts = self.of_item.T @ membership(groups, self.of_item.shape[0]).T
        dense = np.asarray(counts.T.todense())
        return (dense > 0) & (dense == dense.max(1, keepdims=True, initial=0))


def membership(groups: Sequence[np.ndarray], n_items: int) -> sparse.csr_matrix:
    """Which items are in each group, as often as they are given: (G, n_items)."""
    numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    items = np.concatenate([np.zeros(0, np.int64), *groups])
    return sparse.csr_matrix((np.ones(len(items), np.float32), (numbers, items)), shape=(len(groups), n_items))


def judged(of_item: np.ndarray, tagged: np.ndarray) -> list[np.ndarray]:
    """The tagged items of each group that has FEWEST of them, by group number; `of_item` (n_items,): their groups."""
    parts = [np.flatnonzero((of_item == group) & tagged) for group in range(int(of_item.max(initial=-1)) + 1)]
    return [part for part in parts if len(part) >= FEWEST]


def halves(groups: Sequence[np.ndarray], seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A random half of each group, the smaller one if they differ, and the other."""
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(group) for group in groups]
    return [each[: len(each) // 2] for each in drawn], [each[len(each) // 2 :] for each in drawn]


def found(names: np.ndarray, tags: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the tag (n_tags, d) nearest to each name (G, d) is one of its `truth` (G, n_tags) bool: (G,)."""
    return np.asarray(truth[np.arange(len(names)), (names @ tags.T).argmax(1)])
