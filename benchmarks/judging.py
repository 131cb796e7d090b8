"""What settings of the tiers are worth: on planted interests, and on promises kept before the validation cut-off."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy import sparse

from benchmarks.evidence.context import Context
from benchmarks.evidence.intervals import pooled, share
from benchmarks.evidence.planted import NOISES, NOW, offsets, onsets, planted_in
from benchmarks.evidence.readings import Profiler, Reading, confusion, macro_f1, sorted_into_tiers
from benchmarks.simulate import LABELS, Simulation
from strata.data.history import DAY, History
from strata.data.schema import TIERS
from strata.evaluation.metrics import Interval
from strata.interests.points import InterestPoints, find_points, let_go
from strata.interests.settings import TierSettings
from strata.interests.statistics import measure
from strata.interests.tiers import FADED, assign, by_chance

USERS: Final = 100
"""Simulated users of each seed, once among less noise and once among more."""
WINDOWS: Final = 3
"""Equal windows, of the later half of what lies before the validation cut-off, in which a promise is kept or not."""
FEWEST: Final = 30
"""Points of a tier below which its share says nothing."""
PARTS: Final = ("tiers (macro-F1)", "onset seen", "no false alarm", "end seen", "promise (smallest gap)")
LOSS: Final = 5.0
"""How many times as much a part's loss counts as another's gain: one is not to be bought with the other."""
CELLS: Final = len(LABELS) ** 2


class Points:
    """Finds the points of a history once for each length of the recent past, the one threshold that changes which."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: dict[tuple[bytes, float], InterestPoints] = {}

    def of(self, history: History, settings: TierSettings) -> InterestPoints:
        """The points of a history, by the topics known at the validation cut-off."""
        digest = hashlib.sha256(history.items.tobytes() + history.times.tobytes() + history.offsets.tobytes()).digest()
        key = digest, settings.recent_days
        if key not in self._found:
            vectors, topics = self._context.spaces["validation"], self._context.topics["validation"]
            self._found[key] = find_points(history, vectors, topics, settings, height=self._context.height)
        return self._found[key]

    def profiler(self, settings: TierSettings) -> Profiler:
        """What is read with these thresholds."""

        def read(history: History, time: float) -> Reading:
            return sorted_into_tiers(history, self.of(history, settings), time, settings)

        return read


@dataclass(frozen=True)
class Past:
    """What users did up to `time`, half-way to the validation cut-off, and in the WINDOWS after it.

    `seen`: for each window, which user had an event in which topic (n_users, n_topics). `active` (n_users,) bool:
    in every window.
    """

    history: History
    time: float
    seen: Sequence[sparse.csr_matrix]
    active: np.ndarray

    @classmethod
    def of(cls, context: Context, users: np.ndarray) -> Self:
        """That of the `users` (n_users,) bool."""
        history, topics = context.history, context.topics["validation"]
        own, end = history.keep(users[history.users]), context.cut_offs.validation
        time = np.floor((history.times.min() + end) / 2 / DAY) * DAY
        edges = np.linspace(time, end, WINDOWS + 1)
        windows = [own.between(*edge) for edge in zip(edges[:-1], edges[1:], strict=True)]
        active = np.all([np.diff(window.offsets) > 0 for window in windows], axis=0)
        shape = (history.n_users, int(topics.max()) + 1)
        seen = [
            sparse.csr_matrix((np.ones(len(window), bool), (window.users, topics[window.items])), shape=shape)
            for window in windows
        ]
        return cls(own.before(time), time, seen, active)

    def counts(self, context: Context, points: Points, settings: TierSettings) -> np.ndarray:
        """Points of each tier seen again in each window, and all of them: (users judged, 3 · (WINDOWS + 1))."""
        history, found = self.history, points.of(self.history, settings)
        statistics = measure(history, found, self.time, settings)
        tiers = assign(statistics, settings)
        chance = by_chance(history, found, statistics, tiers, settings) & (tiers != FADED)[found.of_event]
        medoids = let_go(found, history, context.spaces["validation"], context.topics["validation"], chance).medoids
        long_enough = statistics.of_periods >= settings.min_periods
        judged = np.flatnonzero((tiers != FADED) & long_enough & self.active[found.users])
        users, topics = found.users[judged], context.topics["validation"][medoids[judged]]
        columns = [*(np.asarray(window[users, topics]).ravel() for window in self.seen), np.ones(len(judged))]
        sums = np.zeros((history.n_users, len(TIERS), WINDOWS + 1))
        np.add.at(sums, (users, tiers[judged]), np.stack(columns, axis=1))
        return sums[self.active].reshape(self.active.sum(), -1)


