"""The words of items that came since a release was made: they are found as those of its own items are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse

from strata.language.asking import small_words
from strata.online.widened.change import Change
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.word_counts import taller, usual_length, weighted_counts, words_of
from strata.recommendation.word_index import Matrix, WordIndex

SAMPLE: Final = 500
"""Items of a release, at most, from which the usual length of a field is known."""


@dataclass(frozen=True)
class Later:
    """Words of the items `rows` (m,): their `weights` and `titles`, CSR (n_words, m), as in WordIndex."""

    rows: np.ndarray
    weights: sparse.csr_matrix
    titles: sparse.csr_matrix

    def without(self, rows: np.ndarray) -> "Later":
        """Those of other items."""
        kept = np.flatnonzero(~np.isin(self.rows, rows))
        return Later(self.rows[kept], self.weights[:, kept], self.titles[:, kept])

    def beside(self, other: "Later") -> "Later":
        """With those of other items, which know as many words or more."""
        n_words = other.weights.shape[0]
        weights, titles = (
            sparse.csr_matrix(sparse.hstack([taller(mine, n_words), theirs]))
            for mine, theirs in ((self.weights, other.weights), (self.titles, other.titles))
        )
        return Later(np.concatenate([self.rows, other.rows]), weights, titles)


@dataclass(frozen=True, kw_only=True)
class WidenedWords(WordIndex):
    """The index `plain` with items that came `later`: of these, and of those of its own among them, only that counts.

    New words are as rare as can be; `weights` and `titles` hold no row for them. `usual`: words that each field of an
    item has on average.
    """

    plain: WordIndex
    later: Later
    usual: Mapping[str, float]
    n_items: int

    @classmethod
    def of(cls, index: WordIndex, change: Change, items: pl.DataFrame, settings: WordSettings) -> "WidenedWords":
        """An index, widened already or not, with the words of a change; `items`: those that it has."""
        widened = index if isinstance(index, cls) else None
        plain = index if widened is None else widened.plain
        usual = _usual(items, settings, japanese=index.japanese) if widened is None else widened.usual
        words = dict(index.words)
        counted, named = weighted_counts(change.items, words, settings, usual, japanese=index.japanese)
        rarity = np.append(index.rarity, np.full(len(words) - len(index.rarity), plain._rarest, np.float32))
        counted.data *= (settings.saturation + 1) / (counted.data + settings.saturation)
        later = Later(change.rows, *(sparse.csr_matrix(sparse.diags(rarity) @ each) for each in (counted, named)))
        if widened is not None:
            later = widened.later.without(change.rows).beside(later)
        weights, titles = (taller(each, len(words)) for each in (plain.weights, plain.titles))
        return cls(
            words,
            rarity,
            weights,
            titles,
            plain.japanese,
            plain=plain,
            later=later,
            usual=usual,
            n_items=change.n_items,
        )

    def _sums(self, rows: np.ndarray | list[int], matrix: Matrix) -> np.ndarray:
        return self._with_later(super()._sums(rows, matrix), getattr(self.later, matrix)[rows])

    def _with_later(self, of_plain: np.ndarray, later: sparse.csr_matrix) -> np.ndarray:
        """What stands in each item (n_items,), from sums of the plain index's items and rows of the later ones."""
        found = np.pad(of_plain, (0, self.n_items - len(of_plain)))
        found[self.later.rows] = np.asarray(later.sum(0), np.float32).ravel()
        return found

    @cached_property
    def _has_signs(self) -> bool:
        return self.plain._has_signs or super()._has_signs

    @cached_property
    def _title_mass(self) -> np.ndarray:
        small = [row for word in small_words() if (row := self.words.get(word)) is not None]
        telling = np.setdiff1d(np.arange(len(self.words)), small)
        return self._with_later(self.plain._title_mass, self.later.titles[telling])


def _usual(items: pl.DataFrame, settings: WordSettings, *, japanese: bool) -> dict[str, float]:
    """Words that each field has on average where it has any, from SAMPLE items that lie evenly in a table."""
    some = items[np.unique(np.linspace(0, items.height - 1, min(items.height, SAMPLE)).astype(int))]
    return {
        field: usual_length([words_of(value, japanese) for value in some[field].to_list()]) for field in settings.fields
    }
