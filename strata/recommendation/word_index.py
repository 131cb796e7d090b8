"""Which words stand in which items, weighed by BM25 over fields, and which title a text names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self, get_args

import numpy as np
import polars as pl
from scipy import sparse

from strata.interests.segmenting import has_no_spaces, is_japanese
from strata.language.asking import small_words
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.search_words import UNSPACED, search_words
from strata.recommendation.word_counts import JOINED, LONGEST_NAME, weighted_counts
from strata.storage import read_array, write_array, write_table

Matrix = Literal["weights", "titles"]
MATRICES: Final[tuple[Matrix, ...]] = get_args(Matrix)
PARTS: Final = ("data", "indices", "indptr")


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
        counted, titles = weighted_counts(items, words, settings, japanese=japanese)
        held = np.diff(counted.indptr)
        rarity = np.log1p((items.height - held + 0.5) / (held + 0.5)).astype(np.float32)
        counted.data *= (settings.saturation + 1) / (counted.data + settings.saturation)
        weights, titles = (sparse.csr_matrix(sparse.diags(rarity) @ each) for each in (counted, titles))
        return cls(words, rarity, weights, titles, japanese)

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
        found = self._sums(rows, "weights")
        return found / np.float32(most) if most else found

    def named(self, text: str) -> np.ndarray:
        """How far each item's title is what a text says, and nothing else: (n_items,), 0 to 1.

        Dice's coefficient of both sets of words, each by its rarity; names of categories and small words apart.
        """
        said = {word for word in self._said(text) if word not in small_words()}
        rows = sorted(self.words[word] for word in said if word in self.words)
        mass = float(self.rarity[rows].sum()) + self._rarest * (len(said) - len(rows))
        both = self._sums(rows, "titles")
        return 2 * both / np.maximum(self._title_mass + np.float32(mass), 1e-9)

    def _sums(self, rows: np.ndarray | list[int], matrix: Matrix) -> np.ndarray:
        """The sum of some rows of a matrix: (n_items,)."""
        return np.asarray(getattr(self, matrix)[rows].sum(0), np.float32).ravel()

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
        return np.asarray(self._sums(np.arange(len(self.words)), "titles") - self._sums(small, "titles"))

    def write(self, folder: Path) -> None:
        """Write words.parquet and the parts of both matrices."""
        words = pl.DataFrame({"word": list(self.words), "rarity": self.rarity, "japanese": self.japanese})
        write_table(words, folder / "words.parquet")
        for name in MATRICES:
            for part in PARTS:
                write_array(getattr(getattr(self, name), part), folder / f"{name}_{part}.npy")

    @classmethod
    def read(cls, folder: Path, n_items: int) -> Self:
        """Read what `write` wrote."""
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
