"""Ward's method for very many small sets of vectors at once: each user's leaves, cut at one height.

Stage `tier` takes 1.6 times as long with fastcluster (`python -m benchmarks.kernels --only ward`).
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numba import config, float32, int32, int64, njit, types

from strata._kernels.compiled import compiled

Sums = tuple[np.float32, np.float32, np.float32, np.float32]

TILE = 4
"""Distances are computed in tiles of TILE × TILE rows: what the vector registers hold."""
LINE = 16
"""float32 numbers of one cache line, and of the widest vector register."""
FAR = np.int32(np.float32(np.inf).view(np.int32))
"""Infinity. Distances are compared as integers, which vectorises: floats ≥ 0 order as their bits do."""
LARGEST_SQUARE = 1e30
"""Bound of a vector's squared length: above it float32 might not hold distances of merged groups."""
FURTHEST = 1e18
"""A height above all distances between groups of such vectors; float32 still holds its square."""
LEAST_WORK = 2e8
"""Work per share of blocks, at least (about 1 ms): less is not worth a thread."""
SUMMING = {"reassoc", "contract", "nsz"}
"""Sums over dimensions may be reordered, alike for all pairs; infinity and NaN keep their meaning."""


def ward_groups(vectors: np.ndarray, offsets: np.ndarray, height: float, *, threads: int | None = None) -> np.ndarray:
    """Cluster each block of rows by Ward's method and cut its tree at `height`.

    `vectors` (n, d) float32: the leaves of all blocks; `offsets` (B + 1,) int64: block b owns the rows
    offsets[b]:offsets[b + 1], possibly none or one. Returns (n,) int32: the group of each leaf within its block, from 0
    in the order of first members. They are the groups of `fcluster(linkage(block, "ward"), height, "distance")`, but
    for ties and float32 rounding, whatever the number of `threads` (None: one per core, or NUMBA_NUM_THREADS). A thread
    needs 4·m·(m + d) bytes, m leaves in its largest block. Raises ValueError for vectors that are not finite.

    Nearest-neighbour chains with Lance and Williams' update (Müllner, arXiv 1109.2378). Merging other groups never
    brings a group nearer than its nearest neighbour was, so one whose nearest is beyond the cut is dropped for good.
    """
    vectors = np.require(vectors, np.float32, ["C", "A"])
    offsets = np.ascontiguousarray(offsets, np.int64)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(vectors) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets: must rise from 0 to {len(vectors):,}, the number of vectors")
    if not height >= 0:
        raise ValueError(f"height: must be a distance, 0 or more, not {height}")
    limit = np.float32(min(height, FURTHEST) ** 2).view(np.int32)
    threads = threads or config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    labels = np.empty(len(vectors), np.int32)
    cut_blocks = compiled(_cut_blocks, SIGNATURE)

    def cut(share: tuple[int, int]) -> int:
        return int(cut_blocks(vectors, offsets[share[0] : share[1] + 1], limit, labels))

    shares = _shares(np.diff(offsets), vectors.shape[1], threads)
    if len(shares) > 1:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(cut, shares))
    else:
        found = [cut(share) for share in shares]
    if refused := [row for row in found if row >= 0]:
        row = min(refused)
        block = int(np.searchsorted(offsets, row, side="right")) - 1
        raise ValueError(f"vectors: row {row} (block {block}) is not finite; encode it again or leave it out")
    return labels


def _shares(counts: np.ndarray, dimension: int, threads: int) -> list[tuple[int, int]]:
    """First block and last + 1 of shares of about equal work, a few per thread."""
    work = (counts + 16.0) ** 2 * (dimension + 256)  # fitted to timings; a unit is one term of one distance
    n = max(1, min(4 * threads, int(work.sum() / LEAST_WORK))) if threads > 1 else 1
    inner = np.searchsorted(np.cumsum(work), work.sum() * np.arange(1, n) / n)
    return list(pairwise(np.unique([0, *inner, len(counts)]).tolist()))


VECTORS, OFFSETS = types.Array(float32, 2, "C", readonly=True), types.Array(int64, 1, "C", readonly=True)
SIGNATURE = int64(VECTORS, OFFSETS, int32, int32[::1])


def _cut_blocks(vectors: np.ndarray, offsets: np.ndarray, limit: np.int32, labels: np.ndarray) -> int:
    """Fill `labels` for the blocks between `offsets`; returns the first row not finite or too long, or −1."""
    most = np.max(np.diff(offsets))
    d = _whole(vectors.shape[1], LINE)
    row_scratch, square_scratch = _aligned(_whole(most, TILE) * d), _aligned(_whole(most, TILE) * _stride(most))
    chain = np.empty(most, np.int32)
    sizes, gone = np.empty(_stride(most), np.float32), np.empty(_stride(most), np.int32)
    for block in range(len(offsets) - 1):
        first, m = offsets[block], offsets[block + 1] - offsets[block]
        n, stride = _whole(m, TILE), _stride(m)
        rows = row_scratch[: n * d].reshape(n, d)
        for leaf in range(m):
            if not _copy_row(vectors[first + leaf], rows[leaf]) < LARGEST_SQUARE:
                return int(first + leaf)
        rows[m:] = 0
        squares = square_scratch[: n * stride].reshape(n, stride)
        _squared_distances(rows, squares)
        _cut_tree(squares, limit, labels[first : first + m], chain, sizes[:stride], gone[:stride])
    return -1


