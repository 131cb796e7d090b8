"""Sparse products: the largest entries of each row, or dense rows for a few users.

Stage `collaborate` takes 1.5 times as long with SciPy and sparse_dot_topn, calls and batches of lists 1.2 times
(`python -m benchmarks.kernels --only sparse-products`): too long for what lists-speedup promises of the service
(`python -m benchmarks.quality --only service`).
"""

from typing import NamedTuple

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


class CsrParts(NamedTuple):
    """Arrays of a CSR matrix, without SciPy's checks: for one user these take longer than the product."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray


def dense_product(left: sparse.csr_matrix | CsrParts, right: sparse.csr_matrix) -> np.ndarray:
    """Left (B, m) @ right (m, n), dense: (B, n) float32."""
    found = np.zeros((len(left.indptr) - 1, right.shape[1]), np.float32)
    compiled(_dense_kernel)(left.indptr, left.indices, left.data, right.indptr, right.indices, right.data, found)
    return found


def sums_of_rows(left: sparse.csr_matrix | CsrParts, right: np.ndarray) -> np.ndarray:
    """Left (B, m) @ right (m, n) where right is dense: (B, n) float32."""
    found = np.zeros((len(left.indptr) - 1, right.shape[1]), np.float32)
    compiled(_sums_kernel)(left.indptr, left.indices, np.asarray(left.data, np.float32), right, found)
    return found


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


def _dense_kernel(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray,
    other_indptr: np.ndarray, other_indices: np.ndarray, other_data: np.ndarray,
    found: np.ndarray,
) -> None:  # fmt: skip
    for row in range(len(found)):
        sums = found[row]
        for a in range(indptr[row], indptr[row + 1]):
            middle, weight = indices[a], data[a]
            for b in range(np.uint64(other_indptr[middle]), np.uint64(other_indptr[middle + 1])):
                sums[np.uint64(other_indices[b])] += weight * other_data[b]  # unsigned: no check for negative indices


def _sums_kernel(
    indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, right: np.ndarray, found: np.ndarray
) -> None:
    """Adds four rows of `right` at a time, so that the sums are read and written a quarter as often."""
    for row in range(len(found)):
        sums, place, stop = found[row], indptr[row], indptr[row + 1]
        while place + 4 <= stop:
            a, b, c, d = (
                right[indices[place]],
                right[indices[place + 1]],
                right[indices[place + 2]],
                right[indices[place + 3]],
            )
            of_a, of_b, of_c, of_d = data[place], data[place + 1], data[place + 2], data[place + 3]
            for column in range(len(sums)):
                two = sums[column] + of_a * a[column] + of_b * b[column]
                sums[column] = two + of_c * c[column] + of_d * d[column]
            place += 4
        for last in range(place, stop):
            a, of_a = right[indices[last]], data[last]
            for column in range(len(sums)):
                sums[column] += of_a * a[column]
