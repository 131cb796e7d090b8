"""Chooses how much behaviour says in the interest space, by what people chose next in a window."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from strata.embeddings.space import InterestSpace, Parts, SpaceSettings
from strata.evaluation.metrics import ndcg_at_k
from strata.evaluation.window import Window
from strata.models.baselines import mean_vector
from strata.models.settings import MeanVectorGrid

JUDGED_AT = 10
CLEARLY = 1.0
"""Standard errors of the paired difference by which another share must be better than the one that is set."""


@dataclass(frozen=True)
class Trial:
    """A share, mean NDCG@10 of the decayed mean of users' items, and its gain over the share as set, ± an error."""

    share: float
    ndcg: float
    gain: float
    error: float


@dataclass(frozen=True)
class BehaviourShare:
    """The share that was chosen, why, and what was tried on how many `users`."""

    share: float
    why: str
    users: int
    tried: tuple[Trial, ...]

    def as_json(self) -> dict[str, Any]:
        """For a JSON file."""
        return asdict(self)


def choose_share(
    texts: np.ndarray, known: np.ndarray, window: Window, settings: SpaceSettings, grid: MeanVectorGrid
) -> BehaviourShare:
    """Try shares of behaviour on a window: the decayed mean of a user's vectors ranks what they choose next.

    The share that is set stays unless another is better by more than a standard error: with few users differences are
    noise. `texts` (n_items, t): unit text vectors; `known` (n_items,) bool: items that exist before the window.
    """
    warm, usual = window.only(window.warm), settings.behaviour
    shares = [usual, *(share for share in settings.tried if share != usual)]
    if len(shares) == 1 or not len(warm.users):
        why = "as set; no others are tried" if len(shares) == 1 else "as set; nobody chose before the window and in it"
        return BehaviourShare(usual, why, len(warm.users), ())
    parts = Parts.of(texts, known, window.past, settings)
    values = [_values(InterestSpace.of_parts(parts, share), warm, grid) for share in shares]
    trials = []
    for share, value in zip(shares, values, strict=True):
        gain = value - values[0]
        error = float(gain.std()) / len(gain) ** 0.5
        trials.append(Trial(share, round(float(value.mean()), 6), round(float(gain.mean()), 6), round(error, 6)))
    best = max(trials, key=lambda trial: trial.gain - CLEARLY * trial.error)  # the share that is set has 0 and 0
    why = "as set; no other is better by a standard error"
    if best.share != usual:
        why = f"better than {usual:g} as set, by {best.gain:.4f} ± {best.error:.4f} NDCG@10 of the decayed mean"
    return BehaviourShare(best.share, why, len(warm.users), tuple(trials))


def _values(space: InterestSpace, window: Window, grid: MeanVectorGrid) -> np.ndarray:
    """NDCG@10 of each user of the window (B,), by the best half-life of the grid."""
    model = mean_vector(space.vectors, grid)
    found = [
        ndcg_at_k(window.rank(model.fit(window.past, window.time, half_life=half_life), JUDGED_AT), window.relevant, 10)
        for half_life in grid.half_life
    ]
    return max(found, key=lambda values: float(values.mean()))
