"""What the learned ranker sees of each candidate: generators, interests and tiers, own history, trends, the item."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from strata.candidates import Audience, Table
from strata.catalogue import Catalogue
from strata.facts import NUMBERS
from strata.history import DAY, History, looked_up
from strata.schema import CATEGORIES, CREATED, PRICE
from strata.tiers import TIERS
from strata.trends import Trends

ABSENT = -1.0
"""Cosine and tier where there is no point."""
NEAREST: Final = (
    *(f"cosine {tier}" for tier in TIERS), "cosine dislike", "nearest tier", *(f"nearest {name}" for name in NUMBERS)
)  # fmt: skip
TOPIC: Final = ("topic tier", *(f"topic {name}" for name in NUMBERS))
HALF_LIVES = (10.0, 40.0, 160.0)
"""Days, of what the user chose before."""
OWN: Final = (
    *(f"own {days:g}d" for days in HALF_LIVES), "own events", "own since", "own share", "own lately", "own days since"
)  # fmt: skip
"""The last three count days on which the user was active: the share of them since the first with the item on which it
was chosen, how many of the last LATELY, and how many came after the last with the item."""
LATELY = 5
KIND: Final = tuple(f"kind {days:g}d" for days in HALF_LIVES)
ITEM: Final = ("age", "price", "price ratio")
USER: Final = ("events", "since")


@dataclass(frozen=True)
class Signals:
    """What is known of n_items at a cut-off.

    `vectors` (n_items, d); `topics`, `kinds` (n_items,): topic and narrowest category of each item; `created` in
    seconds and `price` (n_items,), NaN where unknown; `trends` of everybody's behaviour.
    """

    vectors: np.ndarray
    topics: np.ndarray
    kinds: np.ndarray
    created: np.ndarray
    price: np.ndarray
    trends: Trends

    @classmethod
    def before(cls, catalogue: Catalogue, vectors: np.ndarray, topics: np.ndarray, past: History) -> Self:
        """From the catalogue and all events before a cut-off."""
        items = catalogue.items
        kinds = items[CATEGORIES].list.last().rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        created = (items[CREATED].dt.epoch("us").cast(pl.Float64) / 1e6).to_numpy()
        price = items[PRICE].cast(pl.Float64).to_numpy()
        return cls(vectors, topics, kinds, created, price, Trends.of(past))

    def names(self, generators: tuple[str, ...]) -> tuple[str, ...]:
        """Columns of `of`."""
        of_generators = (*generators, *(f"{name} scaled" for name in generators))
        return (*of_generators, *NEAREST, *TOPIC, *OWN, *KIND, *self.trends.names, *ITEM, *USER)

    def of(self, table: Table, audience: Audience) -> np.ndarray:
        """Signals of each row of the table: (n, F) float32, NaN where something is unknown."""
        trends = self.trends.of_pairs(table.items, audience.times[table.users])
        parts = [table.raw, table.features, self._nearest(table, audience), self._topic(table, audience)]
        parts += [*self._own(table, audience), trends, self._item(table, audience), self._user(table, audience)]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def of_points(self, signals: np.ndarray, table: Table, audience: Audience) -> np.ndarray:
        """`signals` (n, F) of the table's rows with those of interest points as they are for `audience`."""
        found, n_generators = signals.copy(), table.raw.shape[1] + table.features.shape[1]
        found[:, : n_generators + len(NEAREST) + len(TOPIC)] = np.concatenate(
            [table.raw, table.features, self._nearest(table, audience), self._topic(table, audience)], axis=1
        )
        return found

    def _nearest(self, table: Table, audience: Audience) -> np.ndarray:
        """Cosines to the nearest point of each tier and to the nearest dislike, and what is known of the nearest."""
        found = np.full((len(table), len(NEAREST)), ABSENT, np.float32)
        found[:, len(TIERS) + 2 :] = np.nan
        facts, everybody = audience.facts, np.arange(len(audience) + 1)
        n_liked = len(facts.tiers)
        rows = np.searchsorted(table.users, everybody)
        liked = np.searchsorted(audience.owners[:n_liked], everybody)
        disliked = n_liked + np.searchsorted(audience.owners[n_liked:], everybody)
        for user in np.flatnonzero(np.diff(rows)):
            mine, vectors = slice(rows[user], rows[user + 1]), self.vectors[table.items[rows[user] : rows[user + 1]]]
            if liked[user] < liked[user + 1]:
                points = slice(liked[user], liked[user + 1])
                cosines, tiers = vectors @ audience.points[points].T, facts.tiers[points]
                for tier in range(len(TIERS)):
                    of_tier = tiers == tier
                    if of_tier.any():
                        found[mine, tier] = cosines[:, of_tier].max(1)
                nearest = cosines.argmax(1)
                found[mine, len(TIERS) + 1] = tiers[nearest]
                found[mine, len(TIERS) + 2 :] = facts.numbers[points][nearest]
            if disliked[user] < disliked[user + 1]:
                against = audience.points[disliked[user] : disliked[user + 1]]
                found[mine, len(TIERS)] = (vectors @ against.T).max(1)
        return found

    def _topic(self, table: Table, audience: Audience) -> np.ndarray:
        """What is known of the user's point that holds the item's topic."""
        facts, n_topics = audience.facts, int(self.topics.max(initial=0)) + 1
        keys = audience.owners[facts.leaf_points] * np.int64(n_topics) + facts.leaf_topics
        order = np.argsort(keys)
        point = looked_up(table.users * np.int64(n_topics) + self.topics[table.items], keys[order])
        there = point >= 0
        found = np.zeros((len(table), len(TOPIC)), np.float32)
        found[:, 0] = ABSENT
        points = facts.leaf_points[order[point[there]]]
        found[there, 0] = facts.tiers[points]
        found[there, 1:] = facts.numbers[points]
        return found

    def _own(self, table: Table, audience: Audience) -> tuple[np.ndarray, np.ndarray]:
        """How much and how lately the user chose the item, and others of its kind."""
        history, n_kinds = audience.history, int(self.kinds.max(initial=0)) + 1
        age = np.maximum(audience.times[history.users] - history.times, 0) / DAY
        decayed = np.stack([np.exp2(-age / days) for days in HALF_LIVES], axis=1)
        of_kind = history.users * np.int64(n_kinds) + self.kinds[history.items]
        kind = _summed(of_kind, decayed, table.users * np.int64(n_kinds) + self.kinds[table.items])
        total = _summed(history.users, decayed, table.users)
        own = np.zeros((len(table), len(OWN)), np.float32)
        own[:, OWN.index("own since")] = np.nan
        own[:, OWN.index("own days since")] = np.nan
        if not audience.exclude_seen and len(history):
            place = looked_up(table.users * np.int64(history.n_items) + table.items, history.pairs)
            own[place >= 0] = _of_pairs(history, age, decayed)[place[place >= 0]]
        return own, kind / np.maximum(total, 1e-9)

    def _item(self, table: Table, audience: Audience) -> np.ndarray:
        history, prices = audience.history, self.price[table.items]
        known = ~np.isnan(self.price[history.items])
        paid = np.bincount(history.users[known], self.price[history.items[known]], len(audience))
        mean = paid / np.maximum(np.bincount(history.users[known], minlength=len(audience)), 1)
        mean[mean <= 0] = np.nan
        age = (audience.times[table.users] - self.created[table.items]) / DAY
        return np.stack([age, prices, prices / mean[table.users]], axis=1)

    def _user(self, table: Table, audience: Audience) -> np.ndarray:
        history = audience.history
        last = np.full(len(audience), np.nan)
        active = history.active_users()
        last[active] = history.times[history.offsets[active + 1] - 1]
        events = np.diff(history.offsets)
        return np.stack([events[table.users], ((audience.times - last) / DAY)[table.users]], axis=1)


