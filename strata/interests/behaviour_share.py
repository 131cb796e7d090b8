"""Chooses how much behaviour says in the interest space, by whether topics are what people pursue together."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from strata.data.history import History
from strata.embeddings.co_choice import first_choices
from strata.embeddings.space import InterestSpace, Parts, SpaceSettings
from strata.interests.pursued import lift, pair_shares
from strata.interests.themes import ThemeSettings, topics_of

USERS, SEED = 1_000, 7
"""Most users that judge, a fixed sample."""
CLEARLY: Final = 1.0
"""Standard errors by which another share must be better than the one that is set."""


@dataclass(frozen=True)
class Trial:
    """A share, the lift of its topics (see `pair_shares`), and its gain over the share as set, ± a standard error."""

    share: float
    lift: float
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
    texts: np.ndarray, known: np.ndarray, past: History, later: History, settings: SpaceSettings, themes: ThemeSettings
) -> BehaviourShare:
    """Try shares of behaviour: topics by each, learned from the `past`, are judged by what users chose `later`.

    The share that is set stays unless another is better by more than a standard error: with few users differences are
    noise. `texts` (n_items, t): unit text vectors; `known` (n_items,) bool: items that exist before.
    """
    usual, later = settings.behaviour, _sampled(first_choices(later.positive()))
    shares = [usual, *(share for share in settings.tried if share != usual)]
    judges = np.flatnonzero(np.diff(later.offsets) > 1)
    if len(shares) == 1 or not len(judges):
        why = "as set; no others are tried" if len(shares) == 1 else "as set; nobody chose two items to judge by"
        return BehaviourShare(usual, why, len(judges), ())
    parts = Parts.of(texts, known, past, settings)
    found = [
        pair_shares(later, topics_of(InterestSpace.of_parts(parts, share).vectors, known, themes))[judges]
        for share in shares
    ]
    lifts, influences = zip(*map(_lift, found), strict=True)
    trials = []
    for share, value, influence in zip(shares, lifts, influences, strict=True):
        error = float((influence - influences[0]).std()) / len(judges) ** 0.5
        trials.append(Trial(share, round(value, 4), round(value - lifts[0], 4), round(error, 4)))
    best = max(trials, key=lambda trial: trial.gain - CLEARLY * trial.error)  # the share that is set has 0 and 0
    why = "as set; topics by no other are clearly more what people choose together"
    if best.share != usual:
        why = f"topics are {best.gain:.2f} ± {best.error:.2f} times likelier shared than by {usual:g}, as set"
    return BehaviourShare(best.share, why, len(judges), tuple(trials))


def _lift(shares: np.ndarray) -> tuple[float, np.ndarray]:
    """The lift of chances (B, 2), and how far each user moves it, for its standard error (the delta method)."""
    value = float(lift(shares.sum(0)))
    return value, (shares[:, 0] - value * shares[:, 1]) / max(float(shares[:, 1].mean()), 1e-12)


def _sampled(later: History) -> History:
    """The events of at most USERS users, always the same ones."""
    drawn = np.random.default_rng(SEED).permutation(later.active_users())[:USERS]
    return later.keep(np.isin(later.users, drawn))
