"""The models that a careful engineer would try first: each with the settings it may be tuned over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from strata.data.history import DAY, History
from strata.evaluation.window import Scorer
from strata.models.als import Factors
from strata.models.ease import Ease
from strata.models.item_knn import ItemNeighbours
from strata.models.item_model import CollaborativeSettings, ItemModel, weigh
from strata.models.popularity import popularity
from strata.models.user_knn import UserNeighbours

HALF_LIVES = (3.0, 10.0, 30.0, 100.0, 300.0)
"""In events of the same user."""


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


def fit_transitions(history: History, time: float, *, neighbours: int, half_life: float, shrink: float) -> Scorer:
    """Sequential rules on all events before `time`."""
    return _from_history(
        ItemNeighbours.following(history, neighbours=neighbours, half_life=half_life, shrink=shrink), history
    )


def fit_als(
    history: History, time: float, *, factors: int, penalty: float, alpha: float, half_life: float | None
) -> Scorer:
    """Matrix factors of all events before `time`."""
    model = Factors.fit(history, factors=factors, penalty=penalty, alpha=alpha, half_life=half_life)
    return _from_history(model, history)


def fit_peers(history: History, time: float, *, neighbours: int, half_life_days: float | None) -> Scorer:
    """User neighbours on all events before `time`."""
    model = UserNeighbours.fit(history, time, neighbours=neighbours, half_life_days=half_life_days)
    matrix = model.histories
    return lambda users: model.scores(matrix[users])


def fit_own(history: History, time: float, *, half_life_days: float) -> Scorer:
    """How often a user chose each item before, decayed; the rest by popularity, below all of it."""
    history = history.choices
    decayed = np.exp2(-(time - history.times) / DAY / half_life_days).astype(np.float32)
    own = sparse.csr_matrix((decayed, (history.users, history.items)), (history.n_users, history.n_items))
    counts = popularity(history, time, 30.0)
    ties = (1e-6 * counts / max(float(counts.max(initial=0)), 1.0)).astype(np.float32)
    return lambda users: own[users].toarray() + ties


def _from_history(model: ItemModel, history: History) -> Scorer:
    matrix = weigh(history, model.half_life)
    return lambda users: model.scores(matrix[users])


def mean_vector(vectors: np.ndarray) -> Baseline:
    """Cosine to the recency-weighted mean of the vectors (n_items, d) of a user's items."""

    def fit(history: History, time: float, *, half_life: float) -> Scorer:
        matrix = weigh(history.positive(), half_life)
        return lambda users: np.asarray((matrix[users] @ vectors) @ vectors.T, np.float32)

    return Baseline(fit, {"half_life": (1.0, *HALF_LIVES, 1_000.0, 10_000.0)})


POPULARITY, WINDOWED = "popularity", "popularity in a window"
NEIGHBOURS, DECAYED_NEIGHBOURS = "item neighbours", "item neighbours + decay"
PEERS, TRANSITIONS, OWN = "user neighbours", "sequential rules", "own frequency + decay"
EASE, DECAYED_EASE = "EASE", "EASE + decay"
ALS, DECAYED_ALS = "ALS", "ALS + decay"


def behavioural(settings: CollaborativeSettings, *, repeats: bool) -> dict[str, Baseline]:
    """The baselines that need behaviour alone, by name; what one chose before only where it may come back."""
    shrink = (0, 1, 3, 10, 30, 100, 300, 1_000)
    penalty = (10, 30, 100, 200, 500, 1_000, 2_000, 5_000)
    windows = (1, 3, 7, 14, 30, 60, 120, 365)
    near_users = (10, 20, 40, 60, 100, 150, 250, 500)
    factors = (16, 32, 64, 128)
    near, most = (settings.neighbours,), (settings.ease_max_items,)
    found = {
        POPULARITY: Baseline(fit_popularity, {"window_days": (None,)}),
        WINDOWED: Baseline(fit_popularity, {"window_days": windows}),
        NEIGHBOURS: Baseline(fit_neighbours, {"neighbours": near, "half_life": (None,), "shrink": shrink}),
        DECAYED_NEIGHBOURS: Baseline(
            fit_neighbours, {"neighbours": near, "half_life": HALF_LIVES, "shrink": shrink[::2]}
        ),
        PEERS: Baseline(fit_peers, {"neighbours": near_users, "half_life_days": (None,)}),
        TRANSITIONS: Baseline(
            fit_transitions, {"neighbours": near, "half_life": (1.0, *HALF_LIVES), "shrink": shrink[1::2]}
        ),
        EASE: Baseline(fit_ease, {"penalty": penalty, "half_life": (None,), "most": most}),
        DECAYED_EASE: Baseline(fit_ease, {"penalty": penalty[1::2], "half_life": HALF_LIVES, "most": most}),
        ALS: Baseline(fit_als, {"factors": factors, "penalty": (3, 10, 30), "alpha": (1, 3, 10), "half_life": (None,)}),
        DECAYED_ALS: Baseline(
            fit_als, {"factors": factors[1:], "penalty": (10, 30), "alpha": (1, 3, 10), "half_life": HALF_LIVES[2:]}
        ),
    }
    if repeats:
        found[PEERS] = Baseline(
            fit_peers, {"neighbours": near_users[3:7], "half_life_days": (60.0, 120.0, 240.0, 480.0)}
        )
        found[OWN] = Baseline(fit_own, {"half_life_days": (7.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 365.0)})
    return found