def planted_counts(simulations: Sequence[Simulation], profiler: Profiler) -> np.ndarray:
    """What users of several simulations add: (n, 16 + 6): labels by tier seen, and hits and cases of three parts."""
    found = []
    for simulation in simulations:
        onset, alarms, _ = onsets(simulation, profiler)
        table = confusion(simulation, profiler(simulation.history, NOW)).reshape(-1, CELLS)
        found.append(np.concatenate([table, onset, alarms, offsets(simulation, profiler)], axis=1))
    return np.concatenate(found)


def planted_parts(sums: np.ndarray) -> np.ndarray:
    """The four figures of planted interests, of sums (…, 22): each 1 at best."""
    onset, alarms, end = (share(sums[..., at : at + 2]) for at in range(CELLS, CELLS + 6, 2))
    return np.stack([macro_f1(sums[..., :CELLS]), onset, 1 - alarms, end], axis=-1)


def smallest_gap(sums: np.ndarray) -> np.ndarray:
    """Smallest gap between the shares of neighbouring tiers in any window, of sums (…, 3 · (WINDOWS + 1)).

    Above 0 where all are in order; −1 where a tier has fewer than FEWEST points.
    """
    by_tier = sums.reshape(*sums.shape[:-1], len(TIERS), WINDOWS + 1)
    cases = by_tier[..., -1:]
    gaps = np.diff(by_tier[..., :-1] / np.maximum(cases, 1), axis=-2).min((-2, -1))
    return np.where(cases.min((-2, -1)) < FEWEST, -1.0, gaps)


@dataclass(frozen=True)
class Bench:
    """What settings are judged on: simulated users and, where there is enough of it, what real ones did."""

    context: Context
    points: Points
    simulations: Sequence[Simulation]
    past: Past | None

    @classmethod
    def of(cls, context: Context, points: Points, seeds: Sequence[int], users: np.ndarray) -> Self:
        """Users of these seeds and those of the context among `users` (n_users,) bool."""
        simulations = [planted_in(context, USERS, noise, seed) for noise in NOISES for seed in seeds]
        past = Past.of(context, users)
        enough = smallest_gap(past.counts(context, points, context.settings).sum(0)) > -1
        return cls(context, points, simulations, past if enough else None)

    def counts(self, settings: TierSettings) -> list[np.ndarray]:
        """What each user adds to the figures: planted, and real where there is enough."""
        planted = planted_counts(self.simulations, self.points.profiler(settings))
        return [planted] if self.past is None else [planted, self.past.counts(self.context, self.points, settings)]


def parts(counts: Sequence[np.ndarray]) -> np.ndarray:
    """The figures of PARTS, the last one only where there is a past."""
    return np.append(planted_parts(counts[0].sum(0)), [smallest_gap(own.sum(0)) for own in counts[1:]])


def worth(found: np.ndarray, today: np.ndarray) -> float:
    """How much better the parts found (k,) are than today's on the whole, losses counting LOSS times."""
    gained = found - today
    return float(np.where(gained < 0, LOSS * gained, gained).mean())


def gains(today: Sequence[np.ndarray], best: Sequence[np.ndarray]) -> list[Interval]:
    """How much better the best is than today's with a 95 % interval over users: planted mean, and the promise."""
    figures: list[Callable[[np.ndarray], np.ndarray]] = [lambda sums: planted_parts(sums).mean(-1), smallest_gap]
    found = []
    for ours, theirs, figure in zip(best, today, figures, strict=False):
        both, width = np.concatenate([ours, theirs], axis=1), ours.shape[1]
        found.append(pooled(both, lambda s, f=figure, w=width: f(s[..., :w]) - f(s[..., w:])))
    return found
