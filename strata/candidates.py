"""Where recommendations come from: a few generators behind one small interface, each keeping its scores."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from strata.collaborative import ItemModel, weigh
from strata.history import History
from strata.index import ItemIndex
from strata.metrics import NOTHING, top_k


@dataclass(frozen=True)
class Audience:
    """The users one call recommends to, numbered 0 … B−1.

    `history`: their events, with B users. `points` (P, d), `owners` (P,) and `weights` (P,): their interest
    points, whose they are and how much each counts, less than 0 for what they dislike. `allowed` (n_items,) bool:
    what filters admit. `exclude_seen`: whether items of the history may come back.
    """

    history: History
    points: np.ndarray
    owners: np.ndarray
    weights: np.ndarray
    allowed: np.ndarray
    exclude_seen: bool = True

    def __len__(self) -> int:
        return self.history.n_users

    def forbid(self, scores: np.ndarray) -> np.ndarray:
        """`scores` (B, n_items) with −inf where an item must not be recommended."""
        scores = np.where(self.allowed, scores, -np.inf)
        if self.exclude_seen:
            scores[self.history.users, self.history.items] = -np.inf
        return scores


@dataclass(frozen=True)
class Candidates:
    """Flat (user, item, score) triples, n of them: `users` 0 … B−1, `items` item rows, `scores` float32."""

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray


class Generator(Protocol):
    """Proposes items for an audience."""

    @property
    def name(self) -> str:
        """How weights and reasons refer to it."""
        ...

    def propose(self, audience: Audience, n: int) -> Candidates:
        """About `n` items per user, none that the audience's filters forbid."""
        ...


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
        pairs, place = np.unique(audience.owners[points].astype(np.int64) * n_items + items, return_inverse=True)
        totals = np.bincount(place, scores, len(pairs)).astype(np.float64)
        totals += self._disliked(audience, pairs // n_items, pairs % n_items)
        return _best(pairs // n_items, pairs % n_items, totals.astype(np.float32), n)

    def contributions(self, audience: Audience, n: int, items: np.ndarray) -> np.ndarray:
        """What each point adds to the score of each of `items` (k,) when `n` are proposed: (P, k), 0 where nothing."""
        points, found, scores = self._found(audience, n)
        added = np.zeros((len(audience.points), len(items)), np.float32)
        point, place = np.nonzero(found[:, None] == items)
        added[points[point], place] = scores[point]
        return added

    def _found(self, audience: Audience, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Point, item and weighted cosine of all that the points find within their quotas: three of (m,)."""
        liked = np.flatnonzero(audience.weights > 0)
        if not len(liked):
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        weights = audience.weights[liked]
        seen = np.diff(audience.history.offsets).max(initial=0) if audience.exclude_seen else 0
        allowed = None if audience.allowed.all() else audience.allowed
        items, cosines = self.index.search(audience.points[liked], int(n + seen), allowed)
        admitted = items != NOTHING
        if audience.exclude_seen:
            keys = audience.owners[liked][:, None].astype(np.int64) * len(self.index) + items
            had = audience.history.users.astype(np.int64) * len(self.index) + audience.history.items
            admitted &= ~np.isin(keys, had)
        quota = np.maximum(np.ceil(n * weights), LEAST_QUOTA)
        admitted &= np.cumsum(admitted, axis=1) <= quota[:, None]
        point, _ = np.nonzero(admitted)
        return liked[point], items[admitted], (cosines * weights[:, None])[admitted]

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
    """Items that an item model (EASE, neighbours) finds going with the user's weighted history."""

    model: ItemModel
    name: str

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` best-scored items of users who have a history."""
        users = audience.history.active_users()
        if not len(users):
            return _none()
        scores = audience.forbid(self.model.scores(weigh(audience.history, self.model.half_life)))[users]
        items, best = top_k(scores, n)
        return _flat(users, items, best)


@dataclass(frozen=True)
class Popular:
    """What many chose in the latest window: `counts` (n_items,)."""

    counts: np.ndarray
    name: str = "popular"

    def propose(self, audience: Audience, n: int) -> Candidates:
        """The `n` most popular items that each user may be shown."""
        scores = audience.forbid(np.tile(self.counts, (len(audience), 1)))
        return _flat(np.arange(len(audience)), *top_k(scores, n))


def _flat(users: np.ndarray, items: np.ndarray, scores: np.ndarray) -> Candidates:
    """Triples from rankings (B, n), padding left out."""
    there = items != NOTHING
    return Candidates(np.repeat(users, items.shape[1])[there.ravel()], items[there], scores[there].astype(np.float32))


def _best(users: np.ndarray, items: np.ndarray, scores: np.ndarray, n: int) -> Candidates:
    """The `n` best triples of each user, ties by item row."""
    order = np.lexsort((items, -scores, users))
    users, items, scores = users[order], items[order], scores[order]
    place = np.arange(len(users)) - np.searchsorted(users, users)
    return Candidates(users[place < n], items[place < n], scores[place < n])


def _none() -> Candidates:
    return Candidates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
