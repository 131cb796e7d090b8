"""Accuracy metrics per user over ranked item rows, and bootstrap intervals of their mean."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from strata._kernels.selection import NOTHING

JUDGED_AT: Final = 10
"""Places of a list by which methods are compared: NDCG@10."""


def hits(ranked: np.ndarray, relevant: sparse.csr_matrix) -> np.ndarray:
    """Whether each place of `ranked` (B, K) holds a relevant item of its row in `relevant` (B, n_items): bool."""
    n_items = relevant.shape[1]
    rows = np.repeat(np.arange(relevant.shape[0], dtype=np.int64), np.diff(relevant.indptr))
    keys = np.sort(rows * n_items + relevant.indices)
    wanted = np.arange(len(ranked), dtype=np.int64)[:, None] * n_items + ranked
    found = np.searchsorted(keys, wanted)
    found = np.minimum(found, max(len(keys) - 1, 0))
    if not len(keys):
        return np.zeros(ranked.shape, bool)
    return np.asarray((keys[found] == wanted) & (ranked != NOTHING))


def n_relevant(relevant: sparse.csr_matrix) -> np.ndarray:
    """Relevant items per row: (B,)."""
    return np.diff(relevant.indptr)


def ndcg_at_k(ranked: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """Normalised discounted cumulative gain with binary gains (Järvelin & Kekäläinen 2002): (B,).

    The ideal ranking holds min(k, relevant) hits at the top. A row without relevant items gets 0.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    top = hits(ranked[:, :k], relevant)
    gained = top @ discounts[: top.shape[1]]
    ideal = np.append(0, np.cumsum(discounts))[np.minimum(n_relevant(relevant), k)]
    return np.asarray(gained / np.where(ideal > 0, ideal, 1))


def recall_at_k(ranked: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """Share of the relevant items that are in the first k places: (B,)."""
    return np.asarray(hits(ranked[:, :k], relevant).sum(1) / np.maximum(n_relevant(relevant), 1))


def precision_at_k(ranked: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """Share of the first k places that hold relevant items: (B,)."""
    return np.asarray(hits(ranked[:, :k], relevant).sum(1) / k)


def hit_rate_at_k(ranked: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """1 where the first k places hold at least one relevant item: (B,)."""
    return hits(ranked[:, :k], relevant).any(1).astype(float)


def reciprocal_rank_at_k(ranked: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """1 / place of the first relevant item within k, else 0: (B,); its mean is MRR."""
    top = hits(ranked[:, :k], relevant)
    return np.where(top.any(1), 1 / (top.argmax(1) + 1), 0.0)


def average_precision_at_k(ranked: np.ndarray, relevant: sparse.csr_matrix, k: int) -> np.ndarray:
    """Mean of the precisions at the hits within k, over min(k, relevant): (B,); its mean is MAP."""
    top = hits(ranked[:, :k], relevant)
    places = np.arange(1, top.shape[1] + 1)
    total = (np.cumsum(top, 1) / places * top).sum(1)
    return np.asarray(total / np.maximum(np.minimum(n_relevant(relevant), k), 1))


RANKING_METRICS = {
    "ndcg": ndcg_at_k,
    "recall": recall_at_k,
    "precision": precision_at_k,
    "hit_rate": hit_rate_at_k,
    "mrr": reciprocal_rank_at_k,
    "map": average_precision_at_k,
}


def coverage(ranked: np.ndarray, n_items: int) -> float:
    """Share of the catalogue that is recommended to anybody."""
    return len(np.unique(ranked[ranked != NOTHING])) / n_items


def novelty(ranked: np.ndarray, popularity: np.ndarray) -> float:
    """Mean self-information, in bits, of the recommended items; `popularity` (n_items,) are user counts."""
    share = (popularity + 1) / (popularity.sum() + len(popularity))
    return float(-np.log2(share[ranked[ranked != NOTHING]]).mean()) if (ranked != NOTHING).any() else 0.0


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def bootstrap(values: np.ndarray, *, samples: int, seed: int) -> Interval:
    """Mean of per-user `values` (n,) with a percentile bootstrap interval over users; paired if given differences."""
    if not len(values):
        return Interval(0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    means = np.array([rng.choice(values, len(values)).mean() for _ in range(samples)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))
