"""New items, which few users have chosen yet, scored by their topic and brand."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import BRAND, CREATED
from strata.ranking.candidates import ByNothing, Candidates
from strata.ranking.query import QueryBatch
from strata.ranking.settings import ArrivalSettings


@dataclass(frozen=True)
class Group:
    """Statistics of items grouped by one property, such as topic or brand, in g groups.

    `of_item` (n_items,): each item's group. `share` (g,): share of all positive events. `fares` (g,): mean number of
    recent positive events of the group's recently arrived items. `smoothing`: pseudo-count of average events, or items.
    """

    of_item: np.ndarray
    share: np.ndarray
    fares: np.ndarray
    smoothing: float

    @classmethod
    def of(cls, of_item: np.ndarray, liked: History, arrived: np.ndarray, lately: np.ndarray, smoothing: float) -> Self:
        """From all positive events; `arrived` (n_items,) bool: items first chosen recently; `lately`: recent events."""
        n = int(of_item.max(initial=0)) + 1
        share = np.bincount(of_item[liked.items], minlength=n) / max(len(liked), 1)
        total, items = (np.bincount(of_item, part * arrived, n) for part in (lately, np.ones(len(of_item))))
        mean = total.sum() / max(items.sum(), 1)
        return cls(of_item, share, (total + smoothing * mean) / (items + smoothing), smoothing)

    def lift(self, history: History, weights: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Smoothed ratio of each user's share of the groups of `items` (m,) to all users' share: (n_users, m).

        `weights` (n,): of the events of the history.
        """
        n, shape, added = len(self.share), (history.n_users, len(self.share)), self.smoothing
        counts = np.bincount(history.users * n + self.of_item[history.items], weights, shape[0] * n).reshape(shape)
        totals = counts.sum(1, keepdims=True)
        lifts = (counts + added * self.share) / (totals + added) / np.maximum(self.share, 1e-9)
        lifts[:, self.share == 0] = 1
        return np.asarray(lifts[:, self.of_item[items]], np.float32)


def new_items(catalogue: Catalogue, past: History, settings: ArrivalSettings) -> np.ndarray:
    """Rows (m,) of the items that fewer than `few` users chose in a past, except those created long before its end."""
    created = (catalogue.items[CREATED].dt.epoch("us").cast(pl.Float64) / 1e6).to_numpy()
    old = float(past.times.max(initial=0)) - created > settings.new_days * DAY
    few = np.bincount(past.choices.matrix().indices, minlength=past.n_items) < settings.few
    return np.flatnonzero(few & ~old)


@dataclass(frozen=True)
class Arrivals(ByNothing):
    """New items of the topics and brands that a user chooses more than others do.

    Collaborative models cannot find items nobody chose, and text alone does not tell which new items sell. Score =
    lift of the topic × lift of the brand × √(`fares` of the topic × `fares` of the brand).
    `items` (m,): rows of the new items. `by_topic`, `by_brand`: statistics of both.
    `half_life_days`: half-life of a user's choices.
    """

    items: np.ndarray
    by_topic: Group
    by_brand: Group
    half_life_days: float
    name: str = "arrivals"
    credited = ()

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says that it is new."""
        return "new, of a kind you choose"

    @classmethod
    def of(cls, catalogue: Catalogue, topics: np.ndarray, past: History, settings: ArrivalSettings) -> Self:
        """From all events before a cut-off; `topics` (n_items,)."""
        time, past = float(past.times.max(initial=0)), past.choices
        liked = past.positive()
        first = np.full(past.n_items, np.inf)
        np.minimum.at(first, past.items, past.times)
        start = time - settings.lately_days * DAY
        lately = np.bincount(liked.items[liked.times > start], minlength=past.n_items)
        arrived = (first > start) & np.isfinite(first)
        brands = catalogue.items[BRAND].rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        by_topic, by_brand = (Group.of(each, liked, arrived, lately, settings.smoothing) for each in (topics, brands))
        return cls(new_items(catalogue, past, settings), by_topic, by_brand, settings.half_life_days)

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The best new items of users who have a history: `n` × the share of new items among all allowed items."""
        history = batch.choices
        items = self.items[batch.allowed[self.items]]
        if not len(history) or not len(items):
            return Candidates.none()
        age = np.maximum(batch.times[history.users] - history.times, 0) / DAY
        weights = np.exp2(-age / self.half_life_days) * np.maximum(history.weights, 0)
        fares, lifts = np.ones(len(items)), np.ones((len(batch), len(items)), np.float32)
        for group in (self.by_topic, self.by_brand):
            fares *= group.fares[group.of_item[items]]
            lifts *= group.lift(history, weights, items)
        scores = np.zeros((len(batch), history.n_items), np.float32)
        scores[:, items] = lifts * np.sqrt(fares) * (np.diff(history.offsets) > 0)[:, None]
        share = len(items) / int(batch.allowed.sum())
        return Candidates.best(scores, batch, int(np.ceil(n * share)), least=0.0)
