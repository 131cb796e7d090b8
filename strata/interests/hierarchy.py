"""Ward's method over weighted vectors, as one merge tree that can be cut into any number of groups."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components


def merge(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Merge all vectors (m, d) by Ward's method: pairs (m − 1, 2) of vectors whose groups join, the cheapest first.

    A vector of weight w counts as w equal ones, so group centres can be merged like items. Needs 4·m² bytes: reduce
    large sets first. Nearest-neighbour chains with the Lance-Williams update (Müllner, arXiv 1109.2378). As fast
    as fastcluster, and here for the weights, which no library takes (`python -m benchmarks.kernels --only hierarchy`).
    """
    costs, sizes = _costs(vectors, weights), np.asarray(weights, np.float32).copy()
    joined: list[tuple[int, int]] = []
    heights: list[float] = []
    alive = np.ones(len(sizes), bool)
    chain: list[int] = []
    while len(joined) < len(sizes) - 1:
        if not chain:
            chain.append(int(alive.argmax()))
        last, before = chain[-1], chain[-2] if len(chain) > 1 else -1
        nearest = int(costs[last].argmin())
        if before < 0 or costs[last, nearest] < costs[last, before]:
            chain.append(nearest)
            continue
        del chain[-2:]
        joined.append((before, last))
        heights.append(float(costs[last, before]))
        _join(costs, sizes, alive, kept=before, gone=last)
    return np.array(joined, np.int64).reshape(-1, 2)[np.argsort(heights, kind="stable")]


def cut(merges: np.ndarray, n_groups: int) -> np.ndarray:
    """Group (m,) of each vector, from 0, when the `merges` that `merge` gave are cut into `n_groups` (at most m)."""
    m = len(merges) + 1
    done = merges[: m - n_groups]
    links = sparse.coo_matrix((np.ones(len(done), bool), done.T), shape=(m, m))
    return np.asarray(connected_components(links, directed=False)[1], np.int32)


def means(vectors: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean (n_groups, d) and total weight (n_groups,) of each group of vectors (m, d); groups (m,) from 0."""
    totals = np.bincount(groups, weights)
    shares = np.asarray(weights / totals[groups], np.float32)
    membership = sparse.csr_matrix((shares, (groups, np.arange(len(groups)))), shape=(len(totals), len(groups)))
    return np.asarray(membership @ vectors, np.float32), totals


def _costs(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Ward cost of merging each two vectors, the growth in squared distance to the mean; ∞ on the diagonal: (m, m)."""
    squares = (vectors**2).sum(1)
    costs = np.asarray(vectors @ (-2 * vectors.T), np.float32)
    costs += squares[:, None]
    costs += squares
    np.maximum(costs, 0, out=costs)
    for row, weight in zip(costs, weights, strict=True):  # row by row: one matrix of this size is enough
        row *= weight * weights / (weight + weights)
    np.fill_diagonal(costs, np.inf)
    return costs


def _join(costs: np.ndarray, sizes: np.ndarray, alive: np.ndarray, *, kept: int, gone: int) -> None:
    """Join two groups in place: row `kept` of `costs` becomes that of their union, row `gone` becomes ∞."""
    size = sizes[kept] + sizes[gone]
    joint = (sizes[kept] + sizes) * costs[kept] + (sizes[gone] + sizes) * costs[gone] - sizes * costs[kept, gone]
    alive[gone] = False
    sizes[kept] = size
    joint = np.where(alive, joint / (size + sizes), np.inf)
    joint[kept] = np.inf
    costs[kept] = costs[:, kept] = joint
    costs[gone] = costs[:, gone] = np.inf
