"""The models that a careful engineer would try first: each with the settings it may be tuned over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from strata.data.history import DAY, History
from strata.evaluation.window import Scorer
from strata.models.als import Factors
from strata.models.ease import Ease
from strata.models.item_knn import ItemNeighbours
from strata.models.item_model import ItemModel, weigh
from strata.models.popularity import popularity
from strata.models.settings import CollaborativeSettings, MeanVectorGrid
from strata.models.user_knn import UserNeighbours


@dataclass(frozen=True)
class Baseline:
    """`fit(history, time, **settings)` gives a scorer; `grid` holds the values each setting may take."""

    fit: Callable[..., Scorer]
    grid: Mapping[str, Sequence[Any]]


def fit_popularity(history: History, time: float, *, window_days: float | None) -> Scorer:
    """The same scores for everybody."""
    counts = popularity(history, time, window_days)
    return lambda users: np.tile(counts, (len(users), 1))


def fit_ease(history: History, time: float, *, penalty: float, half_life: float | None, most: int) -> Scorer:
    """EASE on all events before `time`."""
    return _from_history(Ease.fit(history, penalty=penalty, half_life=half_life, most=most), history)


def fit_neighbours(history: History, time: float, *, neighbours: int, half_life: float | None, shrink: float) -> Scorer:
    """Item neighbours on all events before `time`."""
    model = ItemNeighbours.fit(history, neighbours=neighbours, half_life=half_life, shrink=shrink)
    return _from_history(model, history)


def fit_transitions(
    history: History, time: float, *, neighbours: int, half_life: float | None, shrink: float, distance: int
) -> Scorer:
    """Sequential rules on all events before `time`."""
    model = ItemNeighbours.following(
        history, neighbours=neighbours, half_life=half_life, shrink=shrink, distance=distance
    )
    return _from_history(model, history)


def fit_als(
    history: History, time: float, *, factors: int, penalty: float, alpha: float, half_life: float | None,
    rounds: int, seed: int,
) -> Scorer:  # fmt: skip
    """Matrix factors of all events before `time`."""
    model = Factors.fit(
        history, factors=factors, penalty=penalty, alpha=alpha, half_life=half_life, rounds=rounds, seed=seed
    )
    return _from_history(model, history)


def fit_peers(
    history: History, time: float, *, neighbours: int, half_life_days: float | None, least_rarity: float
) -> Scorer:
    """User neighbours on all events before `time`."""
    model = UserNeighbours.fit(
        history, time, neighbours=neighbours, half_life_days=half_life_days, least_rarity=least_rarity
    )
    matrix = model.histories
    return lambda users: model.scores(matrix[users])


def fit_own(history: History, time: float, *, half_life_days: float, tie_days: float) -> Scorer:
    """How often a user chose each item before, decayed; the rest by popularity lately, below all of it."""
    history = history.choices
    decayed = np.exp2(-(time - history.times) / DAY / half_life_days).astype(np.float32)
    own = sparse.csr_matrix((decayed, (history.users, history.items)), (history.n_users, history.n_items))
    counts = popularity(history, time, tie_days)
    ties = (1e-6 * counts / max(float(counts.max(initial=0)), 1.0)).astype(np.float32)
    return lambda users: own[users].toarray() + ties


def _from_history(model: ItemModel, history: History) -> Scorer:
    matrix = weigh(history, model.half_life)
    return lambda users: model.scores(matrix[users])


def mean_vector(vectors: np.ndarray, grid: MeanVectorGrid) -> Baseline:
    """Cosine to the recency-weighted mean of the vectors (n_items, d) of a user's items."""

    def fit(history: History, time: float, *, half_life: float | None) -> Scorer:
        matrix = weigh(history.positive(), half_life)
        return lambda users: np.asarray((matrix[users] @ vectors) @ vectors.T, np.float32)

    return Baseline(fit, dict(grid))


POPULARITY, WINDOWED = "popularity", "popularity in a window"
NEIGHBOURS, DECAYED_NEIGHBOURS = "item neighbours", "item neighbours + decay"
PEERS, TRANSITIONS, OWN = "user neighbours", "sequential rules", "own frequency + decay"
EASE, DECAYED_EASE = "EASE", "EASE + decay"
ALS, DECAYED_ALS = "ALS", "ALS + decay"


def behavioural(settings: CollaborativeSettings, *, repeats: bool) -> dict[str, Baseline]:
    """The baselines that need behaviour alone, by name; what one chose before only where it may come back."""
    grids, fixed = settings.grids, settings.fixed
    near, most = {"neighbours": (settings.neighbours,)}, {"most": (settings.ease_max_items,)}
    rules = partial(fit_transitions, distance=fixed.rule_distance)
    als = partial(fit_als, rounds=fixed.als_rounds, seed=fixed.als_seed)
    peers = partial(fit_peers, least_rarity=fixed.least_rarity)
    found = {
        POPULARITY: Baseline(fit_popularity, {"window_days": (None,)}),
        WINDOWED: Baseline(fit_popularity, dict(grids.window)),
        NEIGHBOURS: Baseline(fit_neighbours, near | dict(grids.item_neighbours)),
        DECAYED_NEIGHBOURS: Baseline(fit_neighbours, near | dict(grids.item_neighbours_decay)),
        PEERS: Baseline(peers, dict(grids.user_neighbours_decay if repeats else grids.user_neighbours)),
        TRANSITIONS: Baseline(rules, near | dict(grids.sequential_rules)),
        EASE: Baseline(fit_ease, dict(grids.ease) | most),
        DECAYED_EASE: Baseline(fit_ease, dict(grids.ease_decay) | most),
        ALS: Baseline(als, dict(grids.als)),
        DECAYED_ALS: Baseline(als, dict(grids.als_decay)),
    }
    if repeats:
        found[OWN] = Baseline(partial(fit_own, tie_days=fixed.tie_days), dict(grids.own_frequency))
    return found
