"""An evaluation window: its users, what was known before it, and what they chose in it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from strata._kernels.selection import top_k
from strata.data.history import History

Scorer = Callable[[np.ndarray], np.ndarray]
"""User rows (B,) → scores (B, n_items) float32."""


BATCH = 512


@dataclass(frozen=True)
class Window:
    """What is known before a time and what came after it.

    `time`: its start, in seconds. `past`: events before it. `users` (B,): rows with relevant items. `relevant` (B,
    n_items): what they chose in it (`History.choices`); without `repeats` only items new to them. `warm` (B,): whether
    the user chose anything before. `items` (n_items,) bool: candidates, chosen by at least `least_users` users before;
    all of them at 0. `asked` (B,): when each user gets recommendations, in seconds, where that is not `time` for all.
    `end`: what was chosen from then on does not count, in seconds.
    """

    time: float
    past: History
    users: np.ndarray
    relevant: sparse.csr_matrix
    warm: np.ndarray
    repeats: bool
    items: np.ndarray
    asked: np.ndarray | None = None
    end: float = math.inf

    @classmethod
    def of(cls, history: History, start: float, end: float, *, repeats: bool = False, least_users: int = 0) -> "Window":
        """The window [start, end)."""
        past = history.before(start)
        chosen, seen = history.between(start, end).choices.matrix(), past.matrix()
        items = np.bincount(past.choices.matrix().indices, minlength=history.n_items) >= least_users
        if not repeats:
            chosen = (chosen - chosen.multiply(seen)).tocsr()
        chosen = (chosen @ sparse.diags(items.astype(np.float32))).tocsr()
        chosen.eliminate_zeros()
        chosen.sort_indices()
        users = np.flatnonzero(np.diff(chosen.indptr))
        warm = np.diff(past.choices.offsets)[users] > 0
        return cls(start, past, users, chosen[users], warm, repeats, items, end=end)

    @classmethod
    def leaving_out(cls, history: History, place: int) -> "Window":
        """Leave-one-out: each user's choice with `place` later ones is relevant, earlier choices are the past.

        Users with fewer choices are left out. `asked` is one second after a user's last past event.
        """
        history = history.choices
        later = history.age_in_events()
        past, out = history.keep(later > place), history.keep(later == place)
        users = out.users[np.diff(past.offsets)[out.users] > 0]
        last = past.times[past.offsets[users + 1] - 1]
        everything = np.ones(history.n_items, bool)
        relevant = out.matrix()[users]
        end = float(history.times.max(initial=0)) + 1
        return cls(end, past, users, relevant, np.ones(len(users), bool), False, everything, last + 1)

    def only(self, mask: np.ndarray) -> "Window":
        """The users where `mask` (B,) holds."""
        asked = None if self.asked is None else self.asked[mask]
        return replace(self, users=self.users[mask], relevant=self.relevant[mask], warm=self.warm[mask], asked=asked)

    def among(self, items: np.ndarray) -> "Window":
        """The window with only `items` (n_items,) bool as candidates; users who chose none of them are dropped."""
        relevant = (self.relevant @ sparse.diags(items.astype(np.float32))).tocsr()
        relevant.eliminate_zeros()
        relevant.sort_indices()
        return replace(self, relevant=relevant, items=self.items & items).only(np.diff(relevant.indptr) > 0)

    def liked(self, history: History, end: float) -> "Window":
        """The window judged by likes alone: choices of weight above 0 until `end`; who liked nothing is dropped."""
        liked = history.between(self.time, end).positive().matrix()[self.users]
        relevant = self.relevant.multiply(liked).tocsr()
        relevant.sort_indices()
        return replace(self, relevant=relevant).only(np.diff(relevant.indptr) > 0)

    def sample(self, most: int, seed: int) -> "Window":
        """At most `most` of the users, always the same ones for the same seed."""
        drawn = np.random.default_rng(seed).permutation(len(self.users))[:most]
        return self.only(np.isin(np.arange(len(self.users)), drawn))

    def within_reach(self) -> "Window":
        """The window over a smaller catalogue: candidates with events before the window or relevant in it.

        Collaborative models know no others, and tuning fits them many times on catalogues that are mostly not chosen.
        """
        chosen = np.bincount(np.append(self.past.items, self.relevant.indices), minlength=self.past.n_items) > 0
        kept = self.items & chosen
        past = self.past.within(kept)
        return replace(self, past=past, relevant=self.relevant[:, kept], items=np.ones(past.n_items, bool))

    def rank(self, scorer: Scorer, k: int, available: np.ndarray | None = None) -> np.ndarray:
        """Full ranking without items spoken against and, unless `repeats`, without seen ones: item rows (B, k)."""
        ranked = []
        barred = (self.past.keep(self.past.spoken_against()) if self.repeats else self.past).matrix()
        for start in range(0, len(self.users), BATCH):
            users = self.users[start : start + BATCH]
            scores = np.array(scorer(users), np.float32)
            rows = np.repeat(np.arange(len(users)), np.diff(barred[users].indptr))
            scores[rows, barred[users].indices] = -np.inf
            scores[:, ~(self.items if available is None else self.items & available)] = -np.inf
            ranked.append(top_k(scores, k)[0])
        width = min(k, self.past.n_items)
        return np.concatenate(ranked) if ranked else np.zeros((0, width), np.int64)
