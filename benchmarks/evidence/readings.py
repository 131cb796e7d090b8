"""What a profiler reads from histories, held against what was planted in them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from benchmarks.simulate import LABELS, Simulation
from strata.data.history import DAY, History
from strata.data.schema import TIERS
from strata.embeddings.vectors import spread
from strata.interests.points import InterestPoints, find_points
from strata.interests.settings import TierSettings
from strata.interests.statistics import measure
from strata.interests.tiers import FADED, assign, by_chance

MOMENTARY = TIERS.index("momentary")
GRACE_PERIODS = 2.0
"""Periods after its end for which an interest may still be read as alive: nobody can know earlier."""


@dataclass(frozen=True)
class Reading:
    """Points of many users: `of_event` (n,) the point of each event or −1, `users` (P,) owners, `tiers` (P,).

    A tier is an index of TIERS, or FADED.
    """

    of_event: np.ndarray
    users: np.ndarray
    tiers: np.ndarray


Profiler = Callable[[History, float], Reading]
"""Positive events before a time (seconds), all of them, and that time → what is read from them."""


def by_points(vectors: np.ndarray, topics: np.ndarray, settings: TierSettings) -> Profiler:
    """The profiler that ships: points of topics, measured and sorted into tiers, events by chance in none of them."""
    height = settings.cut * spread(vectors)

    def read(history: History, time: float) -> Reading:
        points = find_points(history, vectors, topics, settings, height=height)
        return sorted_into_tiers(history, points, time, settings)

    return read


def sorted_into_tiers(history: History, points: InterestPoints, time: float, settings: TierSettings) -> Reading:
    """What points found in a history say at a time: their tiers, events by chance in none of them."""
    statistics = measure(history, points, time, settings)
    tiers = assign(statistics, settings)
    chance = by_chance(history, points, statistics, tiers, settings)
    return Reading(np.where(chance, -1, points.of_event), points.users, tiers)


@dataclass(frozen=True)
class Replay:
    """Histories as they stood at earlier moments: case c is user `users[c]` of the simulation at time `at[c]`.

    `history` has one user per case, shifted so that every case's now is the simulation's: a profiler sees them all in
    one pass. `source` (n,): the event of the simulation behind each of its events; `factor` (n,): its cause.
    """

    history: History
    users: np.ndarray
    at: np.ndarray
    source: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(cls, simulation: Simulation, last: np.ndarray, at: np.ndarray) -> Self:
        """Each case knows its user's events up to `last` (C,), that one included, and stands at `at` (C,) after it."""
        whole = simulation.history
        users = whole.users[last]
        length = last - whole.offsets[users] + 1
        offsets = np.append(0, np.cumsum(length))
        case = np.repeat(np.arange(len(last)), length)
        source = np.arange(offsets[-1]) - offsets[case] + whole.offsets[users][case]
        times = whole.times[source] - at[case] + simulation.time
        history = History(
            case.astype(np.int32),
            whole.items[source],
            times,
            whole.weights[source],
            whole.chosen[source],
            offsets,
            whole.n_items,
        )
        return cls(history, users, at, source, simulation.factor[source])


def predicted_tiers(of_event: np.ndarray, interest: np.ndarray, tiers: np.ndarray, n_interests: int) -> np.ndarray:
    """Tier (n_interests,) in which each planted interest is seen, FADED for one that is not.

    It is that of the point with most of its events, unless another interest has more events in that point.
    `of_event` and `interest` (n,): point and planted interest of each event, below 0 for none.
    """
    both = (of_event >= 0) & (interest >= 0)
    (which, point), counts = np.unique(np.stack([interest[both], of_event[both]]), axis=1, return_counts=True)
    order = np.lexsort((-point, counts, which))  # of each interest the largest comes last, and stays
    best = np.full(n_interests, -1)
    size = np.zeros(n_interests, np.int64)
    best[which[order]], size[which[order]] = point[order], counts[order]
    largest = np.zeros(len(tiers) + 1, np.int64)
    np.maximum.at(largest, point, counts)
    seen = (best >= 0) & (size == largest[best])
    return np.where(seen, np.append(tiers, FADED)[best], FADED)


def confusion(simulation: Simulation, reading: Reading) -> np.ndarray:
    """Planted interests of each user by label (LABELS) and tier seen (TIERS, then none): (n_users, 4, 4)."""
    interests = simulation.interests
    seen = predicted_tiers(reading.of_event, simulation.factor, reading.tiers, interests.height)
    true = interests["tier"].replace_strict(LABELS, range(len(LABELS))).to_numpy()
    counts = np.zeros((simulation.history.n_users, len(LABELS), len(LABELS)), np.int64)
    np.add.at(counts, (interests["user_row"].to_numpy(), true, np.where(seen == FADED, len(TIERS), seen)), 1)
    return counts


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """Mean F1 over TIERS of confusions (…, 4 * 4); what ended and what is not seen count as wrong guesses only."""
    table = confusions.reshape(*confusions.shape[:-1], len(LABELS), len(LABELS))
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    f1 = 2 * hits / np.maximum(table.sum(-1) + table.sum(-2), 1)
    return np.asarray(f1[..., : len(TIERS)].mean(-1))


def own_points(reading: Reading, own: np.ndarray) -> np.ndarray:
    """Whether more than half of each point's events are among `own` (n,) bool: (P,) bool."""
    n_points, in_point = len(reading.users), reading.of_event >= 0
    total = np.bincount(reading.of_event[in_point], minlength=n_points)
    return np.bincount(reading.of_event[in_point & own], minlength=n_points) > total / 2


def false_alarms(simulation: Simulation, replay: Replay, reading: Reading) -> np.ndarray:
    """Momentary points of each user that are no planted interest's alive then, and all of them: (n_users, 2).

    A point is an interest's where more than half of its events are.
    """
    n_points = len(reading.users)
    until = (simulation.interests["end"] + GRACE_PERIODS * DAY * simulation.interests["period_days"]).to_numpy()
    case = replay.history.users
    alive = (replay.factor >= 0) & (until[np.maximum(replay.factor, 0)] >= replay.at[case])
    counted = alive & (reading.of_event >= 0)
    pairs = np.stack([reading.of_event[counted], replay.factor[counted]])
    (point, _), counts = np.unique(pairs, axis=1, return_counts=True)
    largest = np.zeros(n_points, np.int64)
    np.maximum.at(largest, point, counts)
    total = np.bincount(reading.of_event[reading.of_event >= 0], minlength=n_points)
    momentary = reading.tiers == MOMENTARY
    owner = replay.users[reading.users]
    n_users = simulation.history.n_users
    false = np.bincount(owner[momentary & (largest <= total / 2)], minlength=n_users)
    return np.stack([false, np.bincount(owner[momentary], minlength=n_users)], axis=1)
