"""The generators: interests, item models, people with the same history, what is popular, what is bought again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from strata.candidates import Audience, Candidates, distinct
from strata.collaborative import ItemModel, UserNeighbours, weigh
from strata.history import DAY
from strata.index import ItemIndex
from strata.metrics import NOTHING

LEAST_QUOTA = 5
"""Items that the weakest point may propose."""


@dataclass(frozen=True)
class NearestToInterests:
    """Items nearest to each interest point: r_ij = Σ_k w_ik · (x_ik · y_j) over the points k that found item j.

    Each point finds as many as its weight, in which its tier counts, gives it a quota of, and LEAST_QUOTA at least: no
    strong interest silences the others, and an item belongs to the interests it is really near to. Dislikes find
    nothing; what they are near to loses w_ik · max(0, x_ik · y_j).
    """

    index: ItemIndex
    name: str = "interests"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """About `n` items of every user by quota, their weighted cosines summed per user and item."""
        n_items = len(self.index)
        points, items, scores = self._found(audience, n)
        pairs, (place,) = distinct([audience.owners[points].astype(np.int64) * n_items + items])
        totals = np.bincount(place, scores, len(pairs)).astype(np.float64)
        totals += self._disliked(audience, pairs // n_items, pairs % n_items)
        best = _best(pairs // n_items, pairs % n_items, totals.astype(np.float32), n)
        return replace(best, found=(points, items, scores))

    def search(self, audience: Audience, n: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Liked points (p,), the items nearest to them (p, m) and the cosines, as many as quota and history call for.

        Points that call for about as many are searched for together: a search takes time with its length.
        """
        liked = np.flatnonzero(audience.weights > 0)
        needed = self._quota(audience.weights[liked], n)
        if audience.exclude_seen:
            needed = needed + np.diff(audience.history.offsets)[audience.owners[liked]]
        lengths = np.exp2(np.ceil(np.log2(np.maximum(needed, 1)))).astype(np.int64)
        allowed = None if audience.allowed.all() else audience.allowed
        for length in np.unique(lengths):
            points = liked[lengths == length]
            yield points, *self.index.search(audience.points[points], int(length), allowed)

    def _quota(self, weights: np.ndarray, n: int) -> np.ndarray:
        return np.asarray(np.maximum(np.ceil(n * weights), LEAST_QUOTA))

    def _found(self, audience: Audience, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Point, item and weighted cosine of all that the points find within their quotas: three of (m,)."""
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for points, items, cosines in self.search(audience, n):
            weights = audience.weights[points]
            admitted = items != NOTHING
            if audience.exclude_seen:
                admitted &= ~audience.seen[audience.owners[points][:, None], items]
            admitted &= np.cumsum(admitted, axis=1) <= self._quota(weights, n)[:, None]
            point, _ = np.nonzero(admitted)
            found.append((points[point], items[admitted], (cosines * weights[:, None])[admitted]))
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        point, item, score = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return point, item, score

    def _disliked(self, audience: Audience, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """What dislikes take from each (user, item) pair (n,), 0 or less; `users` ascending."""
        taken = np.zeros(len(users))
        for point in np.flatnonzero(audience.weights < 0):
            start, stop = np.searchsorted(users, [audience.owners[point], audience.owners[point] + 1])
            near = self.index.vectors(items[start:stop]) @ audience.points[point]
            taken[start:stop] += audience.weights[point] * np.maximum(near, 0)
        return taken


@dataclass(frozen=True)
class FromHistory:
    """Items that an item model (EASE, neighbours, transitions) finds going with the user's weighted history."""

    model: ItemModel
    name: str

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(audience.history):
            return Candidates.none()
        scores = self.model.scores(weigh(audience.history, self.model.half_life))
        return Candidates.best(scores, audience, n, least=0.0)


@dataclass(frozen=True)
class FromPeers:
    """What people with much the same history chose."""

    model: UserNeighbours
    name: str = "peers"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        if not len(audience.history):
            return Candidates.none()
        return Candidates.best(
            self.model.scores(self.model.seen(audience.history, audience.times)), audience, n, least=0.0
        )


@dataclass(frozen=True)
class Popular:
    """What many chose in the latest window: `counts` (n_items,)."""

    counts: np.ndarray
    name: str = "popular"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` most popular items that each user may be shown; what nobody chose only to those without interests."""
        interested = np.bincount(audience.owners[audience.weights > 0], minlength=len(audience)) > 0
        least = np.where(interested, 0.0, -np.inf)
        scores = np.broadcast_to(self.counts, (len(audience), len(self.counts)))
        return Candidates.best(scores, audience, n, least[:, None])


@dataclass(frozen=True)
class PopularInTopics:
    """What is popular in the topics of the user's interests: share of the topic in what they chose × the item's in it.

    `counts` (n_items,): popularity; `topics` (n_items,): topic of each item. What the user chose counts
    2^(−age / HALF_LIFE).
    """

    counts: np.ndarray
    topics: np.ndarray
    name: str = "popular in topics"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best items of users who have interests."""
        history, facts = audience.history, audience.facts
        if not len(history) or not len(facts.leaf_topics):
            return Candidates.none()
        shape = (len(audience), len(self._in_topic))
        age = np.maximum(audience.times[history.users] - history.times, 0) / DAY
        weights = np.exp2(-age / HALF_LIFE) * np.maximum(history.weights, 0)
        cells = history.users * np.int64(shape[1]) + self.topics[history.items]
        chosen = np.bincount(cells, weights, shape[0] * shape[1]).reshape(shape)
        wanted = np.zeros(shape, np.float32)
        interests = audience.owners[facts.leaf_points], facts.leaf_topics
        wanted[interests] = (chosen / np.maximum(chosen.sum(1, keepdims=True), 1e-12))[interests]
        return Candidates.best(wanted[:, self.topics] * self._share, audience, n, least=0.0)

    @cached_property
    def _in_topic(self) -> np.ndarray:
        return np.bincount(self.topics, self.counts)

    @cached_property
    def _share(self) -> np.ndarray:
        """Share of each item in its topic's popularity: (n_items,)."""
        return np.asarray(self.counts / np.maximum(self._in_topic, 1e-12)[self.topics], np.float32)


HALF_LIFE = 40.0
"""Days, of what a user chose of a topic."""


@dataclass(frozen=True)
class BoughtBefore:
    """What the user keeps coming back to: weeks with the item, weighted 2^(−age / half-life); ties by popularity.

    `counts` (n_items,): popularity. `half_life_days`: of the weeks.
    """

    counts: np.ndarray
    half_life_days: float
    name: str = "again"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` items most often chosen before, where items may come back."""
        history = audience.history
        if audience.exclude_seen or not len(history):
            return Candidates.none()
        week = np.maximum((audience.times[history.users] - history.times) // (7 * DAY), 0).astype(np.int64)
        pairs = history.users * np.int64(history.n_items) + history.items
        _, kept = np.unique(pairs * (week.max() + 1) + week, return_index=True)
        weights = np.exp2(-7 * week[kept] / self.half_life_days).astype(np.float32)
        shape = (len(audience), history.n_items)
        again = sparse.csr_matrix((weights, (history.users[kept], history.items[kept])), shape).toarray()
        ties = 1e-4 * self.counts / max(float(self.counts.max(initial=0)), 1e-12)
        return Candidates.best(np.where(again > 0, again + ties, 0), audience, n, least=0.0)


def _best(users: np.ndarray, items: np.ndarray, scores: np.ndarray, n: int) -> Candidates:
    """The `n` best triples of each user, ties by item row."""
    order = np.lexsort((items, -scores, users))
    users, items, scores = users[order], items[order], scores[order]
    place = np.arange(len(users)) - np.searchsorted(users, users)
    return Candidates(users[place < n], items[place < n], scores[place < n])
