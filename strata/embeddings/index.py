"""Nearest items to a vector: a FAISS index whose kind follows the catalogue's size."""

from functools import cached_property
from pathlib import Path
from typing import Final

import faiss
import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from strata._kernels.selection import NOTHING, top_k
from strata.errors import ReleaseError
from strata.settings import Settings
from strata.storage import replacing


class IndexSettings(Settings):
    """Kind of index by size, and HNSW's parameters."""

    flat_up_to: NonNegativeInt = 20_000
    """Most vectors that are searched exactly; above, HNSW."""
    links: PositiveInt = 32
    """HNSW's M, links per vector and layer: more raise recall, memory and build time."""
    search_breadth: PositiveInt = 64
    """HNSW's efSearch, candidates kept during a search: more raise recall and time."""


MOST_ALLOWED = 0.9
"""Share of allowed items above which the HNSW graph is still connected enough to search."""
AT_ONCE: Final = 64
"""Vectors whose cosines to all items are held in memory together in an exact scan."""


class ItemIndex:
    """Inner-product search over unit vectors; positions are item rows."""

    def __init__(self, index: faiss.Index) -> None:
        """Wrap a FAISS index."""
        self.index = index

    @classmethod
    def build(cls, vectors: np.ndarray, settings: IndexSettings) -> "ItemIndex":
        """Index unit vectors (n, d). Raises ReleaseError where a vector is not finite: FAISS would accept it."""
        vectors = np.ascontiguousarray(vectors, np.float32)
        broken = np.flatnonzero(~np.isfinite(vectors).all(1))
        if len(broken):
            raise ReleaseError(
                f"{len(broken)} of {len(vectors)} item vectors are not finite (first: item row {broken[0]}); "
                "encode the items again with precision fp32"
            )
        dimension = vectors.shape[1]
        if len(vectors) <= settings.flat_up_to:
            index = faiss.IndexFlatIP(dimension)
        else:
            index = faiss.IndexHNSWFlat(dimension, settings.links, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efSearch = settings.search_breadth
        index.add(vectors)
        return cls(index)

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.index.d)

    def cosines(self, vectors: np.ndarray) -> np.ndarray | None:
        """Cosines (B, n_items) of vectors (B, d) to all items, or None for HNSW.

        For many vectors this is several times faster than searching for each.
        """
        if isinstance(self.index, faiss.IndexHNSW):
            return None
        return _products(np.ascontiguousarray(vectors, np.float32), self._stored)

    def search(self, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest item rows (B, k) of each vector (B, d) and their cosines; −1 pads.

        `allowed` (n_items,) bool filters during the search, so that k items are found if as many are allowed.
        """
        k, vectors = min(k, len(self)), np.ascontiguousarray(vectors, np.float32)
        if isinstance(self.index, faiss.IndexHNSW):
            return self._search_graph(vectors, k, allowed)
        parameters = None
        if allowed is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.flatnonzero(allowed)))
        cosines, rows = self.index.search(vectors, k, params=parameters)
        return rows, cosines

    def _search_graph(self, vectors: np.ndarray, k: int, allowed: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Search the graph if most items are allowed; a narrower filter disconnects it, so then the rest is scanned."""
        rows = None if allowed is None else np.flatnonzero(allowed)
        breadth = max(self.index.hnsw.efSearch, k)
        if rows is None or len(rows) > MOST_ALLOWED * len(self):
            selector = None if rows is None else faiss.IDSelectorBatch(rows)
            parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=breadth)
            cosines, found = self.index.search(vectors, k, params=parameters)
            short = np.flatnonzero((found < 0).any(1))
            if len(short) and (rows is None or k <= len(rows)):
                found[short], cosines[short] = self._scan(vectors[short], k, rows)
            return found, cosines
        return self._scan(vectors, k, rows)

    def _scan(self, vectors: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Exact search over the vectors of item `rows`, or of all items."""
        found = np.full((len(vectors), k), NOTHING, np.int64)
        cosines = np.full((len(vectors), k), -np.inf, np.float32)
        stored = self._stored if rows is None else self._stored[rows]
        reach = min(k, len(stored))
        for start in range(0, len(vectors) if reach else 0, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            places, cosines[part, :reach] = top_k(_products(vectors[part], stored), reach)
            found[part, :reach] = places if rows is None else np.append(rows, NOTHING)[places]
        return found, cosines

    @cached_property
    def _stored(self) -> np.ndarray:
        """All vectors (n_items, d), as a view of the index's memory."""
        graph = isinstance(self.index, faiss.IndexHNSW)
        stored = faiss.downcast_index(self.index.storage) if graph else self.index
        return np.asarray(faiss.rev_swig_ptr(stored.get_xb(), len(self) * self.index.d).reshape(len(self), -1))

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """The vectors (n, d) of item rows (n,)."""
        return np.asarray(self.index.reconstruct_batch(np.asarray(rows, np.int64)))

    def write(self, path: Path) -> None:
        """Write with FAISS's own format."""
        with replacing(path) as temporary:
            faiss.write_index(self.index, str(temporary))

    @classmethod
    def read(cls, path: Path) -> "ItemIndex":
        """Read an index whose hash has been checked before: FAISS loads damaged files silently."""
        return cls(faiss.read_index(str(path)))


def _products(vectors: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Products (B, n) of float32 vectors (B, d) with those stored (n, d)."""
    # BLAS rounds the product of a single row differently than that of the same row in a batch.
    padded = vectors if len(vectors) > 1 else np.concatenate([vectors, vectors, np.zeros_like(vectors)])
    return np.asarray(padded @ stored.T)[: len(vectors)]
