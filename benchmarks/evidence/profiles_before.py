"""What profiles of five kinds knew of users at a time, and what the users chose afterwards."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from benchmarks.evidence.context import Context
from benchmarks.evidence.intervals import SEED
from strata.data.history import DAY, History
from strata.embeddings.vectors import unit
from strata.interests.points import InterestPoints, find_points
from strata.interests.statistics import PointStatistics, measure
from strata.interests.tiers import assign
from strata.models.ease import Ease

FEWEST_BUYERS = 5
HALF_LIVES = (30.0, 90.0, 1e9)
MEDOIDS = 8
VARIANTS = ("one vector", "decayed mean", "medoids", "no tiers", "tiers")


@dataclass(frozen=True)
class Before:
    """B users at `time` (seconds), of whom only what came before is known, and what they chose next.

    `items` (m,): rows of those that enough users had chosen before; `relevant` (B, m): the next choices among them.
    `topics` (n_items,): the topic of each item, of t.
    """

    context: Context
    time: float
    past: History
    users: np.ndarray
    items: np.ndarray
    relevant: sparse.csr_matrix
    topics: np.ndarray
    repeats: bool

    @classmethod
    def at(cls, context: Context, time: float, end: float, *, repeats: bool, users: int | None = None) -> "Before":
        """Users with events before `time` and choices between it and `end`, at most so many, drawn by SEED."""
        past, future = context.history.before(time), context.history.between(time, end)
        had, relevant = past.matrix(), future.matrix()
        items = np.flatnonzero(np.bincount(had.indices, minlength=past.n_items) >= FEWEST_BUYERS)
        if not repeats:
            relevant = (relevant - relevant.multiply(had)).tocsr()
            relevant.eliminate_zeros()
        relevant = relevant[:, items].tocsr()
        chosen = np.flatnonzero((np.diff(relevant.indptr) > 0) & (np.diff(past.offsets) > 0))
        if users is not None and len(chosen) > users:
            chosen = np.sort(np.random.default_rng(SEED).choice(chosen, users, replace=False))
        return cls(context, time, past, chosen, items, relevant[chosen].tocsr(), context.topics_at(time), repeats)

    @property
    def n_topics(self) -> int:
        """Number of topics t."""
        return int(self.topics.max()) + 1

    @cached_property
    def wanted(self) -> np.ndarray:
        """How many of the items each user chose of each topic afterwards: (B, t)."""
        counted = sparse.csr_matrix(
            (np.ones(len(self.items), np.float32), (np.arange(len(self.items)), self.topics[self.items])),
            (len(self.items), self.n_topics),
        )
        return np.asarray((self.relevant @ counted).todense(), np.float32)

    @cached_property
    def popularity(self) -> np.ndarray:
        """Decayed count of each of the items (m,), half-life 30 days, a little more than 0."""
        age = (self.time - self.past.times) / DAY
        return np.asarray(np.bincount(self.past.items, np.exp2(-age / 30), self.past.n_items)[self.items] + 1e-2)

    def own(self, part: slice) -> np.ndarray:
        """What the history of some users says of the items themselves: (len(part), m, 1 + len(HALF_LIVES) or 1).

        Where things come back, how often they were chosen, decayed by each half-life, and days since; else EASE.
        −inf marks what must not come back.
        """
        if not self.repeats:
            scores = self._ease.scores(self.past.matrix()[self.users[part]])[:, self.items]
            scores[self.had(part).nonzero()] = -np.inf
            return scores[..., None]
        mine = self._mine.of_users(part.start, part.stop)
        place = np.full(self.past.n_items, -1)
        place[self.items] = np.arange(len(self.items))
        counted = place[mine.items] >= 0
        cell = (mine.users[counted], place[mine.items[counted]])
        age = ((self.time - mine.times) / DAY)[counted]
        found = np.zeros((mine.n_users, len(self.items), 1 + len(HALF_LIVES)), np.float32)
        for column, half_life in enumerate(HALF_LIVES):
            np.add.at(found[..., column], cell, np.exp2(-age / half_life))
        found[..., -1] = 1e3
        np.minimum.at(found[..., -1], cell, age)
        return found

    def had(self, part: slice) -> sparse.csr_matrix:
        """Which of the items some users chose before: (len(part), m)."""
        return self.past.matrix()[self.users[part]][:, self.items]

    @cached_property
    def _ease(self) -> Ease:
        return Ease.fit(self.past, penalty=500, half_life=None)

    def cosines(self, half_life: float, part: slice) -> np.ndarray:
        """Cosine of each of the items to the decayed mean vector of some users: (len(part), m)."""
        return np.asarray(self._means(half_life)[part] @ self._item_vectors.T)

    @property
    def _vectors(self) -> np.ndarray:
        return self.context.vectors_at(self.time)

    @cached_property
    def _item_vectors(self) -> np.ndarray:
        return self._vectors[self.items]

    @cached_property
    def nearest_medoid(self) -> np.ndarray:
        """Largest cosine of each of the items to the medoids of the user's strongest points: (B, m)."""
        return self._to_medoids(self._item_vectors)

    def of_topics(self, variant: str) -> np.ndarray:
        """What a profile of this kind says of each topic, besides its popularity: (B, t, f)."""
        centres = self._centres
        if variant == "one vector":
            return self._one(centres)
        if variant == "decayed mean":
            return np.stack([self._means(half_life) @ centres.T for half_life in HALF_LIVES], axis=2)
        if variant == "medoids":
            return np.stack([self._to_medoids(centres), self._means(HALF_LIVES[-1]) @ centres.T], axis=2)
        without = np.concatenate([self._one(centres), self._shares], axis=2)
        return without if variant == "no tiers" else np.concatenate([without, self._tiers], axis=2)

    @cached_property
    def shared(self) -> np.ndarray:
        """What every kind of profile is told of a user and a topic: its popularity and the user's events: (B, t, 2)."""
        of_topic = np.log(np.bincount(self.topics[self.items], self.popularity, self.n_topics) + 1e-2)
        events = np.log1p(np.diff(self.past.offsets)[self.users])
        shape = (len(self.users), self.n_topics)
        return np.stack([np.broadcast_to(of_topic, shape), np.broadcast_to(events[:, None], shape)], axis=2)

    def _one(self, centres: np.ndarray) -> np.ndarray:
        return (self._means(HALF_LIVES[-1]) @ centres.T)[..., None]

    @cached_property
    def _row(self) -> np.ndarray:
        row = np.full(self.past.n_users, -1)
        row[self.users] = np.arange(len(self.users))
        return row

    @cached_property
    def _mine(self) -> History:
        """The past of these users alone, who are 0 … B − 1 in it."""
        events = self.past.keep(self._row[self.past.users] >= 0)
        return History.from_columns(
            self._row[events.users], events.items, events.times, events.weights,
            n_users=len(self.users), n_items=self.past.n_items,
        )  # fmt: skip

    @cached_property
    def _centres(self) -> np.ndarray:
        shape = (self.n_topics, len(self.topics))
        members = sparse.csr_matrix((np.ones(shape[1], np.float32), (self.topics, np.arange(shape[1]))), shape)
        return unit(members @ self._vectors)

    def _means(self, half_life: float) -> np.ndarray:
        if half_life in self._kept_means:
            return self._kept_means[half_life]
        mine = self._mine
        decayed = (mine.weights * np.exp2(-(self.time - mine.times) / DAY / half_life)).astype(np.float32)
        shape = (len(self.users), self.past.n_items)
        means = unit(sparse.csr_matrix((decayed, (mine.users, mine.items)), shape) @ self._vectors)
        self._kept_means[half_life] = means
        return means

    @cached_property
    def _kept_means(self) -> dict[float, np.ndarray]:
        return {}

    @cached_property
    def _points(self) -> tuple[InterestPoints, PointStatistics]:
        points = find_points(self._mine, self._vectors, self.topics, self.context.settings, height=self.context.height)
        return points, measure(self._mine, points, self.time, self.context.settings)

    def _to_medoids(self, vectors: np.ndarray) -> np.ndarray:
        """Largest cosine of each vector (k, d) to the medoids of each user's MEDOIDS strongest points: (B, k)."""
        points, statistics = self._points
        order = np.lexsort((-statistics.strength, points.users))
        place = np.arange(len(order)) - np.searchsorted(points.users[order], points.users[order])
        nearest = np.full((len(self.users), len(vectors)), -1, np.float32)
        for rank in range(MEDOIDS):
            chosen = order[place == rank]
            found = self._vectors[points.medoids[chosen]] @ vectors.T
            owners = points.users[chosen]
            nearest[owners] = np.maximum(nearest[owners], found)
        return nearest

    @cached_property
    def _shares(self) -> np.ndarray:
        """Logarithm of each topic's share of what a user chose, decayed by each half-life: (B, t, len(HALF_LIVES))."""
        mine, shape = self._mine, (len(self.users), self.n_topics)
        cell = mine.users * np.int64(shape[1]) + self.topics[mine.items]
        found = []
        for half_life in HALF_LIVES:
            decayed = mine.weights * np.exp2(-(self.time - mine.times) / DAY / half_life)
            strength = np.bincount(cell, decayed, shape[0] * shape[1]).reshape(shape)
            found.append(np.log(strength / np.maximum(strength.sum(1, keepdims=True), 1e-9) + 1e-3))
        return np.stack(found, axis=2).astype(np.float32)

    @cached_property
    def _tiers(self) -> np.ndarray:
        """Tier of the point that holds each topic and the numbers behind it, −1 without a point: (B, t, 6)."""
        points, statistics = self._points
        numbers = (
            assign(statistics, self.context.settings), statistics.persistence, statistics.absent, statistics.recent,
            statistics.quiet, statistics.span,
        )  # fmt: skip
        found = np.full((len(self.users), self.n_topics, len(numbers)), -2, np.float32)
        owners = points.users[points.of_leaf]
        for column, number in enumerate(numbers):
            found[owners, points.topics, column] = number[points.of_leaf]
        return found
