"""Nearest items to a vector: a FAISS index whose kind follows the catalogue's size."""

from pathlib import Path

import faiss
import numpy as np

from strata.errors import ReleaseError
from strata.settings import Settings
from strata.storage import replacing


class IndexSettings(Settings):
    """Which kind of index serves which size."""

    flat_up_to: int = 20_000
    """Vectors that are searched exactly; above, HNSW."""
    links: int = 32
    search_breadth: int = 64


class ItemIndex:
    """Inner-product search over unit vectors; positions are item rows."""

    def __init__(self, index: faiss.Index) -> None:
        """Wrap a FAISS index."""
        self.index = index

    @classmethod
    def build(cls, vectors: np.ndarray, settings: IndexSettings) -> "ItemIndex":
        """Index unit vectors (n, d). Raises ReleaseError where a vector is not finite: FAISS would take it."""
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

    def search(self, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest item rows (B, k) of each vector (B, d) and their cosines; −1 pads.

        `allowed` (n_items,) bool restricts the search, so that a filter never leaves fewer results than there are.
        """
        k = min(k, len(self))
        parameters = self._restricted(allowed) if allowed is not None else None
        cosines, rows = self.index.search(np.ascontiguousarray(vectors, np.float32), k, params=parameters)
        return rows, cosines

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """The vectors (n, d) of item rows (n,)."""
        return np.asarray(self.index.reconstruct_batch(np.asarray(rows, np.int64)))

    def _restricted(self, allowed: np.ndarray) -> "faiss.SearchParameters":
        selector = faiss.IDSelectorBatch(np.flatnonzero(allowed))
        if isinstance(self.index, faiss.IndexHNSW):
            return faiss.SearchParametersHNSW(sel=selector, efSearch=self.index.hnsw.efSearch)
        return faiss.SearchParameters(sel=selector)

    def write(self, path: Path) -> None:
        """Write with FAISS's own format."""
        with replacing(path) as temporary:
            faiss.write_index(self.index, str(temporary))

    @classmethod
    def read(cls, path: Path) -> "ItemIndex":
        """Read an index whose hash has been checked before: FAISS loads damaged files without a word."""
        return cls(faiss.read_index(str(path)))
