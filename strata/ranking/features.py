"""Features of candidates for the learned ranker: generator scores, interest points, own history, trends, item."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, Self

import numpy as np
import polars as pl

from strata._kernels.compiled import compiled
from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History, looked_up
from strata.data.schema import CATEGORIES, CREATED, PRICE, TIERS
from strata.interests.point_facts import NUMBERS
from strata.ranking.candidates import Generator, Table, columns
from strata.ranking.query import QueryBatch
from strata.ranking.settings import FeatureSettings
from strata.ranking.trends import Trends

ABSENT = -1.0
"""Cosine and tier where there is no point."""
NEAREST: Final = (
    *(f"cosine {tier}" for tier in TIERS), "cosine dislike", "nearest tier", *(f"nearest {name}" for name in NUMBERS)
)  # fmt: skip
TOPIC: Final = ("topic tier", *(f"topic {name}" for name in NUMBERS))
OWN: Final = ("own events", "own since", "own share", "own lately", "own days since")
"""The last three count days on which the user was active: the share of days with the item, since the first such day;
days with the item among the latest; days since the last day with the item."""
ITEM: Final = ("age", "price", "price ratio")
USER: Final = ("events", "since")


@dataclass(frozen=True)
class Features:
    """Data for features of n_items at a cut-off.

    `vectors` (n_items, d); `topics`, `kinds` (n_items,): topic and narrowest category of each item; `created` in
    seconds and `price` (n_items,), NaN where unknown; `trends` of all users' behaviour. `settings`: half-lives.
    """

    vectors: np.ndarray
    topics: np.ndarray
    kinds: np.ndarray
    created: np.ndarray
    price: np.ndarray
    trends: Trends
    settings: FeatureSettings

    @classmethod
    def before(
        cls, catalogue: Catalogue, vectors: np.ndarray, topics: np.ndarray, past: History, settings: FeatureSettings
    ) -> Self:
        """From the catalogue and all events before a cut-off."""
        return cls(vectors, topics, *stated(catalogue), Trends.of(past, settings), settings)

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Group → its columns of `of`, in order; the generators' own columns come before them."""
        return {
            "nearest": NEAREST, "topic": TOPIC, "own": self._own_names, "kind": self._of_half_lives("kind"),
            "trends": self.trends.names,
            "item": ITEM, "user": USER,
        }  # fmt: skip

    def names(self, generators: Sequence[str]) -> tuple[str, ...]:
        """Names of the columns of `of`."""
        of_generators = (*generators, *(f"{name} scaled" for name in generators))
        return (*of_generators, *chain.from_iterable(self.groups.values()))

    def credits(self, generators: Sequence[Generator]) -> np.ndarray:
        """The generator that each column of `of` is credited to, as an index in `generators`, NOTHING for none: (F,).

        A generator gets its own two columns and those of its `credited` groups.
        """
        own = np.arange(len(generators))
        credited = {group: place for place, each in enumerate(generators) for group in each.credited}
        others = [np.full(len(columns), credited.get(group, NOTHING)) for group, columns in self.groups.items()]
        return np.concatenate([own, own, *others])

    def of(self, table: Table, batch: QueryBatch) -> np.ndarray:
        """Features of each row of the table: (n, F) float32, column-major, NaN where unknown."""
        found, start = columns(len(table), len(self.names(table.generators))), 0
        for fill, width in self._parts(table):
            fill(table, batch, found[:, start : start + width])
            start += width
        return found

    def of_points(self, features: np.ndarray, table: Table, batch: QueryBatch) -> np.ndarray:
        """A copy of `features` (n, F) in which those that depend on interest points are computed again for `batch`."""
        found, start = features.copy("K"), 0
        for fill, width in self._parts(table)[:3]:
            fill(table, batch, found[:, start : start + width])
            start += width
        return found

    @cached_property
    def _own_names(self) -> tuple[str, ...]:
        return (*self._of_half_lives("own"), *OWN)

    def _of_half_lives(self, what: str) -> tuple[str, ...]:
        return tuple(f"{what} {days:g}d" for days in self.settings.half_lives_days)

    def _parts(self, table: Table) -> list[tuple[Callable[[Table, QueryBatch, np.ndarray], None], int]]:
        """(function that fills columns, their number), in order; those that depend on interest points come first."""
        return [
            (self._generators, table.raw.shape[1] + table.scaled.shape[1]),
            *((getattr(self, f"_{group}"), len(columns)) for group, columns in self.groups.items()),  # _nearest, …
        ]

    def _generators(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:  # noqa: ARG002
        np.concatenate([table.raw, table.scaled], axis=1, out=found)

    def _nearest(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        """Cosines to the nearest point of each tier and the nearest dislike; tier and numbers of the nearest point."""
        found[:, : len(TIERS) + 2] = ABSENT
        found[:, len(TIERS) + 2 :] = np.nan
        facts, everybody = batch.facts, np.arange(len(batch) + 1)
        n_liked = len(facts.tiers)
        liked = np.searchsorted(batch.owners[:n_liked], everybody)
        disliked = n_liked + np.searchsorted(batch.owners[n_liked:], everybody)
        if batch.cosines is not None:
            cosines = batch.cosines
            compiled(_nearest)(cosines, table.users, table.items, liked, disliked, facts.tiers, facts.numbers, found)
            return
        rows = np.searchsorted(table.users, everybody)
        for user in np.flatnonzero(np.diff(rows)):
            mine = slice(rows[user], rows[user + 1])
            points = np.append(np.arange(*liked[user : user + 2]), np.arange(*disliked[user : user + 2]))
            near = batch.points[points] @ self.vectors[table.items[mine]].T
            n = liked[user + 1] - liked[user]
            nobody, places = np.zeros(near.shape[1], np.int64), np.arange(near.shape[1])
            own = slice(liked[user], liked[user + 1])
            bounds = np.array([0, n]), np.array([n, len(points)])
            compiled(_nearest)(near, nobody, places, *bounds, facts.tiers[own], facts.numbers[own], found[mine])

    def _topic(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        """Tier and numbers of the user's point that contains the item's topic."""
        facts = batch.facts  # an interest may be in a topic that no item is of any more
        n_topics = max(int(each.max(initial=0)) for each in (self.topics, facts.leaf_topics)) + 1
        of_topic = np.full(len(batch) * n_topics, -1)
        of_topic[batch.owners[facts.leaf_points] * np.int64(n_topics) + facts.leaf_topics] = facts.leaf_points
        point = of_topic[table.users * np.int64(n_topics) + self.topics[table.items]]
        found[:, 0] = np.append(facts.tiers, ABSENT)[point]  # −1, no point, picks the last
        for column, numbers in enumerate(facts.numbers.T, start=1):
            found[:, column] = np.append(numbers, 0)[point]

    def _own(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        """How often and how recently the user chose the item."""
        history = batch.choices
        found[:] = 0
        for since in ("own since", "own days since"):
            found[:, self._own_names.index(since)] = np.nan
        if not batch.exclude_seen and len(history):
            place = looked_up(table.users * np.int64(history.n_items) + table.items, history.pairs)
            numbers = _of_pairs(history, *self._decayed(batch), self.settings.lately)
            found[place >= 0] = numbers[place[place >= 0]]

    def _kind(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        """Share of the item's kind in the user's choices."""
        history, n_kinds = batch.choices, int(self.kinds.max(initial=0)) + 1
        of_event = history.users * np.int64(n_kinds) + self.kinds[history.items]
        of_row = table.users * np.int64(n_kinds) + self.kinds[table.items]
        for column, weights in enumerate(self._decayed(batch)[1].T):
            total = np.maximum(np.bincount(history.users, weights, len(batch)), 1e-9)
            share = np.bincount(of_event, weights, len(batch) * n_kinds).reshape(-1, n_kinds) / total[:, None]
            found[:, column] = share.ravel()[of_row]

    def _trends(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        found[:] = self.trends.of_pairs(table.items, batch.times[table.users])

    def _item(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        history, prices = batch.choices, self.price[table.items]
        known = ~np.isnan(self.price[history.items])
        paid = np.bincount(history.users[known], self.price[history.items[known]], len(batch))
        mean = paid / np.maximum(np.bincount(history.users[known], minlength=len(batch)), 1)
        mean[mean <= 0] = np.nan
        found[:, 0] = (batch.times[table.users] - self.created[table.items]) / DAY
        found[:, 1], found[:, 2] = prices, prices / mean[table.users]

    def _user(self, table: Table, batch: QueryBatch, found: np.ndarray) -> None:
        history = batch.choices
        last = np.full(len(batch), np.nan)
        active = history.active_users()
        last[active] = history.times[history.offsets[active + 1] - 1]
        found[:, 0] = np.diff(history.offsets)[table.users]
        found[:, 1] = ((batch.times - last) / DAY)[table.users]

    def _decayed(self, batch: QueryBatch) -> tuple[np.ndarray, np.ndarray]:
        """Age of each choice in days (n,), and its decayed weight by each of h half-lives (n, h)."""
        age = np.maximum(batch.times[batch.choices.users] - batch.choices.times, 0) / DAY
        return age, np.stack([np.exp2(-age / days) for days in self.settings.half_lives_days], axis=1)


def stated(catalogue: Catalogue) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`kinds`, `created` and `price` of Features, as the catalogue says."""
    items = catalogue.items
    kinds = items[CATEGORIES].list.last().rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    created = (items[CREATED].dt.epoch("us").cast(pl.Float64) / 1e6).to_numpy()
    return kinds, created, items[PRICE].cast(pl.Float64).to_numpy()


def _nearest(
    cosines: np.ndarray, users: np.ndarray, items: np.ndarray,
    liked: np.ndarray, disliked: np.ndarray, tiers: np.ndarray, numbers: np.ndarray,
    found: np.ndarray,
) -> None:  # fmt: skip
    """Fill NEAREST of each row of a table from the `cosines` (P, n) of points to items.

    User u likes the points from liked[u] to liked[u + 1], and dislikes those from disliked[u] to disliked[u + 1];
    `tiers` and `numbers` are of the liked points.
    """
    n_tiers = found.shape[1] - numbers.shape[1] - 2
    for row in range(len(users)):
        user, item = np.uint64(users[row]), np.uint64(items[row])  # unsigned: no negative indices
        first, stop = np.uint64(liked[user]), np.uint64(liked[user + np.uint64(1)])
        best, nearest = np.float32(-np.inf), first
        for point in range(first, stop):
            cosine, tier = cosines[point, item], np.uint64(tiers[point])
            found[row, tier] = max(found[row, tier], cosine)
            if cosine > best:
                best, nearest = cosine, np.uint64(point)
        if first < stop:
            found[row, n_tiers + 1] = tiers[nearest]
            for number in range(numbers.shape[1]):
                found[row, n_tiers + 2 + number] = numbers[nearest, number]
        for against in range(np.uint64(disliked[user]), np.uint64(disliked[user + np.uint64(1)])):
            found[row, n_tiers] = max(found[row, n_tiers], cosines[against, item])


def _of_pairs(history: History, age: np.ndarray, decayed: np.ndarray, lately: int) -> np.ndarray:
    """Columns for each half-life and OWN, of each (user, item) pair of a history: (pairs, h + len(OWN)).

    `age` (n,): of its events in days; `decayed` (n, h): their decayed weights; `lately`: latest active days to count.
    """
    order, starts = history.by_pair
    counts = np.diff(starts, append=len(order))
    last = starts + counts - 1
    days_ago = age.astype(np.int64)
    span = int(days_ago.max()) + 1
    days = history.users * np.int64(span) + days_ago
    active = np.unique(days)  # each user's days, the latest first
    before = np.searchsorted(active, np.arange(history.n_users) * span)
    after = (np.searchsorted(active, days) - before[history.users])[order]  # active days after each event's
    another = np.diff(after, prepend=-1) != 0
    another[starts] = True
    n_days, latest = (np.add.reduceat(each, starts, dtype=np.int64) for each in (another, another & (after < lately)))
    numbers = (counts, age[order[last]], n_days / (after[starts] + 2), latest, after[last])
    return np.concatenate([np.add.reduceat(decayed[order], starts, axis=0), np.stack(numbers, axis=1)], axis=1)
