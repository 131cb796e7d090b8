"""Which rows of a catalogue change by items that come or come again, and what their texts say."""

from dataclasses import dataclass
from itertools import count
from typing import Self

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import ITEM, ITEMS
from strata.embeddings.index import ItemIndex


@dataclass(frozen=True)
class Change:
    """Items (m) that are new or other than before: their table ITEMS, item `rows` (m,) and unit `texts` (m, t).

    New ones have the rows from `n_before` on, in the order given. `read` (m,) bool: those whose text is another than
    before. `n_items`: of the catalogue with them.
    """

    items: pl.DataFrame
    rows: np.ndarray
    texts: np.ndarray
    read: np.ndarray
    n_before: int
    n_items: int

    @classmethod
    def of(cls, items: pl.DataFrame, texts: np.ndarray, catalogue: Catalogue, index: ItemIndex) -> Self:
        """What is new of some items, each there once, to a catalogue and an `index` of its texts."""
        items, n_before = items.match_to_schema(ITEMS), len(catalogue)
        texts = np.asarray(texts, np.float32).reshape(items.height, index.dimension)
        new = count(n_before)
        ids = items[ITEM].to_list()
        rows = np.array([catalogue.row(id) if id in catalogue else next(new) for id in ids], np.int64)
        read, other = np.ones(len(rows), bool), np.ones(len(rows), bool)
        there = np.flatnonzero(rows < n_before)
        if len(there):
            read[there] = (index.vectors(rows[there]) != texts[there]).any(1)
            before = catalogue.items[rows[there]].match_to_schema(ITEMS).rows()
            other[there] = read[there] | [old != now for old, now in zip(before, items[there].rows(), strict=True)]
        return cls(items.filter(other), rows[other], texts[other], read[other], n_before, next(new))

    def __len__(self) -> int:
        return len(self.rows)

    def filled(self, before: np.ndarray, now: np.ndarray) -> np.ndarray:
        """A copy of an array (n_before, …) with the values `now` (m, …) of the changed rows: (n_items, …)."""
        found = np.empty((self.n_items, *before.shape[1:]), before.dtype)
        found[: self.n_before] = before
        found[self.rows] = now
        return found
