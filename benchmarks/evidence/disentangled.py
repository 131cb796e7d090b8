"""Whether points part one planted cause from another: mutual information, against clusterings of raw vectors."""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score, silhouette_score

from benchmarks.simulate import Simulation
from strata.data.history import History
from strata.embeddings.vectors import spread

CUTS: Final = (1.0, 1.4, 1.7, 2.0, 2.4, 2.8, 3.3, 4.0)
"""Heights at which Ward is cut, in units of the spread of the catalogue's vectors."""
COUNTS: Final = (4, 6, 8, 12, 16)
SEED = 7
Divide = Callable[[np.ndarray], np.ndarray]
"""Vectors (m, d) of a user's distinct items → group of each (m,)."""


def information(simulation: Simulation, groups: np.ndarray) -> np.ndarray:
    """Normalised mutual information of causes and `groups` (n,) of each user's events: (n_users,)."""
    users = map(simulation.history.of, range(simulation.history.n_users))
    return np.array([normalized_mutual_info_score(simulation.factor[own], groups[own]) for own in users])


def baselines(simulation: Simulation, vectors: np.ndarray) -> tuple[dict[str, Divide], int]:
    """Ways to divide a user's raw vectors, tuned to the causes of `simulation`, and how many settings were tried.

    Ward with its cut; K-Means with as many groups as Ward finds, or as its silhouette asks for; one group.
    """
    wards = [ward(cut * spread(vectors)) for cut in CUTS]
    best_ward = _best(wards, simulation, vectors)
    means = [k_means_like(best_ward), k_means_by_silhouette]
    best_means = _best(means, simulation, vectors)
    chosen = {"Ward on raw vectors": best_ward, "K-Means on raw vectors": best_means, "one group": one_group}
    return chosen, len(wards) + len(means)


def divided(history: History, vectors: np.ndarray, divide: Divide) -> np.ndarray:
    """The group of each event (n,) when each user's distinct items are divided on their own."""
    groups = np.zeros(len(history), np.int64)
    for user in history.active_users():
        own = history.of(user)
        items, leaf = np.unique(history.items[own], return_inverse=True)
        groups[own] = divide(vectors[items])[leaf] if len(items) > 1 else 0
    return groups


def ward(height: float) -> Divide:
    """Ward's method, cut at a height."""
    return lambda vectors: np.asarray(fcluster(linkage(vectors, "ward"), height, "distance"))


def k_means_like(other: Divide) -> Divide:
    """K-Means with as many groups as another way finds."""
    return lambda vectors: _k_means(vectors, len(np.unique(other(vectors))))


def k_means_by_silhouette(vectors: np.ndarray) -> np.ndarray:
    """K-Means with the number of groups, of COUNTS, that has the best silhouette."""
    found = [_k_means(vectors, count) for count in COUNTS if count < len(vectors)]
    return max(found, key=lambda groups: silhouette_score(vectors, groups), default=one_group(vectors))


def one_group(vectors: np.ndarray) -> np.ndarray:
    """Everything a user chose as one, as a single vector has it."""
    return np.zeros(len(vectors), np.int64)


def _k_means(vectors: np.ndarray, count: int) -> np.ndarray:
    return np.asarray(KMeans(count, n_init=1, random_state=SEED).fit_predict(vectors))


def _best(ways: list[Divide], simulation: Simulation, vectors: np.ndarray) -> Divide:
    return max(ways, key=lambda way: information(simulation, divided(simulation.history, vectors, way)).mean())
