"""The largest entries of each row of a sparse product.

Stage `collaborate` takes 1.5 times as long with SciPy and sparse_dot_topn
(`python -m benchmarks.kernels --only sparse-products`).
"""

import numpy as np
from scipy import sparse

from strata._kernels.compiled import compiled
from strata._kernels.threads import side_by_side


def top_products(
    left: sparse.csr_matrix, right: sparse.csr_matrix, norms: np.ndarray, *, shrink: float, most: int
) -> sparse.csr_matrix:
    """The `most` largest of (left @ right)_ij / (norms_i · norms_j + shrink) in each row, i ≠ j, ties by column.

    `left` (n, m) and `right` (m, n) hold nothing negative; `norms` (n,). Memory grows with n · most, time with the
    number of products. Returns float32 CSR (n, n).
    """
    left, right = sparse.csr_matrix(left), sparse.csr_matrix(right)
    n, kernel = left.shape[0], compiled(_kernel)
    columns, values = np.zeros((n, most), np.int32), np.zeros((n, most), np.float32)
    counts = np.zeros(n, np.int64)
    inputs = (
        left.indptr.astype(np.int64), left.indices.astype(np.int64), left.data.astype(np.float32),
        right.indptr.astype(np.int64), right.indices.astype(np.int64), right.data.astype(np.float32),
        np.asarray(norms, np.float32), np.float32(shrink),
    )  # fmt: skip

    def fill(start: int) -> None:
        part = slice(start, start + ROWS_AT_ONCE)
        kernel(start, *inputs, columns[part], values[part], counts[part])

    for _ in side_by_side(fill, range(0, n, ROWS_AT_ONCE)):
        pass
    kept = np.arange(most) < counts[:, None]
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((values[kept], columns[kept], indptr), shape=(n, n))


ROWS_AT_ONCE = 512
"""Rows per part of a thread's work."""


def _kernel(
    start: int,
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray,
    other_indptr: np.ndarray, other_indices: np.ndarray, other_data: np.ndarray,
    norms: np.ndarray, shrink: np.float32,
    columns: np.ndarray, values: np.ndarray, counts: np.ndarray,
) -> None:  # fmt: skip
    """Fill the rows from `start` on, one at a time: sum over the columns it touches, then keep the largest."""
    n, most = len(indptr) - 1, columns.shape[1]
    sums, touched, touched_for = np.zeros(n, np.float32), np.empty(n, np.int64), np.full(n, -1)
    for target in range(len(counts)):
        row = start + target
        n_touched = 0
        for a in range(indptr[row], indptr[row + 1]):
            middle, weight = indices[a], data[a]
            for b in range(other_indptr[middle], other_indptr[middle + 1]):
                column = other_indices[b]
                if touched_for[column] != row:  # not "the sum is 0": it may be after a product of 0
                    touched_for[column] = row
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
                columns[target, place], values[target, place] = found[order[place]], scores[order[place]]
                counts[target] += 1
