"""Sparse products: own ones beside scipy's, with sparse_dot_topn or NumPy for the largest of each row."""

from functools import partial
from typing import Final

import numpy as np
from scipy import sparse

from benchmarks.kernels.environment import environment
from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Library, Race, race
from benchmarks.kernels.swap import one_core, recorded, replays, within
from benchmarks.kernels.whole import BLOCK, block, whole
from strata._kernels.sparse_products import CsrParts, dense_product, sums_of_rows, top_products
from strata._kernels.threads import cores
from strata.cli.terminal import console
from tasks import collaborate

ROWS_AT_ONCE: Final = 2_048
"""Rows of a product that are held before their largest are taken."""


def _matrix(left: sparse.csr_matrix | CsrParts, middle: int) -> sparse.csr_matrix:
    shape = len(left.indptr) - 1, middle
    if not isinstance(left, CsrParts):
        return left
    return sparse.csr_matrix((np.asarray(left.data, np.float32), left.indices, left.indptr), shape)


def scipys_dense(left: sparse.csr_matrix | CsrParts, right: sparse.csr_matrix) -> np.ndarray:
    """As `dense_product`."""
    return (_matrix(left, right.shape[0]) @ right).toarray()


def scipys_sums(left: sparse.csr_matrix | CsrParts, right: np.ndarray) -> np.ndarray:
    """As `sums_of_rows`."""
    return np.asarray(_matrix(left, len(right)) @ right, np.float32)


def scaled(product: sparse.csr_matrix, first: int, norms: np.ndarray, shrink: float) -> sparse.csr_matrix:
    """Rows `first` … of a product, each entry over norms_i · norms_j + shrink, without those of i = j."""
    rows = np.repeat(np.arange(product.shape[0]) + first, np.diff(product.indptr))
    product.data = np.asarray(product.data / (norms[rows] * norms[product.indices] + shrink), np.float32)
    product.data[rows == product.indices] = 0
    product.eliminate_zeros()
    return product


def by_scipy(
    left: sparse.csr_matrix, right: sparse.csr_matrix, norms: np.ndarray, *, shrink: float, most: int
) -> sparse.csr_matrix:
    """As `top_products`: scipy's product, its entries sorted by row and size."""
    left, right, parts = left.tocsr(), right.tocsr(), []
    for first in range(0, left.shape[0], ROWS_AT_ONCE):
        found = scaled(left[first : first + ROWS_AT_ONCE] @ right, first, norms, shrink)
        rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
        order = np.lexsort((found.indices, -found.data, rows))
        place = np.arange(len(rows)) - found.indptr[rows]
        order = order[place < most]
        counts = np.minimum(np.diff(found.indptr), most)
        indptr = np.append(0, np.cumsum(counts))
        parts.append(sparse.csr_matrix((found.data[order], found.indices[order], indptr), found.shape))
    return sparse.vstack(parts, "csr")


def by_sparse_dot_topn(
    left: sparse.csr_matrix, right: sparse.csr_matrix, norms: np.ndarray, *, shrink: float, most: int
) -> sparse.csr_matrix:
    """As `top_products`: its product, then the largest of each row by a product with the identity, ties as they come.

    Shrinkage is no product, so it stands between the two.
    """
    from sparse_dot_topn import sp_matmul, sp_matmul_topn

    left, right, parts = left.tocsr().astype(np.float32), right.tocsr().astype(np.float32), []
    for first in range(0, left.shape[0], ROWS_AT_ONCE):
        product = sp_matmul(left[first : first + ROWS_AT_ONCE], right, n_threads=cores())
        found = scaled(product, first, norms, shrink)
        identity = sparse.identity(found.shape[0], np.float32, "csr")
        parts.append(sp_matmul_topn(identity, found, top_n=most, sort=True, n_threads=cores()))
    return sparse.vstack(parts, "csr")


DENSE: Final[Library] = {dense_product: scipys_dense, sums_of_rows: scipys_sums}
LIBRARIES: Final[dict[str, Library]] = {
    "scipy": {**DENSE, top_products: by_scipy},
    "scipy and sparse_dot_topn": {**DENSE, top_products: by_sparse_dot_topn},
}


def races(ground: Ground, turns: int) -> list[Race]:
    """Products of a block of users alone, the nearest items alone, calls, batches, and stage `collaborate`."""
    environment(say=console.print)
    recommender, found = ground.fresh(), []
    only_scipy = {"scipy": LIBRARIES["scipy"]}
    for function in DENSE:
        calls = recorded([function], partial(block, recommender, ground))
        with one_core():
            name = function.__name__.replace("_", "-")
            what = f"{function.__name__} for lists of {BLOCK} users, {ground.name}, one core"
            found.append(race(f"{name}{ground.suffix}", what, BLOCK, replays(calls, only_scipy), turns))
    found += whole("sparse-products", ("call", "batch"), ground, only_scipy, turns)
    with ground.stages() as way:
        stage = way(collaborate.main, "live")
        calls = recorded([top_products], stage)
        n = calls[0].arguments[0].shape[0]
        what = f"The {calls[0].named['most']} nearest and next of {n:,} items, {ground.name}"
        alone = race(f"top-products{ground.suffix}", what, n, replays(calls, LIBRARIES), turns)
        found.append(alone)
        ways = {OWN: stage, **{name: within(library, stage) for name, library in alone.fastest(LIBRARIES).items()}}
        what = f"Stage collaborate of {ground.name}, Python running"
        found.append(race(f"sparse-products-stage{ground.suffix}", what, n, ways, turns, whole=True))
    return found
