"""Which words stand in which items, weighed by BM25 over fields, and which title a text names."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
from pydantic import Field, NonNegativeFloat
from scipy import sparse

from strata.data.schema import BRAND, CATEGORIES, DESCRIPTION, TAGS, TITLE
from strata.interests.segmenting import has_no_spaces, is_japanese
from strata.language.asking import small_words
from strata.recommendation.search_words import UNSPACED, search_words
from strata.settings import Settings
from strata.storage import read_array, write_array, write_table

JOINED: Final = "_"
LONGEST_NAME: Final = 4
"""Words, at most, of a category or tag that is looked up whole."""
MATRICES: Final = ("weights", "titles")
NAMES: Final = (CATEGORIES, TAGS)
"""An item has them or not, however many others it has: their number is no length."""
PARTS: Final = ("data", "indices", "indptr")


class WordSettings(Settings):
    """What a word in each field counts, and BM25's two parameters (Robertson and Zaragoza 2009)."""

    fields: Mapping[str, NonNegativeFloat] = Field(
        default={TITLE: 1.0, CATEGORIES: 1.0, TAGS: 1.0, BRAND: 1.0, DESCRIPTION: 0.5}
    )
    """Times that a word counts in this field."""
    saturation: float = Field(1.2, ge=0)
    """BM25's k₁: how soon further occurrences add little."""
    length: float = Field(0.75, ge=0, le=1)
    """BM25's b: how much a long field counts less."""


@dataclass(frozen=True)
class WordIndex:
    """BM25 of every word in every item: `weights`, CSR (n_words, n_items).

    `titles`, CSR (n_words, n_items): the rarity of a word where it stands in an item's title. `words`: their rows.
    `rarity` (n_words,): inverse document frequency, natural logarithm.
    """

    words: Mapping[str, int]
    rarity: np.ndarray
    weights: sparse.csr_matrix
    titles: sparse.csr_matrix
    japanese: bool = False

    @classmethod
    def build(cls, items: pl.DataFrame, settings: WordSettings) -> Self:
        """Read the items' titles, categories, tags, brands and descriptions."""
        japanese = is_japanese(items)
        words: dict[str, int] = {}
        counted = sparse.csr_matrix((0, items.height), dtype=np.float32)
        titles = counted
        for field, weight in settings.fields.items():
            texts = [_words_of(value, japanese) for value in items[field].to_list()]
            counts = _counts(texts, words)
            if field == TITLE:
                titles = counts.sign()
            norm = weight / _lengths(texts, 0.0 if field in NAMES else settings.length)
            counted = _taller(counted, len(words)) + (counts @ sparse.diags(norm.astype(np.float32))).tocsr()
        counted.eliminate_zeros()
        held = np.diff(counted.indptr)
        rarity = np.log1p((items.height - held + 0.5) / (held + 0.5)).astype(np.float32)
        counted.data *= (settings.saturation + 1) / (counted.data + settings.saturation)
        titles = (sparse.diags(rarity) @ _taller(titles, len(words))).tocsr()
        return cls(words, rarity, (sparse.diags(rarity) @ counted).tocsr(), titles, japanese)

    def rows(self, text: str) -> tuple[np.ndarray, float]:
        """The rows of the words of a text, and of its names of categories, with what they would weigh at most.

        Words that name nothing are left out unless there are no others. What is in no item is as rare as can be.
        """
        said = self._said(text)
        telling = [word for word in self._joined(said) if word not in small_words()] or said
        known = sorted({self.words[word] for word in telling if word in self.words})
        unknown = len({word for word in telling if word not in self.words})
        return np.array(known, np.int64), float(self.rarity[known].sum()) + self._rarest * unknown

    def _joined(self, said: list[str]) -> Iterator[str]:
        """The words, those that make up the name of a category or tag as one: from the left, the longest name."""
        start = 0
        while start < len(said):
            for length in range(min(LONGEST_NAME, len(said) - start), 0, -1):
                name = JOINED.join(said[start : start + length])
                if length == 1 or name in self.words:
                    yield name
                    start += length
                    break

    def _said(self, text: str) -> list[str]:
        """The words of a text. Chinese and Japanese are not segmented, which loads a dictionary, where no item is."""
        return search_words(text if self._has_signs else UNSPACED.sub(" ", text), japanese=self.japanese)

    def scores(self, text: str) -> np.ndarray:
        """BM25 of a text in every item (n_items,) as a share of what all its words would weigh in an average item."""
        rows, most = self.rows(text)
        found = np.asarray(self.weights[rows].sum(0), np.float32).ravel()
        return found / np.float32(most) if most else found

    def named(self, text: str) -> np.ndarray:
        """How far each item's title is what a text says, and nothing else: (n_items,), 0 to 1.

        Dice's coefficient of both sets of words, each by its rarity; names of categories and small words apart.
        """
        said = {word for word in self._said(text) if word not in small_words()}
        rows = sorted(self.words[word] for word in said if word in self.words)
        mass = float(self.rarity[rows].sum()) + self._rarest * (len(said) - len(rows))
        both = np.asarray(self.titles[rows].sum(0), np.float32).ravel()
        return 2 * both / np.maximum(self._title_mass + np.float32(mass), 1e-9)

    @cached_property
    def _rarest(self) -> float:
        """The rarity of a word that stands in no item."""
        return float(np.log1p((self.weights.shape[1] + 0.5) / 0.5))

    @cached_property
    def _has_signs(self) -> bool:
        """Whether any item has words of Chinese or Japanese."""
        return any(not word.isascii() and has_no_spaces(word) for word in self.words)

    @cached_property
    def _title_mass(self) -> np.ndarray:
        """Rarity of all words of each item's title but small ones: (n_items,)."""
        small = [row for word, row in self.words.items() if word in small_words()]
        return np.asarray(self.titles.sum(0) - self.titles[small].sum(0), np.float32).ravel()

    def write(self, folder: Path) -> None:
        """Write words.parquet and the parts of both matrices."""
        words = pl.DataFrame({"word": list(self.words), "rarity": self.rarity, "japanese": self.japanese})
        write_table(words, folder / "words.parquet")
        for name in MATRICES:
            for part in PARTS:
                write_array(getattr(getattr(self, name), part), folder / f"{name}_{part}.npy")

    @classmethod
    def read(cls, folder: Path, n_items: int) -> Self:
        """Read what `write` wrote, the matrices mapped into memory."""
        table = pl.read_parquet(folder / "words.parquet")
        shape = (table.height, n_items)
        weights, titles = (
            sparse.csr_matrix(tuple(read_array(folder / f"{name}_{part}.npy") for part in PARTS), shape, copy=False)
            for name in MATRICES
        )
        words = {word: row for row, word in enumerate(table["word"].to_list())}
        index = cls(words, table["rarity"].to_numpy(), weights, titles, bool(table["japanese"].any()))
        if index._has_signs:
            index._said("中文")  # loads the dictionary now and not while somebody waits
        return index


