"""From a history to interest points: groups of what a user chose, each with a vector and a medoid."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from strata.history import History


@dataclass(frozen=True)
class InterestPoints:
    """Points of many users, and the point of each event.

    `users` (P,): owner's row. `vectors` (P, d): unit vector of the weighted members.
    `medoids` (P,): item row of the member nearest to the others.
    `of_event` (n,): point number of each event of the history they were found in, −1 for events left out.
    """

    users: np.ndarray
    vectors: np.ndarray
    medoids: np.ndarray
    of_event: np.ndarray


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows (n, d) scaled to length 1; zero rows stay zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def spread(vectors: np.ndarray) -> float:
    """Root mean square distance of item vectors (n, d) from their mean: the unit in which cuts are given.

    Fine-tuning and other encoders stretch the space; a cut in this unit keeps its meaning.
    """
    deviations = np.asarray(vectors) - np.asarray(vectors).mean(0)
    return max(float(np.sqrt((deviations**2).sum(1).mean())), 1e-6)


def find_points(
    history: History,
    vectors: np.ndarray,
    *,
    cut: float,
    max_items: int,
    progress: Callable[[int], None] = lambda users: None,
) -> InterestPoints:
    """Cluster each user's positive history by Ward's method, cut at `cut` × spread (PinnerSage, arXiv 2007.03634).

    The number of points follows the user. A repeated item is one leaf, however often it was chosen; of long
    histories the latest `max_items` distinct items count. `history` must hold positive events only;
    `progress` is told each time a user is done.
    """
    height = cut * spread(vectors)
    of_event = np.full(len(history), -1, np.int64)
    users: list[np.ndarray] = []
    centres: list[np.ndarray] = []
    medoids: list[int] = []
    for user in history.active_users():
        events = history.of(user)
        items, leaf_of_event = _latest_distinct(history.items[events], max_items)
        weights = np.bincount(leaf_of_event[leaf_of_event >= 0], history.weights[events][leaf_of_event >= 0])
        labels = _ward(vectors[items], height)
        first = len(medoids)
        found, best = _represent(vectors[items], weights, labels)
        of_event[events] = np.where(leaf_of_event >= 0, first + labels[leaf_of_event], -1)
        users.append(np.full(len(found), user, np.int32))
        centres.append(found)
        medoids.extend(items[best])
        progress(1)
    empty = np.zeros((0, vectors.shape[1]), np.float32)
    return InterestPoints(
        np.concatenate([np.zeros(0, np.int32), *users]),
        np.concatenate([empty, *centres]),
        np.array(medoids, np.int32),
        of_event,
    )


def _latest_distinct(items: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct items, sorted, of which the latest `most` are kept, and the leaf (or −1) of each event."""
    distinct, from_end, leaf = np.unique(items[::-1], return_index=True, return_inverse=True)
    kept = np.sort(np.argsort(from_end, kind="stable")[:most])
    position = np.full(len(distinct), -1)
    position[kept] = np.arange(len(kept))
    return distinct[kept], position[leaf[::-1]]


def _ward(vectors: np.ndarray, height: float) -> np.ndarray:
    """Group numbers (m,) from 0."""
    if len(vectors) == 1:
        return np.zeros(1, np.int64)
    return np.asarray(fcluster(linkage(vectors, "ward"), height, "distance") - 1)


def _represent(vectors: np.ndarray, weights: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit weighted mean (p, d) of each group, and the leaf (p,) that is closest to it."""
    n_points = int(labels.max()) + 1
    sums = np.zeros((n_points, vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors * weights[:, None])
    centres = unit(sums)
    closeness = (vectors * centres[labels]).sum(1)
    order = np.lexsort((-closeness, labels))
    return centres, order[np.searchsorted(labels[order], np.arange(n_points))]
