"""Metrics beyond accuracy: intra-list diversity, miscalibration, exposure (Gini) and serendipity."""

import numpy as np
from scipy import sparse

from strata._kernels.selection import NOTHING
from strata.evaluation.metrics import hits

SMOOTHING = 0.01
"""Share of the target mixed into a list's shares: keeps the divergence finite where a list lacks a group."""


def intra_list_diversity(ranked: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Mean of 1 − cosine over the pairs of each list (B, k), by unit `vectors` (n_items, d): (B,), 0 without pairs.

    Computed from the length of the sum of a list's vectors, without forming pairs.
    """
    total = np.zeros((len(ranked), vectors.shape[1]), np.float32)
    for items in ranked.T:
        there = items != NOTHING
        total[there] += vectors[items[there]]
    n = (ranked != NOTHING).sum(1)
    cosines = ((total**2).sum(1) - n) / np.maximum(n * (n - 1), 1)
    return np.where(n > 1, 1 - cosines, 0.0)


def shares(groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Share of each group among the places of lists (B, k) of group numbers, NOTHING pads: (B, n_groups)."""
    users, places = np.nonzero(groups != NOTHING)
    keys = users * n_groups + groups[users, places]
    counts = np.bincount(keys, minlength=len(groups) * n_groups).reshape(len(groups), n_groups)
    return np.asarray(counts / np.maximum(counts.sum(1, keepdims=True), 1))


def miscalibration(groups: np.ndarray, target: np.ndarray) -> np.ndarray:
    """How far the mix of each list is from the user's own (Steck 2018): KL(p ‖ (1 − α) q + α p) in nats, (B,).

    `groups` (B, k): group of each recommended item, NOTHING for none; q are their shares, p the `target` (B, G), α is
    SMOOTHING. 0: the same mix, or a user without a target; log(1/α) at most: nothing in common.
    """
    mixed = (1 - SMOOTHING) * shares(groups, target.shape[1]) + SMOOTHING * target
    ratio = np.divide(target, mixed, out=np.ones(target.shape), where=target > 0)
    return np.asarray((target * np.log(ratio)).sum(1))


def gini(ranked: np.ndarray, n_items: int) -> float:
    """Inequality of exposure over the catalogue: 0 where all items are shown equally often, near 1 for only one."""
    exposure = np.sort(np.bincount(ranked[ranked != NOTHING], minlength=n_items))
    place = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float(place @ exposure / (n_items * max(exposure.sum(), 1)))


def serendipity(ranked: np.ndarray, relevant: sparse.csr_matrix, expected: np.ndarray) -> np.ndarray:
    """Share of the relevant items of each list (B, k) that the `expected` one (B, k) lacks: (B,), 0 without any.

    `expected` is what popularity would have recommended to the same users.
    """
    found = hits(ranked, relevant)
    unexpected = found & ~(ranked[:, :, None] == expected[:, None, :]).any(2)
    return np.asarray(unexpected.sum(1) / np.maximum(found.sum(1), 1))