def _words_of(value: str | list[str] | None, japanese: bool) -> list[str]:
    """The words of a field; names of several words stand as one word too."""
    if not isinstance(value, list):
        return search_words(value or "", japanese=japanese)
    names = [search_words(name, japanese=japanese) for name in value]
    joined = [JOINED.join(name) for name in names if 1 < len(name) <= LONGEST_NAME]
    return [*chain.from_iterable(names), *joined]


def _counts(texts: Sequence[list[str]], words: dict[str, int]) -> sparse.csr_matrix:
    """How often each word stands in each text: CSR (n_words, n_texts). New words are numbered in `words`."""
    entries = [
        (words.setdefault(word, len(words)), column, count)
        for column, text in enumerate(texts)
        for word, count in Counter(text).items()
    ]
    rows, columns, counts = zip(*entries, strict=True) if entries else ((), (), ())
    return sparse.csr_matrix((np.array(counts, np.float32), (rows, columns)), (len(words), len(texts)))


def _lengths(texts: Sequence[list[str]], length: float) -> np.ndarray:
    """How much longer each text is than usual, as far as that counts: (n_texts,), 1 for the usual length."""
    lengths = np.array([len(text) for text in texts], np.float32)
    usual = lengths[lengths > 0].mean() if lengths.any() else 1.0
    return 1 - length + length * lengths / usual


def _taller(matrix: sparse.csr_matrix, rows: int) -> sparse.csr_matrix:
    """The same with empty rows below."""
    return sparse.csr_matrix((matrix.data, matrix.indices, _indptr(matrix, rows)), (rows, matrix.shape[1]))


def _indptr(matrix: sparse.csr_matrix, rows: int) -> np.ndarray:
    return np.append(matrix.indptr, np.full(rows - matrix.shape[0], matrix.indptr[-1], matrix.indptr.dtype))
