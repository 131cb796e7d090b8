"""Recently popular items: of the whole catalogue, and of the topics of the user's interests."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from strata._kernels.compiled import compiled
from strata.data.history import DAY
from strata.ranking.candidates import ByNothing, Candidates
from strata.ranking.query import QueryBatch


@dataclass(frozen=True)
class Popular(ByNothing):
    """The most popular items of the latest window; `counts` (n_items,): their popularity."""

    counts: np.ndarray
    name: str = "popular"
    credited = ("trends",)

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says that it is popular."""
        return "popular these days"

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The `n` most popular items that each user may be shown; with 0 choices only for users without interests."""
        interested = np.bincount(batch.owners[batch.weights > 0], minlength=len(batch)) > 0
        least = np.where(interested, 0.0, -np.inf)
        scores = np.broadcast_to(self.counts, (len(batch), len(self.counts)))
        return Candidates.best(scores, batch, n, least)


@dataclass(frozen=True)
class PopularInTopics(ByNothing):
    """Popular items of the user's topics: the topic's share of the user's choices × the item's share of the topic.

    `counts` (n_items,): popularity; `topics` (n_items,): topic of each item. A choice counts
    2^(−age / `half_life_days`).
    """

    counts: np.ndarray
    topics: np.ndarray
    half_life_days: float
    name: str = "popular in topics"
    credited = ()

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says that it is popular in the user's topics."""
        return "popular among what you are into"

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The `n` best items of users who have interests."""
        history, facts = batch.choices, batch.facts
        if not len(history) or not len(facts.leaf_topics):
            return Candidates.none()
        shape = (len(batch), max(len(self._in_topic), int(facts.leaf_topics.max()) + 1))
        age = np.maximum(batch.times[history.users] - history.times, 0) / DAY
        weights = np.exp2(-age / self.half_life_days) * np.maximum(history.weights, 0)
        cells = history.users * np.int64(shape[1]) + self.topics[history.items]
        chosen = np.bincount(cells, weights, shape[0] * shape[1]).reshape(shape)
        wanted = np.zeros(shape, np.float32)
        interests = batch.owners[facts.leaf_points], facts.leaf_topics
        wanted[interests] = (chosen / np.maximum(chosen.sum(1, keepdims=True), 1e-12))[interests]
        scores = np.empty((len(batch), len(self.topics)), np.float32)
        compiled(_spread)(wanted, self.topics, self._share, scores)
        return Candidates.best(scores, batch, n, least=0.0)

    @cached_property
    def _in_topic(self) -> np.ndarray:
        return np.bincount(self.topics, self.counts)

    @cached_property
    def _share(self) -> np.ndarray:
        """Share of each item in its topic's popularity: (n_items,)."""
        return np.asarray(self.counts / np.maximum(self._in_topic, 1e-12)[self.topics], np.float32)


def _spread(wanted: np.ndarray, topics: np.ndarray, share: np.ndarray, scores: np.ndarray) -> None:
    """Fill `scores` (B, n_items): `wanted` (B, topics) of the item's topic × `share` (n_items,) of the item."""
    for user in range(len(scores)):
        for item in range(len(topics)):
            scores[user, item] = wanted[user, np.uint64(topics[item])] * share[item]
