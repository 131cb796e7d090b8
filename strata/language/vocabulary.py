"""The catalogue's own words: which labels (categories, tags) and titles a text names, and which items carry them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from strata.data.schema import CATEGORIES, TAGS, TITLE
from strata.language.cues import HAN
from strata.storage import write_table

WORD: Final = r"[\p{L}\p{N}]+"
GENERIC: Final = frozenset(
    re.findall(
        r"\w+",
        "film movie flick picture cinema show series genre story title item product stuff thing one kind type sort "
        "content video category topic question post piece anything something everything else like",
    )
)
"""Words that say of what kind a thing is, not which."""
FEW: Final = 0.02
"""Share of titles in which a single word may stand and still tell of what it is about."""


@dataclass(frozen=True)
class Named:
    """What a text names: `labels` (rows of the labels) and the item rows that carry these or are called so.

    `whole`: whether nothing else stands in the text, so that every item of the label is meant: "war films" means all
    of War, "courtroom dramas" not all of Drama.
    """

    labels: tuple[int, ...]
    items: np.ndarray
    whole: bool


NOTHING_NAMED: Final = Named((), np.zeros(0, np.int64), whole=False)


@dataclass(frozen=True)
class Vocabulary:
    """`labels` (label, items): each category and tag with its item rows. `titles` (word, items): words of titles.

    Words are stems: lower case without plural endings.
    """

    labels: pl.DataFrame
    titles: pl.DataFrame
    n_items: int

    @classmethod
    def of(cls, items: pl.DataFrame) -> Self:
        """Of the items table, whose row numbers it holds."""
        rows = items.select(TITLE, CATEGORIES, TAGS).with_row_index("item")
        labels = pl.concat([rows.select("item", label=pl.col(name)).explode("label") for name in (CATEGORIES, TAGS)])
        words = rows.select("item", word=pl.col(TITLE).str.to_lowercase().str.extract_all(WORD)).explode("word")
        words = words.drop_nulls().with_columns(pl.col("word").map_elements(stem, pl.String))
        return cls(_gathered(labels, "label"), _gathered(words, "word"), items.height)

    def write(self, folder: Path) -> None:
        """Write labels.parquet and titles.parquet."""
        write_table(self.labels, folder / "labels.parquet")
        write_table(self.titles, folder / "titles.parquet")

    @classmethod
    def read(cls, folder: Path, n_items: int) -> Self:
        """Read what `write` wrote."""
        return cls(pl.read_parquet(folder / "labels.parquet"), pl.read_parquet(folder / "titles.parquet"), n_items)

    def carriers(self, labels: Sequence[int]) -> np.ndarray:
        """Item rows that carry at least one of these labels, ascending."""
        return np.unique(np.concatenate([np.zeros(0, np.int64), *(self._carriers[label] for label in labels)]))

    def named(self, about: str) -> Named:
        """The labels that stand in a text or contain it; without any, the titles that contain all of its words."""
        if HAN.search(about):
            return self._named_in_chinese(about)
        words = content_words(about)
        if not words:
            return NOTHING_NAMED
        full = [row for row, label in enumerate(self._stems) if label and label <= words]
        wider = [row for row, label in enumerate(self._stems) if words < label] if not full or len(words) == 1 else []
        if full or wider:
            labels = (*full, *wider)
            covered = frozenset().union(*(self._stems[row] for row in labels))
            return Named(labels, self.carriers(labels), whole=words <= covered)
        called = self._called(words)
        return Named((), called, whole=True) if len(called) else NOTHING_NAMED

    def _called(self, words: frozenset[str]) -> np.ndarray:
        """Items whose titles hold all of these words; none where a single word is a number or of many titles."""
        postings = [self._titles.get(word) for word in words]
        if any(rows is None for rows in postings) or all(word.isdigit() or len(word) < 3 for word in words):
            return NOTHING_NAMED.items
        rows = set.intersection(*(set(rows) for rows in postings if rows is not None))
        if len(words) == 1 and len(rows) > max(3, FEW * self.n_items):
            return NOTHING_NAMED.items
        return np.array(sorted(rows), np.int64)

    def _named_in_chinese(self, about: str) -> Named:
        labels = tuple(
            row for row, label in enumerate(self._names) if len(label) > 1 and (label in about or about in label)
        )
        covered = any(about in self._names[row] or len(self._names[row]) + 1 >= len(about) for row in labels)
        return Named(labels, self.carriers(labels), whole=covered) if labels else NOTHING_NAMED

    @cached_property
    def _names(self) -> list[str]:
        return self.labels["label"].to_list()

    @cached_property
    def _stems(self) -> list[frozenset[str]]:
        return [content_words(label) for label in self._names]

    @cached_property
    def _carriers(self) -> list[np.ndarray]:
        return [np.array(rows, np.int64) for rows in self.labels["items"].to_list()]

    @cached_property
    def _titles(self) -> dict[str, list[int]]:
        return dict(zip(self.titles["word"].to_list(), self.titles["items"].to_list(), strict=True))


def content_words(text: str) -> frozenset[str]:
    """Stems of the words of a text that are neither stop words nor generic."""
    words = (stem(word) for word in re.findall(r"[^\W_]+", text.casefold().replace("'s", "")))
    return frozenset(word for word in words if word not in ENGLISH_STOP_WORDS and word not in GENERIC)


def stem(word: str) -> str:
    """The word without a plural ending."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _gathered(pairs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Each distinct `name` with the rows of its items, by name."""
    return (
        pairs.drop_nulls().filter(pl.col(name).str.len_chars() > 0).group_by(name)
        .agg(items=pl.col("item").cast(pl.Int32).unique().sort()).sort(name)
    )  # fmt: skip
