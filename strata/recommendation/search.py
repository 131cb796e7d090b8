"""Finds items for a text: by its words, by what its text says, and by what people choose who choose the first hits."""

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, Self

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING, top_k
from strata.data.catalogue import Catalogue
from strata.data.schema import CREATED
from strata.embeddings.index import ItemIndex
from strata.embeddings.vectors import unit
from strata.language.asking import Asked, read_asked
from strata.language.years import Years
from strata.recommendation.explanation import Reason
from strata.recommendation.search_settings import SearchSettings
from strata.recommendation.word_index import WordIndex

Because = Literal["title", "words", "text", "likeness"]
EXACT: Final = 0.999
"""A title that is what the text says, but for rounding."""
SAID: Final[dict[Because, str]] = {
    "title": "its title is what was asked for",
    "words": "has the words that were asked for",
    "text": "its text is near to what was asked for",
    "likeness": "chosen by the people who choose the first hits",
}


class Hit(NamedTuple):
    """An item row and its score.

    `because`: a title that is named, else what added most to the score, with its `share` of it; `like`: the item row
    that was asked to be like, or NOTHING.
    """

    row: int
    score: float
    because: Because
    share: float
    like: int

    def reason(self, catalogue: Catalogue) -> Reason:
        """As a list shows it."""
        named = () if self.like == NOTHING else (str(catalogue.ids[self.like]),)
        text = f"like {catalogue.titles[self.like]}" if named else SAID[self.because]
        return Reason(self.because, round(self.share, 3), None, None, None, named, text)


@dataclass(frozen=True)
class _Query:
    """A search: words, vectors of its text (t,) and in the interest space (d,), the item row it is to be like."""

    asked: Asked
    words: str
    text: np.ndarray
    point: np.ndarray
    like: int


@dataclass(frozen=True)
class Search:
    """What a release knows for searches.

    `texts`, `index`: the items by their texts and in the interest space. `years` (n_items,): when items came, 0 where
    that is unknown.
    """

    words: WordIndex
    texts: ItemIndex
    index: ItemIndex
    titles: list[str]
    years: np.ndarray
    settings: SearchSettings

    @classmethod
    def of(
        cls, words: WordIndex, texts: ItemIndex, index: ItemIndex, catalogue: Catalogue, settings: SearchSettings
    ) -> Self:
        """Of the parts of a release."""
        years = catalogue.items[CREATED].dt.year().fill_null(0).cast(pl.Int32).to_numpy()
        return cls(words, texts, index, catalogue.titles, years, settings)

    def find(self, text: str, vector: np.ndarray, k: int, admitted: np.ndarray) -> list[Hit]:
        """Up to `k` of the admitted items (n_items,) bool, best first, for a text with its unit vector (t,).

        What is asked to be like an item whose title it names is found by that item, which is left out.
        """
        asked = read_asked(text)
        named = self.words.named(asked.like or asked.words)
        best, n = int(np.argmax(named)), max(k, self.settings.candidates)
        if asked.like and named[best] >= self.settings.named:
            admitted = admitted.copy()
            admitted[best] = False
            query = _Query(asked, self.titles[best], self._text(best), self._point(np.array([best])), best)
            titles = np.zeros_like(named)
        else:
            none = np.zeros(self.index.dimension, np.float32)
            query = _Query(asked, asked.words, np.asarray(vector, np.float32), none, NOTHING)
            titles = np.where(named >= self.settings.named, named, 0)
        found = np.minimum(self.words.scores(query.words), 1)
        rows = self._proposed(query, found, titles, admitted, n)
        if query.like == NOTHING and len(rows):
            query = replace(
                query, point=self._point(self._first(rows, self._parts(rows, query, found, titles), titles))
            )
        near = self.index.search(query.point[None], n, admitted)[0][0]
        rows = np.union1d(rows, near[near != NOTHING])
        return self._best(rows, query, self._parts(rows, query, found, titles), k)

    def _proposed(
        self, query: _Query, found: np.ndarray, titles: np.ndarray, admitted: np.ndarray, n: int
    ) -> np.ndarray:
        """Admitted rows (m,), ascending, that text, words and titles propose."""
        by_text = self.texts.search(query.text[None], n, admitted)[0][0]
        by_words = np.where(admitted & (found + titles > 0), found + titles, -np.inf)
        rows = np.union1d(by_text, top_k(by_words[None], n)[0][0])
        return np.asarray(rows[rows != NOTHING])

    def _first(self, rows: np.ndarray, parts: np.ndarray, titles: np.ndarray) -> np.ndarray:
        """The first hits, or those whose title is all that was asked for: of item rows (m,), at least one."""
        exact = titles[rows] > EXACT
        if exact.any():
            return np.asarray(rows[exact])
        first = top_k(parts.sum(0)[None], self.settings.first)[0][0]
        return np.asarray(rows[first[first != NOTHING]])

    def _parts(self, rows: np.ndarray, query: _Query, found: np.ndarray, titles: np.ndarray) -> np.ndarray:
        """What title, words, text, likeness and years add to the scores of item rows (m,): (5, m).

        The interest space holds texts too: it is all that says what is like an item.
        """
        settings, years = self.settings, query.asked.years
        text, space = settings.text, settings.space
        if query.like != NOTHING:
            text, space = 0.0, text + space
        return np.stack(
            [
                settings.title * titles[rows],
                settings.words * found[rows] ** settings.whole,
                text * (self.texts.vectors(rows) @ query.text),
                space * (self.index.vectors(rows) @ query.point),
                settings.years * self._of(years, rows) if years else np.zeros(len(rows), np.float32),
            ]
        )

    def _best(self, rows: np.ndarray, query: _Query, parts: np.ndarray, k: int) -> list[Hit]:
        scores = parts.sum(0)
        best = np.lexsort((rows, -scores))[:k]
        kinds: tuple[Because, ...] = ("title", "words", "text", "likeness")
        shares = np.maximum(parts[: len(kinds), best], 0) / np.maximum(np.abs(parts[:, best]).sum(0), 1e-9)
        main = np.where(shares[0] > 0, 0, np.argmax(shares, 0))
        return [
            Hit(int(row), float(scores[place]), kinds[kind], float(shares[kind, number]), query.like)
            for number, (row, place, kind) in enumerate(zip(rows[best], best, main, strict=True))
        ]

    def _of(self, years: Years, rows: np.ndarray) -> np.ndarray:
        of = self.years[rows]
        return np.asarray((of >= (years.first or 1)) & (of <= (years.last or np.inf)), np.float32)

    def _text(self, row: int) -> np.ndarray:
        return np.asarray(self.texts.vectors(np.array([row]))[0])

    def _point(self, rows: np.ndarray) -> np.ndarray:
        """The middle (d,) of item rows in the interest space."""
        return np.asarray(unit(self.index.vectors(rows).mean(0, keepdims=True))[0], np.float32)
