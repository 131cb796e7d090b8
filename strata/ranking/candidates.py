"""Candidates: what one generator proposes for a query batch, and the table that joins all generators' proposals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self

import numpy as np

from strata._kernels.compiled import compiled
from strata._kernels.selection import NOTHING, largest, top_of_groups
from strata.ranking.query import QueryBatch


class Found(NamedTuple):
    """Points, items and scores (m,) of every item that an interest point found, proposed or not."""

    points: np.ndarray
    items: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """Flat (user, item, score) triples, n of them: `users` 0 … B−1 ascending, `items` item rows, `scores` float32.

    `everything` (B, n_items): scores of all items, if the generator computes them. `found`: what each interest point
    found, if the generator proposes from points; `beyond`: gives for users (m,), ascending, and items (m,) that nothing
    proposed what the points would have found, and the score of each pair (m,).
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    everything: np.ndarray | None = None
    found: Found | None = None
    beyond: Callable[[np.ndarray, np.ndarray], tuple[Found, np.ndarray]] | None = None

    @classmethod
    def best(cls, scores: np.ndarray, batch: QueryBatch, n: int, least: float | np.ndarray = -np.inf) -> Self:
        """The `n` best items that each user may be shown and that score above `least`, a number or (B,)."""
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

    To add one, write a module in strata/ranking/generators with these members and add it to the registry.
    """

    @property
    def name(self) -> str:
        """The name that weights, features and reasons use for it."""
        ...

    @property
    def credited(self) -> Sequence[str]:
        """Feature groups whose contributions are credited to it, besides its own scores: keys of `Features.groups`."""
        ...

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """About `n` items per user, none that the batch's filters forbid."""
        ...

    def led_by(self, item: int, batch: QueryBatch) -> np.ndarray:
        """Rows of the history items of a one-user batch that led to `item`, the strongest first; may be empty."""
        ...

    def says(self, led_by: str) -> str:
        """The beginning of its reason, or ""; `led_by`: titles of the items that led to it, in one line."""
        ...


class ByNothing:
    """Base of generators whose candidates come from no single item of the history."""

    def led_by(self, item: int, batch: QueryBatch) -> np.ndarray:  # noqa: ARG002
        """No rows."""
        return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Table:
    """All candidates of a call: one row per (user, item), one column per generator.

    `raw` (n, G): the generators' scores, 0 where unknown. `scaled` (n, G) in [0, 1]: a generator's score scaled
    between its worst and best candidate of that user, 0 where it did not propose the item. Rows are sorted by user and
    item. `proposed` (n,) bool: what a generator proposed; other rows lie on the same scale, below 0 where they are
    worse than its worst candidate. `found`: what interest points found, also outside the table; `found_by`: column of
    the generator that uses it.
    """

    users: np.ndarray
    items: np.ndarray
    raw: np.ndarray
    scaled: np.ndarray
    generators: tuple[str, ...]
    proposed: np.ndarray
    found: Found | None = None
    found_by: int = NOTHING

    @classmethod
    def join(cls, proposals: Mapping[str, Candidates], *, n_items: int, always: Candidates | None = None) -> Self:
        """Join the proposals of several generators; the pairs of `always` are rows too, proposed or not."""
        every = [*proposals.values(), *([] if always is None else [always])]
        shape = 1 + max((int(each.users.max(initial=-1)) for each in every), default=-1), n_items
        place = np.full(shape, NOTHING, np.int32)
        for each in every:
            compiled(_mark)(each.users, each.items, place)
        users, items = (np.empty(sum(len(each.users) for each in every), np.int64) for _ in range(2))
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
        there = np.full(len(users), always is None)
        for one in proposals.values() if always is not None else ():
            there[place[one.users, one.items]] = True
        table = cls(users, items, raw, scaled, tuple(proposals), there, found, found_by)
        return table if there.all() else table._with_others(list(proposals.values()))

    @classmethod
    def stacked(cls, blocks: Iterable[tuple[int, Self]]) -> Self:
        """One table from (number of the first user, table) of several blocks of users."""
        first, tables = zip(*blocks, strict=True)
        return cls(
            np.concatenate([table.users + start for start, table in zip(first, tables, strict=True)]),
            np.concatenate([table.items for table in tables]),
            np.concatenate([table.raw for table in tables]),
            np.concatenate([table.scaled for table in tables]),
            tables[0].generators,
            np.concatenate([table.proposed for table in tables]),
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
            proposed=self.proposed[kept],
        )

    def _with_others(self, proposals: Sequence[Candidates]) -> Self:
        """The same table, with the scores of the rows that nothing proposed on each generator's scale.

        `proposals`: the columns' candidates. The scale goes on below a user's worst candidate, towards −1, and above
        the best, towards 2; 0 from a generator that proposed nothing.
        """
        others, found = np.flatnonzero(~self.proposed), self.found
        users, items = self.users[others], self.items[others]
        raw, scaled = self.raw.copy("K"), self.scaled.copy("K")
        for column, each in enumerate(proposals):
            if each.beyond is not None:
                more, raw[others, column] = each.beyond(users, items)
                if found is not None:
                    found = Found(*(np.concatenate(pair) for pair in zip(found, more, strict=True)))
            low = np.full(int(self.users.max(initial=0)) + 1, np.inf)
            high = -low
            np.minimum.at(low, each.users, each.scores)
            np.maximum.at(high, each.users, each.scores)
            low, extent, known = low[users], (high - low)[users], np.isfinite(low)[users]
            above = np.where(known, raw[others, column] - np.where(known, low, 0), 0)
            level = (known & (above >= 0)).astype(float)  # where all candidates score alike
            along = np.divide(above, extent, out=level, where=known & (extent > 0))
            below, beyond = np.minimum(along, 0), np.maximum(along, 1)
            scaled[others, column] = np.clip(along, 0, 1) + below / (1 - below) + 1 - 1 / beyond
        return replace(self, raw=raw, scaled=scaled, found=found)

    def added(self, n_points: int) -> np.ndarray:
        """What each of a single user's `n_points` added to the score of each row: (n_points, n)."""
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


def propose(batch: QueryBatch, generators: Sequence[Generator], n: int, always: np.ndarray | None = None) -> Table:
    """Ask every generator for `n` and join the answers; items `always` (m,) are rows of all users, proposed or not."""
    proposals = {generator.name: generator.propose(batch, n) for generator in generators}
    if always is None:
        return Table.join(proposals, n_items=batch.history.n_items)
    users, items = np.repeat(np.arange(len(batch)), len(always)), np.tile(always, len(batch))
    wanted = Candidates(users, items, np.zeros(len(users), np.float32))
    return Table.join(proposals, n_items=batch.history.n_items, always=wanted)


def columns(n: int, width: int) -> np.ndarray:
    """An empty column-major array (n, width) float32: each column is contiguous."""
    return np.empty((width, n), np.float32).T


def _mark(users: np.ndarray, items: np.ndarray, place: np.ndarray) -> None:
    for n in range(len(users)):
        place[np.uint64(users[n]), np.uint64(items[n])] = 0


def _number(place: np.ndarray, users: np.ndarray, items: np.ndarray) -> int:
    """Number the marked cells of `place` (B, n_items) from 0, write their users and items, and return how many."""
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
    """Fill `raw` and `scaled`, from 0 (a user's worst) to 1 (the best); equal `users` (n,) are adjacent."""
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
        found[place] = scores[np.uint64(rows[place]), np.uint64(columns[place])]  # unsigned: no negative indices
