"""Finds interest points in histories: clusters of the topics a user chose from, each with a vector and a medoid."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from strata.data.history import DAY, History
from strata.embeddings.vectors import unit
from strata.interests.grouping import GROUPINGS
from strata.interests.periods import active_periods, first_and_last
from strata.interests.settings import TierSettings


@dataclass(frozen=True)
class InterestPoints:
    """Points of many users, the point of each event, and the topics of each point.

    `users` (P,): owner's row. `vectors` (P, d): unit vector of the weighted members.
    `medoids` (P,): item row of the member of the point's main topic, which names it, that is nearest to its vector.
    `of_event` (n,): point of each event of the history they were found in, −1 for dropped events.
    `of_leaf` (L,): point of each leaf; `topics` (L,): the leaf's topic. A leaf: one user's events on one topic.
    """

    users: np.ndarray
    vectors: np.ndarray
    medoids: np.ndarray
    of_event: np.ndarray
    of_leaf: np.ndarray
    topics: np.ndarray


def find_points(
    history: History, vectors: np.ndarray, topics: np.ndarray, settings: TierSettings, *, height: float
) -> InterestPoints:
    """Cluster the topics of each user's positive history; each user gets as many points as the cut leaves.

    The leaves are topics, not items: near-duplicate items fall together, points are comparable between times and
    users, and a user of 30,000 events has no more leaves than the catalogue has topics. Ward's method cuts at `height`,
    a Euclidean distance (as PinnerSage does over items, arXiv 2007.03634). Topics that are new to a user whose history
    is long enough to be judged are clustered apart: an interest of now is not lost in a lasting one that lies near it.
    `history` must hold positive events only; `vectors` (n_items, d): unit; `topics` (n_items,): topic of each item.
    """
    n_topics = int(topics.max(initial=0)) + 1
    keys = history.users.astype(np.int64) * n_topics + topics[history.items]
    leaves, leaf_of_event = np.unique(keys, return_inverse=True)
    users, topic = leaves // n_topics, leaves % n_topics
    centres = unit(_sums(leaf_of_event, history, vectors, len(leaves)))
    block = 2 * users + _new(history, users, leaf_of_event, settings)  # what is not new comes first
    order = np.argsort(block, kind="stable")
    offsets = np.searchsorted(block[order], np.arange(2 * history.n_users + 1)).astype(np.int64)
    groups = np.empty(len(leaves), np.int64)
    groups[order] = GROUPINGS[settings.method](centres[order], offsets, height)

    n_groups = np.zeros(2 * history.n_users, np.int64)
    np.maximum.at(n_groups, block, groups + 1)
    of_leaf = (np.cumsum(n_groups) - n_groups)[block] + groups
    of_event = of_leaf[leaf_of_event]
    owners = np.repeat(np.arange(2 * history.n_users, dtype=np.int32) // 2, n_groups)
    return InterestPoints(
        owners, *_represent(of_event, history, vectors, topics, len(owners)), of_event, of_leaf, topic
    )


def _new(history: History, users: np.ndarray, leaf_of_event: np.ndarray, settings: TierSettings) -> np.ndarray:
    """Whether each leaf (L,), of `users` (L,), began in its owner's last `recent_days`, if they have a past: bool."""
    began = first_and_last(history.times, leaf_of_event, len(users))[0]
    last = first_and_last(history.times, history.users, history.n_users)[1]
    judged = active_periods(history, settings) >= settings.min_periods
    return np.asarray(judged[users] & (began > last[users] - settings.recent_days * DAY))


def let_go(
    points: InterestPoints, history: History, vectors: np.ndarray, topics: np.ndarray, events: np.ndarray
) -> InterestPoints:
    """The points without the `events` (n,) bool, of which no point may lose all.

    Vectors and medoids are computed again from the remaining events.
    """
    of_event = np.where(events, -1, points.of_event)
    found, medoids = _represent(of_event, history, vectors, topics, len(points.users))
    return replace(points, vectors=found, medoids=medoids, of_event=of_event)


def _represent(
    of_event: np.ndarray, history: History, vectors: np.ndarray, topics: np.ndarray, n_points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Vector (P, d) and medoid (P,) of each point."""
    member = of_event >= 0
    kept, history = of_event[member], history.keep(member)
    points = unit(_sums(kept, history, vectors, n_points))
    return points, _medoids(kept, history, vectors, topics, points)


def _sums(groups: np.ndarray, history: History, vectors: np.ndarray, n_groups: int) -> np.ndarray:
    """Weighted sum of the item vectors of each group of events: (n_groups, d)."""
    shape = (n_groups, history.n_items)
    weights = sparse.csr_matrix((history.weights, (groups, history.items)), shape=shape)
    return np.asarray(weights @ np.asarray(vectors, np.float32))


def _medoids(
    of_event: np.ndarray, history: History, vectors: np.ndarray, topics: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Item row of the member of each point's main topic that is nearest to it, ties by item row: (P,).

    The main topic is that whose events have the largest summed weight times cosine to the point, ties by topic.
    """
    n_items = history.n_items
    members, member = np.unique(of_event * np.int64(n_items) + history.items, return_inverse=True)
    point, item = np.divmod(members, n_items)
    closeness = cosines(item, vectors, point, points)
    said = np.bincount(member, history.weights, len(members)) * np.maximum(closeness, 0)
    n_topics = int(topics.max(initial=0)) + 1
    pairs, pair = np.unique(point * n_topics + topics[item], return_inverse=True)
    of_topic = np.bincount(pair, said, len(pairs))
    largest = np.lexsort((pairs, -of_topic, pairs // n_topics))
    main = pairs[largest][np.searchsorted(pairs[largest] // n_topics, np.arange(len(points)))]
    order = np.lexsort((item, -closeness, point * n_topics + topics[item] != main[point], point))
    first = np.searchsorted(point[order], np.arange(len(points)))
    return np.asarray(item[order][first], np.int32)


def cosines(items: np.ndarray, vectors: np.ndarray, of: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Cosine of each of `items` (m,) to the point `of` (m,) it is paired with: (m,), in bounded memory."""
    found = np.empty(len(items), np.float32)
    for start in range(0, len(items), 65_536):
        part = slice(start, start + 65_536)
        found[part] = (np.asarray(vectors[items[part]]) * points[of[part]]).sum(1)
    return found
