"""An item index with more vectors, or others, than FAISS holds: these few are scanned, and the results merged."""

from pathlib import Path
from typing import Self

import numpy as np

from strata._kernels.selection import NOTHING, top_k
from strata.embeddings.index import ItemIndex, _products
from strata.errors import ReleaseError


class WidenedIndex(ItemIndex):
    """The index `plain` with the unit `vectors` (m, d) of item `rows` (m,), each of them once.

    A row that `plain` has counts by its vector here. The FAISS index is shared: nothing is built or copied, whatever
    its kind. An exact search scans m vectors more, so m should stay small beside the index.
    """

    def __init__(self, plain: ItemIndex, rows: np.ndarray, vectors: np.ndarray, n_items: int) -> None:
        super().__init__(plain.index)
        self.plain, self.rows, self.more, self.n_items = plain, rows, np.ascontiguousarray(vectors, np.float32), n_items
        self._place = np.full(n_items, NOTHING)
        self._place[rows] = np.arange(len(rows))
        self._others = self._place[: len(plain)] != NOTHING

    @classmethod
    def of(cls, index: ItemIndex, rows: np.ndarray, vectors: np.ndarray, n_items: int) -> Self:
        """An index, widened already or not, with these vectors. Raises ReleaseError where one is not finite."""
        if not np.isfinite(vectors).all():
            raise ReleaseError("vectors of new items are not finite; encode them again with precision fp32")
        if not isinstance(index, WidenedIndex):
            return cls(index, rows, vectors, n_items)
        kept = ~np.isin(index.rows, rows)
        rows = np.concatenate([index.rows[kept], rows])
        return cls(index.plain, rows, np.concatenate([index.more[kept], vectors]), n_items)

    def __len__(self) -> int:
        return self.n_items

    def cosines(self, vectors: np.ndarray) -> np.ndarray | None:
        """As in ItemIndex."""
        old = self.plain.cosines(vectors)
        if old is None:
            return None
        found = np.empty((len(vectors), self.n_items), np.float32)
        found[:, : old.shape[1]] = old
        found[:, self.rows] = _products(np.asarray(vectors, np.float32), self.more)
        return found

    def search(self, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """As in ItemIndex."""
        k, vectors = min(k, self.n_items), np.ascontiguousarray(vectors, np.float32)
        old = None if allowed is None and not self._others.any() else ~self._others
        if allowed is not None and old is not None:
            old &= allowed[: len(old)]
        rows, cosines = self.plain.search(vectors, k, old)
        more = _products(vectors, self.more)
        if allowed is not None:
            more[:, ~allowed[self.rows]] = -np.inf
        every = np.concatenate([rows, np.broadcast_to(self.rows, more.shape)], axis=1)
        best, found = top_k(np.concatenate([np.where(rows == NOTHING, -np.inf, cosines), more], axis=1), k)
        return np.where(best == NOTHING, NOTHING, np.take_along_axis(every, best, axis=1)), found

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """As in ItemIndex."""
        rows = np.asarray(rows, np.int64)
        place = self._place[rows]
        found = np.empty((len(rows), self.dimension), np.float32)
        found[place == NOTHING] = self.plain.vectors(rows[place == NOTHING])
        found[place != NOTHING] = self.more[place[place != NOTHING]]
        return found

    def write(self, path: Path) -> None:
        """Raises ReleaseError: a release is made by the pipeline."""
        raise ReleaseError(f"{path}: an index with items that came since its release is not written")
