"""Where recommendations come from: who is asked for, what a generator proposes, and all proposals side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from strata.compiled import compiled
from strata.facts import PointFacts
from strata.history import History
from strata.metrics import NOTHING, top_k


@dataclass(frozen=True)
class Audience:
    """The users one call recommends to, numbered 0 … B−1.

    `history`: their events, with B users. `points` (P, d), `owners` (P,) and `weights` (P,): their interest
    points, whose they are and how much each counts, less than 0 for what they dislike. `facts`: tier, numbers and
    topics of the points they like, which come first. `allowed` (n_items,) bool: what filters admit. `times` (B,): when
    each is asked for, in seconds. `exclude_seen`: whether items of the history may come back.
    """

    history: History
    points: np.ndarray
    owners: np.ndarray
    weights: np.ndarray
    facts: PointFacts
    allowed: np.ndarray
    times: np.ndarray
    exclude_seen: bool = True

    def __len__(self) -> int:
        return self.history.n_users

    def admitted(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Item rows (m,) that filters admit and their part of `scores` (B, n_items), −inf for what must not come back.

        Most of a large catalogue may be filtered out, and is not looked at again.
        """
        items, users, places = self._admission
        admitted = scores[:, items] if len(items) < scores.shape[1] else scores.copy()
        admitted[users, places] = -np.inf
        return items, admitted

    @cached_property
    def seen(self) -> np.ndarray:
        """What is in each user's history: (B, n_items) bool."""
        found = np.zeros((len(self), self.history.n_items), bool)
        found[self.history.users, self.history.items] = True
        return found

    @cached_property
    def _admission(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Item rows that filters admit; users, and places among these rows, of what must not come back."""
        items = np.flatnonzero(self.allowed)
        if not self.exclude_seen:
            return items, items[:0], items[:0]
        place = np.full(len(self.allowed), NOTHING)
        place[items] = np.arange(len(items))
        seen = place[self.history.items]
        return items, self.history.users[seen >= 0], seen[seen >= 0]


@dataclass(frozen=True)
class Candidates:
    """Flat (user, item, score) triples, n of them: `users` 0 … B−1 ascending, `items` item rows, `scores` float32.

    `everything` (B, n_items): the scores of all items, where the generator knows them. `found` (m,) each: point, item
    and score of all that the interest points found, where they are what it proposes from.
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    everything: np.ndarray | None = None
    found: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    @classmethod
    def best(cls, scores: np.ndarray, audience: Audience, n: int, least: float | np.ndarray = -np.inf) -> Self:
        """The `n` best items of every user that they may be shown and that score more than `least`, one or (B, 1)."""
        items, admitted = audience.admitted(scores)
        places, best = top_k(admitted, n)
        there = best > least
        return cls(there.nonzero()[0], items[places[there]], best[there].astype(np.float32), scores)

    @classmethod
    def none(cls) -> Self:
        """Nothing proposed."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


class Generator(Protocol):
    """Proposes items for an audience."""

    @property
    def name(self) -> str:
        """How weights, features and reasons refer to it."""
        ...

    def propose(self, audience: Audience, n: int) -> Candidates:
        """About `n` items per user, none that the audience's filters forbid."""
        ...


@dataclass(frozen=True)
class Table:
    """All candidates of a call: one row per (user, item), one column per generator.

    `raw` (n, G): the generators' scores, 0 where one knows none. `features` (n, G) in [0, 1]: a generator's score
    scaled between its worst and best candidate of that user, 0 where it did not propose the item. Rows are sorted by
    user and item. `found`: point, item and score (m,) of all that interest points found, of the table's items or not.
    """

    users: np.ndarray
    items: np.ndarray
    raw: np.ndarray
    features: np.ndarray
    generators: tuple[str, ...]
    found: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    @classmethod
    def join(cls, proposals: Mapping[str, Candidates], *, n_items: int) -> Self:
        """Put the proposals of several generators side by side."""
        keys = [c.users.astype(np.int64) * n_items + c.items for c in proposals.values()]
        pairs, places = distinct(keys)
        users, items = pairs // n_items, pairs % n_items
        raw, features = (np.zeros((len(pairs), len(proposals)), np.float32) for _ in range(2))
        for column, (rows, proposed) in enumerate(zip(places, proposals.values(), strict=True)):
            scaled = np.empty(len(rows), np.float32)
            compiled(_scale)(proposed.users, proposed.scores, scaled)
            features[rows, column] = scaled
            if proposed.everything is None:
                raw[rows, column] = proposed.scores
            else:
                raw[:, column] = proposed.everything[users, items]
        found = next((proposed.found for proposed in proposals.values() if proposed.found is not None), None)
        return cls(users, items, raw, features, tuple(proposals), found)

    @classmethod
    def stacked(cls, blocks: Iterable[tuple[int, Self]]) -> Self:
        """One table of several blocks of users; each says which number its first user has."""
        first, tables = zip(*blocks, strict=True)
        return cls(
            np.concatenate([table.users + start for start, table in zip(first, tables, strict=True)]),
            np.concatenate([table.items for table in tables]),
            np.concatenate([table.raw for table in tables]),
            np.concatenate([table.features for table in tables]),
            tables[0].generators,
        )

    def __len__(self) -> int:
        return len(self.users)

    def only(self, kept: np.ndarray) -> Self:
        """The rows where `kept` (n,) holds."""
        return replace(
            self,
            users=self.users[kept],
            items=self.items[kept],
            raw=self.raw[kept],
            features=self.features[kept],
        )

    def added(self, n_points: int) -> np.ndarray:
        """What each of the only user's `n_points` added to the score of each row: (n_points, n), 0 where nothing."""
        added = np.zeros((n_points, len(self)), np.float32)
        if self.found is not None:
            points, items, scores = self.found
            found, row = np.nonzero(items[:, None] == self.items)
            added[points[found], row] = scores[found]
        return added

    def top(self, scores: np.ndarray, n_users: int, k: int) -> np.ndarray:
        """Positions in this table of each user's best k rows (n_users, k), ties by item; NOTHING pads."""
        order = np.lexsort((-scores, self.users))  # stable, and items ascend
        users = self.users[order]
        place = np.arange(len(users)) - np.searchsorted(users, users)
        ranked = np.full((n_users, k), NOTHING, np.int64)
        kept = place < k
        ranked[users[kept], place[kept]] = order[kept]
        return ranked

    def items_at(self, positions: np.ndarray) -> np.ndarray:
        """Item rows at table positions, padding kept."""
        return np.asarray(np.append(self.items, NOTHING)[positions])  # NOTHING, −1, picks the last


def propose(audience: Audience, generators: Sequence[Generator], n: int) -> Table:
    """Ask every generator and put the answers side by side."""
    proposals = {generator.name: generator.propose(audience, n) for generator in generators}
    return Table.join(proposals, n_items=audience.history.n_items)


def distinct(keys: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All different keys, ascending, and for each array of keys where among them its own are.

    Keys are numbers from 0 of (user, item) pairs, so that a table of them is no larger than the scores of one
    generator; looking up there takes a fraction of the time of sorting.
    """
    there = np.zeros(1 + max((int(each.max(initial=-1)) for each in keys), default=-1), bool)
    for each in keys:
        there[each] = True
    found = np.flatnonzero(there)
    place = np.empty(len(there), np.int64)
    place[found] = np.arange(len(found))
    return found, [place[each] for each in keys]


def _scale(users: np.ndarray, scores: np.ndarray, scaled: np.ndarray) -> None:
    """Fill `scaled` (n,) with scores from 0 (the worst of a user) to 1 (the best); `users` (n,) lie together."""
    start, n = 0, len(users)
    while start < n:
        low = high = scores[start]
        stop = start
        while stop < n and users[stop] == users[start]:
            low, high = min(low, scores[stop]), max(high, scores[stop])
            stop += 1
        for place in range(start, stop):
            scaled[place] = (scores[place] - low) / (high - low) if high > low else 1
        start = stop
