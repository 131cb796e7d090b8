"""Item models: the interface of models that score items by the items of a history."""

from typing import Any, Protocol, Self

import numpy as np
from scipy import sparse

from strata.data.history import History
from strata.models.files import StoredModel


class ScoresItems(Protocol):
    """Scores items from weighted histories."""

    @property
    def half_life(self) -> float | None:
        """Half-life of an event's weight, in later events; None: no decay."""
        ...

    def scores(self, histories: sparse.csr_matrix) -> np.ndarray:
        """Scores (B, n_items) float32 for histories (B, n_items)."""
        ...

    def between(self, chosen: np.ndarray, item: int) -> np.ndarray:
        """How much each of the `chosen` items (m,) adds to the score of `item`: (m,)."""
        ...


class ItemModel(ScoresItems, StoredModel, Protocol):
    """Learns to score items, and is kept in a file.

    To add one: a module of strata/models with these members, its grid in settings.py and params.yaml, a line of
    `behavioural` in baselines.py, and a line of ITEM_MODELS in fitted.py.
    """

    @classmethod
    def fit(cls, history: History, *args: Any, **settings: Any) -> Self:
        """Learn from all of a history."""
        ...


def weigh(history: History, half_life: float | None) -> sparse.csr_matrix:
    """Users × chosen items: 1, or 2^(−choices since / half_life) where a half-life (in choices) is given.

    Counting events, not days, keeps the order within a single long session.
    """
    history = history.choices
    if half_life is None:
        return history.matrix()
    ages = history.age_in_events()
    halved = np.exp2(-np.arange(int(ages.max(initial=0)) + 1) / half_life).astype(np.float32)
    return history.matrix(halved[ages])
