"""The largest entries of each row of a sparse product, without the product: item neighbours of large catalogues."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numba import njit
from scipy import sparse


def top_products(
    left: sparse.csr_matrix, right: sparse.csr_matrix, norms: np.ndarray, *, shrink: float, most: int
) -> sparse.csr_matrix:
    """The `most` largest of (left @ right)_ij / (norms_i · norms_j + shrink) in each row, i ≠ j, ties by column.

    `left` (n, m) and `right` (m, n) hold nothing negative; `norms` (n,). Memory grows with n · most, time with the
    number of products. Returns float32 CSR (n, n).
    """
    left, right = sparse.csr_matrix(left), sparse.csr_matrix(right)
    n = left.shape[0]
    columns, values, counts = _compiled()(
        left.indptr.astype(np.int64), left.indices.astype(np.int64), left.data.astype(np.float32),
        right.indptr.astype(np.int64), right.indices.astype(np.int64), right.data.astype(np.float32),
        np.asarray(norms, np.float32), np.float32(shrink), int(most),
    )  # fmt: skip
    kept = np.arange(most) < counts[:, None]
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((values[kept], columns[kept], indptr), shape=(n, n))


@cache
def _compiled() -> Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The kernel, compiled when first asked for."""
    return njit(cache=True, nogil=True)(_kernel)


def _kernel(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray,
    other_indptr: np.ndarray, other_indices: np.ndarray, other_data: np.ndarray,
    norms: np.ndarray, shrink: np.float32, most: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """One row at a time: sums over the columns it touches, then the largest of them by value and column."""
    n = len(indptr) - 1
    columns, values = np.zeros((n, most), np.int32), np.zeros((n, most), np.float32)
    counts = np.zeros(n, np.int64)
    sums, touched = np.zeros(n, np.float32), np.empty(n, np.int64)
    for row in range(n):
        n_touched = 0
        for a in range(indptr[row], indptr[row + 1]):
            middle, weight = indices[a], data[a]
            for b in range(other_indptr[middle], other_indptr[middle + 1]):
                column = other_indices[b]
                if sums[column] == 0:
                    touched[n_touched] = column
                    n_touched += 1
                sums[column] += weight * other_data[b]
        found = np.sort(touched[:n_touched])
        scores = np.empty(n_touched, np.float32)
        for place in range(n_touched):
            column = found[place]
            own = column == row
            scores[place] = -1.0 if own else sums[column] / (norms[row] * norms[column] + shrink)
            sums[column] = 0
        if n_touched > most:  # only what reaches the limit needs sorting
            limit = np.partition(scores, n_touched - most)[n_touched - most]
            reach = np.flatnonzero(scores >= limit)
        else:
            reach = np.arange(n_touched)
        order = reach[np.argsort(-scores[reach], kind="mergesort")]
        for place in range(min(len(order), most)):
            if scores[order[place]] > 0:
                columns[row, place], values[row, place] = found[order[place]], scores[order[place]]
                counts[row] += 1
    return columns, values, counts
