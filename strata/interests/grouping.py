"""Clustering of each user's leaves into points: Ward by default, K-Means and HDBSCAN for comparison."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np

from strata._kernels.ward import ward_groups

Grouping = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""(vectors (n, d), block offsets (B + 1,), height) → group of each row within its block (n,), from 0."""


def _k_means(vectors: np.ndarray, offsets: np.ndarray, height: float) -> np.ndarray:
    """K-Means with as many groups in each block as Ward finds at this height."""
    from sklearn.cluster import KMeans

    labels = ward_groups(vectors, offsets, height)
    for start, end in pairwise(offsets):
        n_groups = int(labels[start:end].max(initial=-1)) + 1
        if n_groups > 1:
            found = KMeans(n_groups, n_init=4, random_state=0).fit(vectors[start:end])
            labels[start:end] = np.unique(found.labels_, return_inverse=True)[1]
    return labels


def _hdbscan(vectors: np.ndarray, offsets: np.ndarray, height: float) -> np.ndarray:
    """HDBSCAN (Campello 2013) that does not split below half the height; each noise leaf is its own group."""
    from sklearn.cluster import HDBSCAN

    labels = np.zeros(len(vectors), np.int32)
    for start, end in pairwise(offsets):
        if end - start < 3:
            labels[start:end] = ward_groups(vectors[start:end], np.array([0, end - start]), height)
            continue
        model = HDBSCAN(min_cluster_size=2, cluster_selection_epsilon=height / 2, allow_single_cluster=True, copy=True)
        found = model.fit(vectors[start:end]).labels_
        alone = found < 0
        labels[start:end] = np.where(alone, found.max(initial=-1) + np.cumsum(alone), found)
    return labels


GROUPINGS: Final[dict[str, Grouping]] = {"ward": ward_groups, "k-means": _k_means, "hdbscan": _hdbscan}