def _of_pairs(history: History, age: np.ndarray, decayed: np.ndarray) -> np.ndarray:
    """Columns OWN of each pair of user and item in a history: (pairs, len(OWN)); `age` (n,) of its events in days."""
    order, starts = history.by_pair
    counts = np.diff(starts, append=len(order))
    last = starts + counts - 1
    days_ago = age.astype(np.int64)
    span = int(days_ago.max()) + 1
    days = history.users * np.int64(span) + days_ago
    active = np.unique(days)  # each user's, the latest first
    before = np.searchsorted(active, np.arange(history.n_users) * span)
    after = (np.searchsorted(active, days) - before[history.users])[order]  # active days after each event's
    another = np.diff(after, prepend=-1) != 0
    another[starts] = True
    n_days, lately = (np.add.reduceat(each, starts, dtype=np.int64) for each in (another, another & (after < LATELY)))
    numbers = (counts, age[order[last]], n_days / (after[starts] + 2), lately, after[last])
    return np.concatenate([np.add.reduceat(decayed[order], starts, axis=0), np.stack(numbers, axis=1)], axis=1)


def _summed(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Sum of `values` (m, c) of each wanted key (n,) over the entries with that key, all small numbers: (n, c)."""
    size = 1 + max(int(keys.max(initial=0)), int(wanted.max(initial=0)))
    return np.stack([np.bincount(keys, column, size)[wanted] for column in values.T], axis=1)


def families(names: Sequence[str], generators: Sequence[str]) -> np.ndarray:
    """Which generator each signal speaks for: its place among `generators`, −1 for none: (F,)."""
    trends = {"share", "trend", "days"}
    found = np.full(len(names), -1)
    for place, name in enumerate(names):
        first = name.split()[0]
        if name.removesuffix(" scaled") in generators:
            family = name.removesuffix(" scaled")
        elif name in NEAREST or name in TOPIC:
            family = "interests"
        elif name in OWN or name in KIND:
            family = "again"
        else:
            family = "popular" if first in trends else ""
        if family in generators:
            found[place] = generators.index(family)
    return found
