"""Popularity of each item in windows before a time, and its other statistics."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from strata.data.history import DAY, History
from strata.ranking.settings import FeatureSettings


@dataclass(frozen=True)
class Trends:
    """Item statistics of a history of n events, as of any time; later events do not count.

    `keys` (n,): item · span + seconds since `start`, ascending; `times` (n,), ascending. `first` (n_items,): each
    item's first event, inf where there is none. `weight`, `again` (n_items,): smoothed mean weight of its events, and
    events per user, both as of the end of the history. `settings`: windows and smoothing.
    """

    keys: np.ndarray
    times: np.ndarray
    start: float
    span: float
    first: np.ndarray
    weight: np.ndarray
    again: np.ndarray
    settings: FeatureSettings

    @classmethod
    def of(cls, history: History, settings: FeatureSettings) -> Self:
        """Compute from the choices of a history."""
        history = history.choices
        n_items, times = history.n_items, history.times
        start = float(times.min(initial=np.inf)) if len(times) else 0.0
        span = float(times.max(initial=start)) - start + 2 if len(times) else 1.0
        events = np.bincount(history.items, minlength=n_items)
        users = np.bincount(history.matrix().indices, minlength=n_items)
        first = np.full(n_items, np.inf)
        np.minimum.at(first, history.items, times)
        return cls(
            np.sort(history.items * span + (times - start)),
            np.sort(times),
            start,
            span,
            first,
            np.bincount(history.items, history.weights, n_items) / (events + settings.weight_smoothing),
            events / np.maximum(users, 1),
            settings,
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of `of_pairs`."""
        windows = (*(f"share {days:g}d" for days in self.settings.windows_days), "share ever")
        return (*windows, "trend", "days since first", "days since last", "mean weight", "events per user")

    def of_pairs(self, items: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Statistics of `items` (n,) as of `times` (n,) in seconds: (n, len(names)) float32.

        Shares are of all events in the window, so that busy and quiet seasons compare.
        """
        if len(times) and (times == times[0]).all():
            of_all = self._of_all(float(times[0]))
            return np.take(of_all.T, items, axis=1, mode="clip").T
        return self._at(items, times)

    def _of_all(self, time: float) -> np.ndarray:
        """All items at one time, cached: a release is asked about the same time again and again."""
        if time not in self._kept:
            self._kept.clear()
            self._kept[time] = np.asfortranarray(self._of_each(time))
        return self._kept[time]

    def _of_each(self, time: float) -> np.ndarray:
        everything = np.arange(len(self.first))
        return self._at(everything, np.full(len(everything), time))

    @cached_property
    def _kept(self) -> dict[float, np.ndarray]:
        return {}

    def _at(self, items: np.ndarray, times: np.ndarray) -> np.ndarray:
        ends = np.searchsorted(self.keys, items * self.span + np.clip(times - self.start, 0, self.span - 1))
        starts = np.searchsorted(self.keys, items * self.span)
        total_end = np.searchsorted(self.times, times)
        windows, smoothing = self.settings.windows_days, self.settings.trend_smoothing
        found = np.empty((len(items), len(self.names)), np.float32)
        for column, days in enumerate(windows):
            since = np.clip(times - self.start - days * DAY, 0, self.span - 1)
            total = total_end - np.searchsorted(self.times, times - days * DAY)
            found[:, column] = (ends - np.searchsorted(self.keys, items * self.span + since)) / np.maximum(total, 1)
        found[:, len(windows)] = (ends - starts) / np.maximum(total_end, 1)
        lately, long = (windows.index(days) for days in self.settings.trend_days)
        latest = np.append(self.keys, np.inf)[np.maximum(ends - 1, 0)]
        last = np.where(ends > starts, latest - items * self.span + self.start, -np.inf)
        first = self.first[items]
        found[:, len(windows) + 1 :] = np.stack(
            [
                (found[:, lately] + smoothing) / (found[:, long] + smoothing),
                np.where(first < times, (times - first) / DAY, np.nan),
                np.where(np.isfinite(last), (times - last) / DAY, np.nan),
                self.weight[items],
                self.again[items],
            ],
            axis=1,
        )
        return found
