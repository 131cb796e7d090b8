"""Baselines, each with the grid of settings that it may be tuned over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from strata.data.history import DAY, History
from strata.evaluation.window import Scorer
from strata.models.als import Als
from strata.models.association_rules import AssociationRules
from strata.models.ease import Ease
from strata.models.item_knn import ItemKnn
from strata.models.item_model import ItemModel, weigh
from strata.models.popularity import popularity
from strata.models.settings import CollaborativeSettings, MeanVectorGrid
from strata.models.user_knn import UserKnn


@dataclass(frozen=True)
class Baseline:
    """`fit(history, time, **settings)` gives a scorer; `grid`: the values each setting may take, one if untuned."""

    fit: Callable[..., Scorer]
    grid: Mapping[str, Sequence[Any]]


def fit_popularity(history: History, time: float, *, window_days: float | None) -> Scorer:
    """Popularity: the same scores for everybody."""
    counts = popularity(history, time, window_days)
    return lambda users: np.tile(counts, (len(users), 1))


def by_history(fit: Callable[..., ItemModel]) -> Callable[..., Scorer]:
    """Fit an item model on all events before a time, and score users by their own histories."""

    def scorer(history: History, time: float, **settings: Any) -> Scorer:  # noqa: ARG001
        model = fit(history, **settings)
        matrix = weigh(history, model.half_life)
        return lambda users: model.scores(matrix[users])

    return scorer


def fit_user_knn(history: History, time: float, **settings: Any) -> Scorer:
    """User-kNN on all events before `time`."""
    model = UserKnn.fit(history, time, **settings)
    matrix = model.histories
    return lambda users: model.scores(matrix[users])


def fit_own(history: History, time: float, *, half_life_days: float, tie_days: float) -> Scorer:
    """How often a user chose each item before, decayed; ties and all others by recent popularity, below these."""
    history = history.choices
    decayed = np.exp2(-(time - history.times) / DAY / half_life_days).astype(np.float32)
    own = sparse.csr_matrix((decayed, (history.users, history.items)), (history.n_users, history.n_items))
    counts = popularity(history, time, tie_days)
    ties = (1e-6 * counts / max(float(counts.max(initial=0)), 1.0)).astype(np.float32)
    return lambda users: own[users].toarray() + ties


def mean_vector(vectors: np.ndarray, grid: MeanVectorGrid) -> Baseline:
    """Cosine to the recency-weighted mean of the vectors (n_items, d) of a user's items."""

    def fit(history: History, time: float, *, half_life: float | None) -> Scorer:
        matrix = weigh(history.positive(), half_life)
        return lambda users: np.asarray((matrix[users] @ vectors) @ vectors.T, np.float32)

    return Baseline(fit, dict(grid))


POPULARITY, WINDOWED = "popularity", "popularity in a window"
ITEM_KNN, DECAYED_ITEM_KNN = "item-kNN", "item-kNN + decay"
USER_KNN, ASSOCIATION_RULES, OWN = "user-kNN", "association rules", "own frequency + decay"
EASE, DECAYED_EASE = "EASE", "EASE + decay"
ALS, DECAYED_ALS = "ALS", "ALS + decay"


def behavioural(settings: CollaborativeSettings, *, repeats: bool) -> dict[str, Baseline]:
    """The collaborative baselines by name; own frequency only where `repeats` are recommended."""
    grids, fixed = settings.grids, settings.fixed
    near, most = {"neighbours": (settings.neighbours,)}, {"most": (settings.ease_max_items,)}
    distance, rarity = {"distance": (fixed.rule_distance,)}, {"least_rarity": (fixed.least_rarity,)}
    als = {"rounds": (fixed.als_rounds,), "seed": (fixed.als_seed,)}
    found = {
        POPULARITY: Baseline(fit_popularity, {"window_days": (None,)}),
        WINDOWED: Baseline(fit_popularity, dict(grids.window)),
        ITEM_KNN: Baseline(by_history(ItemKnn.fit), near | dict(grids.item_knn)),
        DECAYED_ITEM_KNN: Baseline(by_history(ItemKnn.fit), near | dict(grids.item_knn_decay)),
        USER_KNN: Baseline(fit_user_knn, dict(grids.user_knn_decay if repeats else grids.user_knn) | rarity),
        ASSOCIATION_RULES: Baseline(by_history(AssociationRules.fit), near | dict(grids.association_rules) | distance),
        EASE: Baseline(by_history(Ease.fit), dict(grids.ease) | most),
        DECAYED_EASE: Baseline(by_history(Ease.fit), dict(grids.ease_decay) | most),
        ALS: Baseline(by_history(Als.fit), dict(grids.als) | als),
        DECAYED_ALS: Baseline(by_history(Als.fit), dict(grids.als_decay) | als),
    }
    if repeats:
        found[OWN] = Baseline(fit_own, dict(grids.own_frequency) | {"tie_days": (fixed.tie_days,)})
    return found
