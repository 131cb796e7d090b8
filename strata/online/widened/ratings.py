"""Predicted ratings of items that nobody could rate yet: those of the items whose texts are nearest."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from strata._kernels.selection import NOTHING
from strata.embeddings.index import ItemIndex
from strata.models.predicted_ratings import PredictedRatings

NEIGHBOURS: Final = 20
SHARP: Final = 4
"""Power of the cosine by which a neighbour counts."""


@dataclass(frozen=True)
class WidenedRatings(PredictedRatings):
    """The ratings of the items of a release, and of later ones by their `texts`, an index of all of them."""

    texts: ItemIndex

    @classmethod
    def of_more(cls, ratings: PredictedRatings, texts: ItemIndex) -> "WidenedRatings":
        """Ratings, widened already or not, of all items that `texts` has."""
        return cls(ratings.signs, ratings.weights, ratings.lowest, ratings.highest, texts)

    def of_users(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """As in PredictedRatings."""
        known, place, share = self._known(items)
        return np.bincount(place, share * super().of_users(users[place], known), len(items))

    def of_visitor(self, rated: np.ndarray, values: np.ndarray, items: np.ndarray) -> np.ndarray:
        """As in PredictedRatings; ratings of later items say nothing."""
        known, place, share = self._known(items)
        learned = rated < self._n
        return np.bincount(place, share * super().of_visitor(rated[learned], values[learned], known), len(items))

    @property
    def _n(self) -> int:
        """Items of the release."""
        return int(self.signs.given.shape[1])

    def _known(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Items of the release that stand for `items` (n,): their rows, the place of the one, and how much they count.

        Three arrays (m,); shares sum to 1 for each.
        """
        new = np.flatnonzero(items >= self._n)
        if not len(new):
            return items, np.arange(len(items)), np.ones(len(items))
        near, cosines = self.texts.search(
            self.texts.vectors(items[new]), NEIGHBOURS, np.arange(len(self.texts)) < self._n
        )
        weights = np.where(near == NOTHING, 0.0, np.maximum(cosines, 1e-3) ** SHARP)
        of_new, column = np.nonzero(weights)
        old = np.flatnonzero(items < self._n)
        known = np.concatenate([items[old], near[of_new, column]])
        share = np.concatenate([np.ones(len(old)), (weights / weights.sum(1, keepdims=True))[of_new, column]])
        return known, np.concatenate([old, new[of_new]]), share