@njit()
def _whole(n: int, step: int) -> int:
    """`n` rounded up to a multiple of `step`."""
    return (n + step - 1) // step * step


@njit()
def _stride(n: int) -> int:
    """Row length for `n` numbers: whole cache lines, an odd count so that a column spreads over the cache."""
    return (_whole(n, LINE) // LINE | 1) * LINE


@njit()
def _aligned(n: int) -> np.ndarray:
    """Scratch of `n` numbers aligned to a cache line: a load that straddles two takes twice as long."""
    scratch = np.empty(n + LINE, np.float32)
    return scratch[-(scratch.ctypes.data // 4) % LINE :]


@njit(fastmath=SUMMING)
def _copy_row(row: np.ndarray, padded: np.ndarray) -> np.float32:
    """Copy a vector, padded with zeros; returns its squared length."""
    square = np.float32(0)
    for k in range(len(row)):
        padded[k] = row[k]
        square += row[k] * row[k]
    padded[len(row) :] = 0
    return square


@njit(fastmath=SUMMING)
def _add_squares(sums: Sums, x: np.float32, ys: Sums) -> Sums:
    """Add (x − y)² to the sum of each y."""
    a, b, c, d = x - ys[0], x - ys[1], x - ys[2], x - ys[3]
    return sums[0] + a * a, sums[1] + b * b, sums[2] + c * c, sums[3] + d * d


@njit(fastmath=SUMMING)
def _squared_distances(rows: np.ndarray, squares: np.ndarray) -> None:
    """Fill `squares` (n, ≥ n) from `rows` (n, d), n in whole tiles.

    As fast as BLAS's Gram matrix, as only half is computed; equal rows are exactly 0 apart.
    """
    zeros = (np.float32(0), np.float32(0), np.float32(0), np.float32(0))
    for i in range(0, len(rows), TILE):
        a0, a1, a2, a3 = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        for j in range(i, len(rows), TILE):
            b0, b1, b2, b3 = rows[j], rows[j + 1], rows[j + 2], rows[j + 3]
            s0 = s1 = s2 = s3 = zeros
            for k in range(rows.shape[1]):
                ys = (b0[k], b1[k], b2[k], b3[k])
                s0, s1 = _add_squares(s0, a0[k], ys), _add_squares(s1, a1[k], ys)
                s2, s3 = _add_squares(s2, a2[k], ys), _add_squares(s3, a3[k], ys)
            tile = (s0, s1, s2, s3)
            for p in range(TILE):
                for q in range(TILE):
                    squares[i + p, j + q] = squares[j + q, i + p] = tile[p][q]


@njit()
def _cut_tree(
    squares: np.ndarray, limit: np.int32, labels: np.ndarray, chain: np.ndarray, sizes: np.ndarray, gone: np.ndarray
) -> None:
    """Merge reciprocal nearest neighbours up to `limit`, the bits of a squared distance, and number the groups."""
    m = len(labels)
    bits = squares.view(np.int32)
    gone[:] = 0
    sizes[:] = 0
    for leaf in range(m):
        labels[leaf] = leaf
        sizes[leaf] = 1
        bits[leaf, leaf] = FAR
        bits[leaf, m:] = FAR
    for start in range(m):
        while not gone[start]:
            chain[0], depth = start, 1
            while depth > 0:
                last = chain[depth - 1]
                least, nearest = _nearest(bits[last], gone)
                if least > limit:
                    gone[last] = FAR
                    depth -= 1
                elif depth > 1 and bits[last, chain[depth - 2]] == least:
                    kept, other = min(last, chain[depth - 2]), max(last, chain[depth - 2])
                    _merge(squares, sizes, kept, other)
                    gone[other] = FAR
                    labels[other] = kept
                    depth -= 2
                else:
                    chain[depth] = nearest
                    depth += 1
    _number(labels)


@njit()
def _nearest(bits: np.ndarray, gone: np.ndarray) -> tuple[np.int32, np.int32]:
    """Smallest of `bits` that is not `gone`, and its first position."""
    least = FAR
    for k in range(len(bits)):
        least = min(least, np.int32(bits[k] | gone[k]))
    end = np.int32(len(bits))
    first = end
    for k in range(len(bits)):
        first = min(first, np.int32(k) if np.int32(bits[k] | gone[k]) == least else end)
    return least, first


@njit(error_model="numpy")
def _merge(squares: np.ndarray, sizes: np.ndarray, kept: int, other: int) -> None:
    """Replace the squared distances of `kept` by those of its union with `other` (Lance and Williams, Ward)."""
    apart, size, other_size = squares[kept, other], sizes[kept], sizes[other]
    to_kept, to_other = squares[kept], squares[other]
    sizes[kept] = sizes[other] = 0  # so that entries of these two and of merged groups stay bounded
    for k in range(len(sizes)):
        joint = (size + sizes[k]) * to_kept[k] + (other_size + sizes[k]) * to_other[k] - sizes[k] * apart
        to_kept[k] = joint / (size + other_size + sizes[k]) if joint > 0 else np.float32(0)
    for k in range(len(squares)):
        squares[k, kept] = to_kept[k]
    sizes[kept] = size + other_size


@njit()
def _number(labels: np.ndarray) -> None:
    """Turn `labels`, the leaf each leaf was merged into (itself or an earlier one), into group numbers from 0."""
    n_groups = 0
    for leaf in range(len(labels)):
        if labels[leaf] == leaf:
            labels[leaf] = n_groups
            n_groups += 1
        else:
            labels[leaf] = labels[labels[leaf]]
