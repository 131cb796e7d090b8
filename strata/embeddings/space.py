"""The interest space: what an item says and what people do with it, in one vector."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
from pydantic import Field
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from strata.data.history import History
from strata.embeddings.co_choice import CoChoiceSettings, behaviour_vectors
from strata.embeddings.vectors import unit
from strata.settings import Settings
from strata.storage import read_array, write_array

FOLDS: Final = 5
FEWEST: Final = 50
"""Fewest chosen items from which it is learned what behaviour a text foretells."""


class SpaceSettings(Settings):
    """How text and behaviour are weighed."""

    behaviour: float = Field(0.5, ge=0, le=1)
    """Share of behaviour in the vector of an item that many people chose; text has the rest."""
    tried: tuple[float, ...] = (0.0, 0.25, 0.5)
    """Shares tried on the validation window; `behaviour` stays unless one is clearly better there. None: it stays."""
    trust: float = Field(10.0, gt=0)
    """Choosers of an item at which half of that share is reached."""
    penalties: tuple[float, ...] = (1.0, 10.0, 100.0)
    """Of the ridge regression from text to behaviour; the best by cross-validation is taken."""
    co_choice: CoChoiceSettings = Field(default_factory=CoChoiceSettings)
    """How behaviour vectors are learned."""


@dataclass(frozen=True)
class InterestSpace:
    """Unit `vectors` (n_items, d) of items: √(1 − b) · text beside √b · behaviour, both centred and of unit length.

    b = `share` · (n + `foretold` · trust) / (n + trust) for an item that n users chose and liked: the more there are,
    the more behaviour says. Texts, and items that nobody chose yet, have the behaviour that is foretold from text:
    `text_mean` (t,) is subtracted, and `to_behaviour` (t, d − t) applied. `foretold`: mean cosine of what is foretold
    to what is seen, by cross-validation; 0 where it cannot be known.
    """

    vectors: np.ndarray
    text_mean: np.ndarray
    to_behaviour: np.ndarray
    share: float
    foretold: float

    @classmethod
    def fit(cls, texts: np.ndarray, known: np.ndarray, past: History, settings: SpaceSettings) -> Self:
        """Fuse text vectors (n_items, t) with the behaviour of `past`; `known` (n_items,) bool: items that exist."""
        return cls.of_parts(Parts.of(texts, known, past, settings), settings.behaviour)

    @classmethod
    def of_parts(cls, parts: "Parts", share: float) -> Self:
        """Fuse what is known of items, with this share of behaviour."""
        blind = cls(np.zeros((0, 0), np.float32), parts.text_mean, parts.to_behaviour, share, parts.foretold)
        return replace(blind, vectors=blind._fused(parts.text, parts.seen, parts.trusted))

    def of_texts(self, vectors: np.ndarray) -> np.ndarray:
        """Where texts of these unit vectors (n, t) lie in the space: unit (n, d)."""
        text = unit(np.asarray(vectors, np.float32) - self.text_mean)
        return self._fused(text, np.zeros((len(text), self.to_behaviour.shape[1]), np.float32), np.zeros(len(text)))

    def _fused(self, text: np.ndarray, seen: np.ndarray, trusted: np.ndarray) -> np.ndarray:
        """Vectors (n, d) of unit `text` (n, t) and behaviour `seen` (n, d − t), `trusted` (n,) from 0 to 1."""
        trust, guess = trusted[:, None], self.foretold * (1 - trusted[:, None])
        behaviour = unit(trust * seen + guess * unit(text @ self.to_behaviour))
        b = self.share * (trust + guess) * behaviour.any(1, keepdims=True)
        return np.hstack([np.sqrt(1 - b) * text, np.sqrt(b) * behaviour]).astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write items.npy, text_mean.npy, to_behaviour.npy and weights.npy."""
        write_array(self.vectors, folder / "items.npy")
        write_array(self.text_mean, folder / "text_mean.npy")
        write_array(self.to_behaviour, folder / "to_behaviour.npy")
        write_array(np.array([self.share, self.foretold]), folder / "weights.npy")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        vectors, mean, to_behaviour, weights = (
            read_array(folder / f"{name}.npy") for name in ("items", "text_mean", "to_behaviour", "weights")
        )
        return cls(vectors, np.asarray(mean), np.asarray(to_behaviour), *weights.tolist())


@dataclass(frozen=True)
class Parts:
    """What is known of items before they are fused: the same for every share.

    `text` (n_items, t), `seen` (n_items, d − t): centred unit vectors of texts and of behaviour; `trusted` (n_items,):
    how far behaviour is trusted, 0 to 1. The rest as in InterestSpace.
    """

    text: np.ndarray
    seen: np.ndarray
    trusted: np.ndarray
    text_mean: np.ndarray
    to_behaviour: np.ndarray
    foretold: float

    @classmethod
    def of(cls, texts: np.ndarray, known: np.ndarray, past: History, settings: SpaceSettings) -> Self:
        """Learn from the behaviour of `past`; see `InterestSpace.fit`."""
        texts = np.asarray(texts, np.float32)
        mean = texts[known].mean(0) if known.any() else np.zeros(texts.shape[1], np.float32)
        text = unit(texts - mean)
        users = np.bincount(past.positive().matrix().indices, minlength=len(texts))
        trusted = users / (users + settings.trust)
        seen = behaviour_vectors(past, settings.co_choice)
        trusted[~seen.any(1)] = 0
        if trusted.any():
            seen = np.where(trusted[:, None] > 0, unit(seen - np.average(seen, axis=0, weights=trusted)), 0)
        return cls(text, seen, trusted, mean, *_foretelling(text, seen, trusted, settings.penalties))


def _foretelling(
    text: np.ndarray, seen: np.ndarray, trusted: np.ndarray, penalties: tuple[float, ...]
) -> tuple[np.ndarray, float]:
    """A matrix (t, d) from text to behaviour, learned from items by how far each is trusted, and how well it foretells.

    That is the mean cosine (0 at least) of what is foretold for items left out to their behaviour.
    """
    rows = np.flatnonzero(trusted)
    nothing = np.zeros((text.shape[1], seen.shape[1]), np.float32)
    if len(rows) < FEWEST:
        return nothing, 0.0
    inputs, targets, weights = text[rows], seen[rows], trusted[rows]
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    with threadpool_limits(1):  # threaded sums differ from run to run
        found = []
        for penalty in penalties:
            model = Ridge(alpha=penalty, fit_intercept=False)
            guessed = cross_val_predict(model, inputs, targets, cv=folds, params={"sample_weight": weights})
            found.append((float(np.average((unit(guessed) * targets).sum(1), weights=weights)), penalty))
        foretold, penalty = max(found)
        model = Ridge(alpha=penalty, fit_intercept=False).fit(inputs, targets, sample_weight=weights)
    return np.asarray(model.coef_.T, np.float32), max(foretold, 0.0)
