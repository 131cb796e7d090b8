"""Where recommendations come from: who is asked for, what a generator proposes, and all proposals side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self

import numpy as np

from strata._kernels.compiled import compiled
from strata._kernels.selection import NOTHING, largest, top_of_groups
from strata.ranking.query import QueryBatch


class Found(NamedTuple):
    """Points, items and scores (m,) of all that interest points found, whether it is proposed or not."""

    points: np.ndarray
    items: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """Flat (user, item, score) triples, n of them: `users` 0 … B−1 ascending, `items` item rows, `scores` float32.

    `everything` (B, n_items): the scores of all items, where the generator knows them. `found`: what interest points
    found, where that is what it proposes from.
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    everything: np.ndarray | None = None
    found: Found | None = None

    @classmethod
    def best(cls, scores: np.ndarray, batch: QueryBatch, n: int, least: float | np.ndarray = -np.inf) -> Self:
        """The `n` best items of every user that they may be shown and that score more than `least`, one or (B,)."""
        everybody = np.arange(len(batch))
        most, least = (np.broadcast_to(each, len(batch)) for each in (n, least))
        users, items, values = largest(scores, everybody, everybody, most, least, batch.admission)
        return cls(users, items, values, scores)

    @classmethod
    def none(cls) -> Self:
        """Nothing proposed."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


class Generator(Protocol):
    """Proposes items in one way, and says why.

    A new one is a module of strata/ranking/generators that has these members, and a line of its registry.
    """

    @property
    def name(self) -> str:
        """How weights, features and reasons refer to it."""
        ...

    @property
    def credited(self) -> Sequence[str]:
        """Groups of the ranker's features that speak for it, beside its own scores: keys of `Features.groups`."""
        ...

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """About `n` items per user, none that the batch's filters forbid."""
        ...

    def led_by(self, item: int, batch: QueryBatch) -> np.ndarray:
        """Rows of the only user's items that led to `item`, the weightiest first; none where no items did."""
        ...

    def says(self, led_by: str) -> str:
        """How its reason begins; `led_by`: titles of what led to the item, in one line. Empty for nothing to say."""
        ...


class ByNothing:
    """Part of a generator that no single item of the history leads to."""

    def led_by(self, item: int, batch: QueryBatch) -> np.ndarray:  # noqa: ARG002
        """No rows."""
        return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Table:
    """All candidates of a call: one row per (user, item), one column per generator.

    `raw` (n, G): the generators' scores, 0 where one knows none. `scaled` (n, G) in [0, 1]: a generator's score
    scaled between its worst and best candidate of that user, 0 where it did not propose the item. Rows are sorted by
    user and item. `found`: what interest points found, of the table's items or not; `found_by`: the column of the
    generator that proposes from it.
    """

    users: np.ndarray
    items: np.ndarray
    raw: np.ndarray
    scaled: np.ndarray
    generators: tuple[str, ...]
    found: Found | None = None
    found_by: int = NOTHING

    @classmethod
    def join(cls, proposals: Mapping[str, Candidates], *, n_items: int) -> Self:
        """Put the proposals of several generators side by side."""
        shape = 1 + max((int(c.users.max(initial=-1)) for c in proposals.values()), default=-1), n_items
        place = np.full(shape, NOTHING, np.int32)
        for proposed in proposals.values():
            compiled(_mark)(proposed.users, proposed.items, place)
        users, items = (np.empty(sum(len(c.users) for c in proposals.values()), np.int64) for _ in range(2))
        size = compiled(_number)(place, users, items)
        users, items = users[:size], items[:size]
        raw, scaled = (columns(len(users), len(proposals)) for _ in range(2))
        raw[:], scaled[:] = 0, 0
        for column, proposed in enumerate(proposals.values()):
            of_column = raw[:, column], scaled[:, column]
            compiled(_fill)(proposed.users, proposed.items, proposed.scores, place, *of_column)
            if proposed.everything is not None:
                compiled(_look_up)(proposed.everything, users, items, raw[:, column])
        told = ((column, each.found) for column, each in enumerate(proposals.values()) if each.found is not None)
        found_by, found = next(told, (NOTHING, None))
        return cls(users, items, raw, scaled, tuple(proposals), found, found_by)

    @classmethod
    def stacked(cls, blocks: Iterable[tuple[int, Self]]) -> Self:
        """One table of several blocks of users; each says which number its first user has."""
        first, tables = zip(*blocks, strict=True)
        return cls(
            np.concatenate([table.users + start for start, table in zip(first, tables, strict=True)]),
            np.concatenate([table.items for table in tables]),
            np.concatenate([table.raw for table in tables]),
            np.concatenate([table.scaled for table in tables]),
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
            scaled=self.scaled[kept],
        )

    def added(self, n_points: int) -> np.ndarray:
        """What each of the only user's `n_points` added to the score of each row: (n_points, n), 0 where nothing."""
        added = np.zeros((n_points, len(self)), np.float32)
        if self.found is not None:
            found, row = np.nonzero(self.found.items[:, None] == self.items)
            added[self.found.points[found], row] = self.found.scores[found]
        return added

    def top(self, scores: np.ndarray, n_users: int, k: int) -> np.ndarray:
        """Positions in this table of each user's best k rows (n_users, k), ties by item; NOTHING pads."""
        return top_of_groups(scores, np.searchsorted(self.users, np.arange(n_users + 1)), k)

    def items_at(self, positions: np.ndarray) -> np.ndarray:
        """Item rows at table positions, padding kept."""
        return np.asarray(np.append(self.items, NOTHING)[positions])  # NOTHING, −1, picks the last


def propose(batch: QueryBatch, generators: Sequence[Generator], n: int) -> Table:
    """Ask every generator and put the answers side by side."""
    proposals = {generator.name: generator.propose(batch, n) for generator in generators}
    return Table.join(proposals, n_items=batch.history.n_items)


def columns(n: int, width: int) -> np.ndarray:
    """Room for a table (n, width) float32 that is filled and read by columns: each lies together."""
    return np.empty((width, n), np.float32).T


def _mark(users: np.ndarray, items: np.ndarray, place: np.ndarray) -> None:
    for n in range(len(users)):
        place[np.uint64(users[n]), np.uint64(items[n])] = 0


def _number(place: np.ndarray, users: np.ndarray, items: np.ndarray) -> int:
    """Number what is marked in `place` (B, n_items) from 0 and fill in what it is; how many there are."""
    size = 0
    for user in range(place.shape[0]):
        for item in range(place.shape[1]):
            if place[user, item] == 0:
                users[size], items[size], place[user, item] = user, item, size
                size += 1
    return size


def _fill(
    users: np.ndarray, items: np.ndarray, scores: np.ndarray, place: np.ndarray, raw: np.ndarray, scaled: np.ndarray
) -> None:
    """Fill in scores, and scaled from 0 (the worst of a user) to 1 (the best); `users` (n,) lie together."""
    start, n = 0, len(users)
    while start < n:
        low = high = scores[start]
        stop = start
        while stop < n and users[stop] == users[start]:
            low, high = min(low, scores[stop]), max(high, scores[stop])
            stop += 1
        for of in range(start, stop):
            row = place[np.uint64(users[of]), np.uint64(items[of])]
            raw[row] = scores[of]
            scaled[row] = (scores[of] - low) / (high - low) if high > low else 1
        start = stop


def _look_up(scores: np.ndarray, rows: np.ndarray, columns: np.ndarray, found: np.ndarray) -> None:
    for place in range(len(rows)):
        found[place] = scores[np.uint64(rows[place]), np.uint64(columns[place])]  # unsigned: not from the end
