"""Users' interests by Ward's method: own code beside a loop over users with scipy, fastcluster or scikit-learn."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import AgglomerativeClustering
from threadpoolctl import threadpool_limits

from benchmarks.kernels.environment import environment
from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Library, Race, race
from benchmarks.kernels.swap import one_core, recorded, replays, within
from benchmarks.kernels.whole import whole
from strata._kernels.ward import ward_groups
from strata.cli.terminal import console
from tasks import tier

Tree = Callable[[np.ndarray], np.ndarray]


def scipys(block: np.ndarray) -> np.ndarray:
    """Of vectors."""
    return linkage(block, "ward")


def scipys_of_gram(block: np.ndarray) -> np.ndarray:
    """Of distances by one product of matrices."""
    return linkage(condensed(block), "ward")


def fastclusters(block: np.ndarray) -> np.ndarray:
    """Of vectors."""
    import fastcluster

    return fastcluster.linkage(block, "ward")


def fastclusters_of_gram(block: np.ndarray) -> np.ndarray:
    """Of distances by one product of matrices."""
    import fastcluster

    return fastcluster.linkage(condensed(block), "ward")


def condensed(vectors: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs, as `linkage` takes them."""
    gram = vectors @ vectors.T
    squares = np.diag(gram)
    return squareform(np.sqrt(np.maximum(squares[:, None] + squares - 2 * gram, 0)), checks=False)


def by_tree(tree: Tree, block: np.ndarray, height: float) -> np.ndarray:
    """The groups of a tree cut at a height, from 0."""
    return fcluster(tree(block), height, "distance") - 1


def by_scikit_learn(block: np.ndarray, height: float) -> np.ndarray:
    """The same by its class."""
    return AgglomerativeClustering(n_clusters=None, distance_threshold=height, linkage="ward").fit_predict(block)


def looped(
    cluster: Callable[[np.ndarray, float], np.ndarray], vectors: np.ndarray, offsets: np.ndarray, height: float
) -> np.ndarray:
    """As `ward_groups`, block after block."""
    labels = np.zeros(len(vectors), np.int32)
    # Several threads for products this small wait for each other most of the time; telling them takes time, too.
    with threadpool_limits(1, "blas") if len(offsets) > 2 else nullcontext():
        for start, end in pairwise(offsets.tolist()):
            if end - start > 1:
                labels[start:end] = cluster(vectors[start:end], height)
    return labels


SCIPY: Final = "scipy's linkage of Gram distances"
"""Its fastest way, which needs no further package."""
CLUSTERS: Final = {
    "scipy's linkage": partial(by_tree, scipys),
    SCIPY: partial(by_tree, scipys_of_gram),
    "fastcluster": partial(by_tree, fastclusters),
    "fastcluster of Gram distances": partial(by_tree, fastclusters_of_gram),
    "scikit-learn": by_scikit_learn,
}
LIBRARIES: Final[dict[str, Library]] = {
    name: {ward_groups: partial(looped, cluster)} for name, cluster in CLUSTERS.items()
}


def races(ground: Ground, turns: int) -> list[Race]:
    """All users' leaves alone on one core, calls for visitors, and stage `tier`."""
    environment(say=console.print)
    with ground.stages() as way:
        stage = way(tier.main, "live")
        calls = recorded([ward_groups], stage)
        users = sum(len(call.arguments[1]) - 1 for call in calls)
        alone = [call._replace(named={"threads": 1}) for call in calls]
        ways = {OWN: replays(alone, {})[OWN], **{k: v for k, v in replays(calls, LIBRARIES).items() if k != OWN}}
        with one_core():
            what = f"Leaves of {users:,} users in groups, {ground.name}, one core"
            found = [race(f"ward{ground.suffix}", what, users, ways, turns)]
        found += whole("ward", ("visitor-call",), ground, found[0].fastest(LIBRARIES, SCIPY), turns)
        ways = {
            OWN: stage,
            **{name: within(library, stage) for name, library in found[0].fastest(LIBRARIES, SCIPY).items()},
        }
        what = f"Stage tier of {ground.name}, Python running"
        found.append(race(f"ward-stage{ground.suffix}", what, users, ways, turns, whole=True))
    return found
