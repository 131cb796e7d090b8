"""The labels and titles of items that came since a release was made, beside those of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from strata.language.vocabulary import FEW, NOTHING_NAMED, Vocabulary
from strata.online.widened.change import Change


@dataclass(frozen=True)
class WidenedVocabulary(Vocabulary):
    """The vocabulary `plain` with `items` (m) that came later, of these `rows` (m,).

    Of items of its own among them only the later words count. `labels` and `titles` are those of `plain`; the later
    items' labels are numbered on from there: one that both have is two, each with its items.
    """

    plain: Vocabulary
    items: pl.DataFrame
    rows: np.ndarray

    @classmethod
    def of_more(cls, vocabulary: Vocabulary, change: Change) -> "WidenedVocabulary":
        """A vocabulary, widened already or not, with the words of a change."""
        items, rows, plain = change.items, change.rows, vocabulary
        if isinstance(vocabulary, cls):
            kept = ~np.isin(vocabulary.rows, rows)
            items, rows = pl.concat([vocabulary.items.filter(kept), items]), np.append(vocabulary.rows[kept], rows)
            plain = vocabulary.plain
        return cls(plain.labels, plain.titles, change.n_items, plain, items, rows)

    @cached_property
    def later(self) -> Vocabulary:
        """That of the later items, numbered as in `items`."""
        return replace(Vocabulary.of(self.items), n_items=self.n_items)

    def carriers(self, labels: Sequence[int]) -> np.ndarray:
        """As in Vocabulary."""
        first = self.plain.labels.height
        own = self.plain.carriers([label for label in labels if label < first])
        more = self.later.carriers([label - first for label in labels if label >= first])
        return self._together(own, more)

    def _called(self, words: frozenset[str]) -> np.ndarray:
        if len(words) == 1 and len(self.plain._titles.get(*words) or ()) > max(3, FEW * self.n_items):
            return NOTHING_NAMED.items
        return self._together(self.plain._called(words), self.later._called(words))

    def _together(self, own: np.ndarray, more: np.ndarray) -> np.ndarray:
        """Item rows of the plain vocabulary, without those that came again, and of places among the later items."""
        return np.union1d(np.setdiff1d(own, self.rows), self.rows[more])

    @cached_property
    def _names(self) -> list[str]:
        return [*self.plain._names, *self.later._names]

    @cached_property
    def _stems(self) -> list[frozenset[str]]:
        return [*self.plain._stems, *self.later._stems]
