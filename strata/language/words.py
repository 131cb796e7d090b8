"""What a release carries to understand words: everyday sentences as its model reads them, the catalogue's own words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
import yaml

from strata.embeddings.vectors import unit
from strata.language.cues import HAN
from strata.language.glossary import in_english
from strata.language.opinions import opinions
from strata.language.vocabulary import NOTHING_NAMED, Named, Vocabulary, content_words
from strata.storage import read_array, write_array

EVERYDAY: Final = Path(__file__).with_name("everyday.yaml")
MOST_LABELS: Final = 5_000
"""Labels that are met by meaning too, the most carried ones; the others by their words only."""
CHINESE: Final = 0.2
"""Share of labels and title words in Chinese from which a catalogue is taken for Chinese."""
Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Words:
    """`everyday` (m, t): unit vectors of what `everyday_texts` are about. `labels` (L, t): of the vocabulary's labels.

    A label lies between its name and the texts of the items that carry it; one that is too rare is 0.
    """

    vocabulary: Vocabulary
    everyday: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, items: pl.DataFrame, texts: np.ndarray, encode: Encode) -> Self:
        """Of the items table and the vectors of its texts (n_items, t), by the model that `encode` asks."""
        vocabulary = Vocabulary.of(items)
        counts = vocabulary.labels["items"].list.len().to_numpy()
        kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_LABELS])
        names = vocabulary.labels["label"].to_list()
        labels = np.zeros((len(names), texts.shape[1]), np.float32)
        if len(kept):
            centres = np.stack([texts[vocabulary.carriers([row])].mean(0) for row in kept])
            labels[kept] = unit(encode([names[row] for row in kept]) + unit(centres))
        return cls(vocabulary, encode(everyday_texts()), labels)

    def write(self, folder: Path) -> None:
        """Write labels.parquet, titles.parquet, everyday.npy and labels.npy."""
        self.vocabulary.write(folder)
        write_array(self.everyday, folder / "everyday.npy")
        write_array(self.labels, folder / "labels.npy")

    @classmethod
    def read(cls, folder: Path, n_items: int) -> Self:
        """Read what `write` wrote."""
        vectors = (np.asarray(read_array(folder / f"{name}.npy")) for name in ("everyday", "labels"))
        return cls(Vocabulary.read(folder, n_items), *vectors)

    @cached_property
    def is_chinese(self) -> bool:
        """Whether the catalogue speaks Chinese, so that Chinese words need no English ones."""
        words = [*self.vocabulary.labels["label"], *self.vocabulary.titles["word"]]
        return sum(HAN.search(word) is not None for word in words) > CHINESE * max(len(words), 1)

    def to_read(self, about: str) -> str:
        """What the model should read for the words of a clause: their English where the catalogue is not Chinese."""
        if not HAN.search(about) or self.is_chinese:
            return about
        return in_english(about) or about

    def named(self, about: str) -> Named:
        """What the words of a clause name."""
        return self.vocabulary.named(self.to_read(about))

    def is_sign(self, about: str, named: Named) -> bool:
        """Whether what words name says that they are of this catalogue.

        So a label does that is no everyday word, and several words of one title; a single word stands in titles by
        chance.
        """
        words = content_words(self.to_read(about))
        return named is not NOTHING_NAMED and (bool(named.labels) or len(words) > 1) and not words <= everyday_words()


@cache
def everyday_texts() -> list[str]:
    """What everyday sentences are about, as clauses are read."""
    sentences = yaml.safe_load(EVERYDAY.read_text(encoding="utf-8"))
    found = [each.about for texts in sentences.values() for text in texts for each in opinions(text)]
    return sorted(set(filter(None, found)))


@cache
def everyday_words() -> frozenset[str]:
    """The words that stand in them."""
    return frozenset().union(*map(content_words, everyday_texts()))
