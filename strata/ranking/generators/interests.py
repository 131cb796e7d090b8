"""Items nearest to each interest point, with quotas by weight."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from strata._kernels.compiled import compiled
from strata._kernels.selection import NOTHING, best_of_groups, largest
from strata.embeddings.index import ItemIndex
from strata.ranking.candidates import ByNothing, Candidates, Found
from strata.ranking.query import QueryBatch


@dataclass(frozen=True)
class NearestToInterests(ByNothing):
    """Items nearest to each interest point: r_ij = Σ_k w_ik · (x_ik · y_j) over the points k that found item j.

    Each point has a quota in proportion to its weight (which includes its tier weight), `least_quota` at least, so that
    strong interests do not crowd out the others. Dislikes propose nothing; items near to them lose
    |w_ik| · max(0, x_ik · y_j).
    """

    index: ItemIndex
    least_quota: int
    name: str = "interests"
    credited = ("nearest", "topic")

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says nothing: every reason ends with its interest point anyway."""
        return ""

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """About `n` items of every user by quota, their weighted cosines summed per user and item."""
        if batch.cosines is None:
            points, items, near = self._searched(batch, n)
        else:
            points, items, near = self._looked_at(batch, n, batch.cosines)
        found = Found(points, items, near * batch.weights[points])
        users, of_user, totals = _summed(batch.owners[points], items, found.scores, len(self.index))
        totals += self._disliked(batch, users, of_user)
        totals, starts = totals.astype(np.float32), np.searchsorted(users, np.arange(len(batch) + 1))
        best = best_of_groups(totals, starts, n)
        return Candidates(users[best], of_user[best], totals[best], found=found, beyond=partial(self._beyond, batch))

    def search(self, batch: QueryBatch, n: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield liked points (p,), their nearest items (p, m) and cosines; m covers the quota and the barred items.

        Points that need about the same m are searched together, as time grows with m.
        """
        liked, needed = self._quotas(batch, n)
        needed = needed + np.diff(batch.barred_events.offsets)[batch.owners[liked]]
        lengths = np.exp2(np.ceil(np.log2(np.maximum(needed, 1)))).astype(np.int64)
        allowed = None if batch.allowed.all() else batch.allowed
        for length in np.unique(lengths):
            points = liked[lengths == length]
            yield points, *self.index.search(batch.points[points], int(length), allowed)

    def _beyond(self, batch: QueryBatch, users: np.ndarray, items: np.ndarray) -> tuple[Found, np.ndarray]:
        """What each user's nearest liked point would have found of items that nothing proposed, and their scores (m,).

        `users` (m,): of each of `items` (m,), ascending; the score is 0 for users without points.
        """
        near, point = np.full(len(users), -np.inf, np.float32), np.full(len(users), NOTHING)
        vectors = self.index.vectors(items)
        for liked in np.flatnonzero(batch.weights > 0):
            mine = slice(*np.searchsorted(users, [batch.owners[liked], batch.owners[liked] + 1]))
            cosines = vectors[mine] @ batch.points[liked]
            point[mine] = np.where(cosines > near[mine], liked, point[mine])
            near[mine] = np.maximum(near[mine], cosines)
        there = point != NOTHING
        found = Found(point[there], items[there], near[there] * batch.weights[point[there]])
        scores = np.zeros(len(users))
        scores[there] = found.scores
        return found, (scores + self._disliked(batch, users, items)).astype(np.float32)

    def _quotas(self, batch: QueryBatch, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Liked points (p,) and how many items each may propose."""
        liked = np.flatnonzero(batch.weights > 0)
        quotas = np.maximum(np.ceil(n * batch.weights[liked]), self.least_quota)
        return liked, quotas.astype(np.int64)

    def _looked_at(self, batch: QueryBatch, n: int, cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Point, item and cosine of the items within each point's quota, from the full cosine matrix: three of (m,)."""
        liked, quotas = self._quotas(batch, n)
        anything = np.full(len(liked), -np.inf)
        return largest(cosines, liked, batch.owners[liked], quotas, anything, batch.admission)

    def _searched(self, batch: QueryBatch, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same as `_looked_at`, by searching the index."""
        liked, of_liked = self._quotas(batch, n)
        quotas = np.zeros(len(batch.weights), np.int64)
        quotas[liked] = of_liked
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for points, items, cosines in self.search(batch, n):
            admitted = items != NOTHING
            if len(batch.barred_events):
                admitted &= ~batch.barred[batch.owners[points][:, None], items]
            admitted &= np.cumsum(admitted, axis=1) <= quotas[points, None]
            point, _ = np.nonzero(admitted)
            found.append((points[point], items[admitted], cosines[admitted]))
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        point, item, near = (np.concatenate(parts) for parts in zip(*found, strict=True))
        in_order = np.argsort(point, kind="stable")
        return point[in_order], item[in_order], near[in_order]

    def _disliked(self, batch: QueryBatch, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """What dislikes add to the score of each (user, item) pair: (n,), 0 or less; `users` ascending."""
        taken, against = np.zeros(len(users)), np.flatnonzero(batch.weights < 0)
        starts, stops = (np.searchsorted(users, batch.owners[against], side) for side in ("left", "right"))
        if batch.cosines is not None:
            compiled(_take)(batch.cosines, against, starts, stops, batch.weights[against], items, taken)
            return taken
        for point, start, stop in zip(against, starts, stops, strict=True):
            near = self.index.vectors(items[start:stop]) @ batch.points[point]
            taken[start:stop] += batch.weights[point] * np.maximum(near, 0)
        return taken


def _summed(
    users: np.ndarray, items: np.ndarray, scores: np.ndarray, n_items: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (user, item) pairs in order, and the sum of each one's scores: three of (m,); `users` (n,) ascending."""
    owners, rows, totals = np.empty(len(users), np.int64), np.empty(len(users), np.int64), np.empty(len(users))
    size = compiled(_sum)(users, items, scores, np.zeros(n_items), owners, rows, totals)
    return owners[:size], rows[:size], totals[:size]


def _sum(
    users: np.ndarray, items: np.ndarray, scores: np.ndarray, sums: np.ndarray,
    owners: np.ndarray, rows: np.ndarray, totals: np.ndarray,
) -> int:  # fmt: skip
    """Fill `owners`, `rows` and `totals`, and return how many. `sums` (n_items,): zeros, before and after."""
    size, start, n = 0, 0, len(users)
    while start < n:
        stop = start
        while stop < n and users[stop] == users[start]:
            sums[items[stop]] += scores[stop]
            stop += 1
        before = -1
        for item in np.sort(items[start:stop]):
            if item != before:
                owners[size], rows[size], totals[size] = users[start], item, sums[item]
                sums[item] = 0
                size += 1
            before = item
        start = stop
    return size


def _take(
    cosines: np.ndarray, points: np.ndarray, starts: np.ndarray, stops: np.ndarray, weights: np.ndarray,
    items: np.ndarray, taken: np.ndarray,
) -> None:  # fmt: skip
    """Add to `taken` (n,) the (negative) scores of disliked `points`, each on its owner's rows from start to stop."""
    for number in range(len(points)):
        for place in range(starts[number], stops[number]):
            taken[place] += weights[number] * max(cosines[points[number], items[place]], np.float32(0))
