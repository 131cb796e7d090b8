"""One large tree: own code beside scipy, fastcluster and scikit-learn, none of which takes weights."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import ward_tree

from benchmarks.kernels.environment import environment
from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Library, Race, race
from benchmarks.kernels.swap import recorded, replays, within
from benchmarks.kernels.ward import SCIPY, condensed
from strata.cli.terminal import console
from strata.interests.hierarchy import merge
from tasks import themes

Joined = Callable[[np.ndarray], np.ndarray]
"""Vectors (m, d) → pairs (m − 1, 2) of nodes that join, the cheapest first; node m + i is what pair i makes."""


def scipys(vectors: np.ndarray) -> np.ndarray:
    """Of vectors."""
    return linkage(vectors, "ward")[:, :2]


def scipys_of_gram(vectors: np.ndarray) -> np.ndarray:
    """Of distances by one product of matrices."""
    return linkage(condensed(vectors), "ward")[:, :2]


def fastclusters(vectors: np.ndarray) -> np.ndarray:
    """Of vectors."""
    import fastcluster

    return fastcluster.linkage(vectors, "ward")[:, :2]


def fastclusters_of_gram(vectors: np.ndarray) -> np.ndarray:
    """Of distances by one product of matrices."""
    import fastcluster

    return fastcluster.linkage(condensed(vectors), "ward")[:, :2]


def scikit_learns(vectors: np.ndarray) -> np.ndarray:
    """What its class calls."""
    return np.asarray(ward_tree(vectors)[0])


def merge_by(joined: Joined, vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """As `merge`, with a member in the place of each node; every vector counts once, whatever its weight."""
    if len(vectors) < 2:
        return np.zeros((0, 2), np.int64)
    member = list(range(len(vectors)))
    pairs = []
    for left, right in joined(vectors).astype(np.int64).tolist():
        pairs.append((member[left], member[right]))
        member.append(member[left])
    return np.array(pairs, np.int64)


LIBRARIES: Final[dict[str, Library]] = {
    name: {merge: partial(merge_by, joined)}
    for name, joined in {
        "scipy's linkage": scipys,
        SCIPY: scipys_of_gram,
        "fastcluster": fastclusters,
        "fastcluster of Gram distances": fastclusters_of_gram,
        "scikit-learn's ward_tree": scikit_learns,
    }.items()
}


def races(ground: Ground, turns: int) -> list[Race]:
    """The trees of all levels alone, and stage `themes`."""
    environment(say=console.print)
    with ground.stages() as way:
        stage = way(themes.main, "live")
        calls = recorded([merge], stage)
        leaves = [len(call.arguments[0]) for call in calls]
        what = f"Trees of {', '.join(f'{n:,}' for n in leaves)} leaves, {ground.name}"
        found = [race(f"hierarchy{ground.suffix}", what, leaves[0], replays(calls, LIBRARIES), turns)]
        ways = {
            OWN: stage,
            **{name: within(library, stage) for name, library in found[0].fastest(LIBRARIES, SCIPY).items()},
        }
        what = f"Stage themes of {ground.name}, Python running"
        found.append(race(f"hierarchy-stage{ground.suffix}", what, leaves[0], ways, turns, whole=True))
    return found
