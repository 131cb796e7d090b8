"""How often each word stands in a field of each item, and how long the fields are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.schema import CATEGORIES, TAGS, TITLE
from strata.recommendation.search_settings import WordSettings
from strata.recommendation.search_words import search_words

JOINED: Final = "_"
NAMES: Final = (CATEGORIES, TAGS)
"""An item has them or not, however many others it has: their number is no length."""
LONGEST_NAME: Final = 4
"""Words, at most, of a category or tag that is looked up whole."""


def words_of(value: str | list[str] | None, japanese: bool) -> list[str]:
    """The words of a field; names of several words stand as one word too."""
    if not isinstance(value, list):
        return search_words(value or "", japanese=japanese)
    names = [search_words(name, japanese=japanese) for name in value]
    joined = [JOINED.join(name) for name in names if 1 < len(name) <= LONGEST_NAME]
    return [*chain.from_iterable(names), *joined]


def counts_of(texts: Sequence[list[str]], words: dict[str, int]) -> sparse.csr_matrix:
    """How often each word stands in each text: CSR (n_words, n_texts). New words are numbered in `words`."""
    entries = [
        (words.setdefault(word, len(words)), column, count)
        for column, text in enumerate(texts)
        for word, count in Counter(text).items()
    ]
    rows, columns, counts = zip(*entries, strict=True) if entries else ((), (), ())
    return sparse.csr_matrix((np.array(counts, np.float32), (rows, columns)), (len(words), len(texts)))


def weighted_counts(
    items: pl.DataFrame,
    words: dict[str, int],
    settings: WordSettings,
    usual: Mapping[str, float] | None = None,
    *,
    japanese: bool,
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """How much each word counts in each item, by its fields and their lengths, and ones where it stands in the title.

    Both CSR (n_words, n_items). New words are numbered in `words`. `usual`: words of each field on average; None: as in
    these items.
    """
    counted = titles = sparse.csr_matrix((0, items.height), dtype=np.float32)
    for field, weight in settings.fields.items():
        texts = [words_of(value, japanese) for value in items[field].to_list()]
        counts = counts_of(texts, words)
        if field == TITLE:
            titles = counts.sign()
        length = 0.0 if field in NAMES else settings.length
        norm = weight / _lengths(texts, length, usual_length(texts) if usual is None else usual[field])
        counted = taller(counted, len(words)) + (counts @ sparse.diags(norm.astype(np.float32))).tocsr()
    counted.eliminate_zeros()
    return counted, taller(titles, len(words))


def usual_length(texts: Sequence[list[str]]) -> float:
    """Words of a text on average, of those that have any."""
    lengths = np.array([len(text) for text in texts], np.float32)
    return float(lengths[lengths > 0].mean()) if lengths.any() else 1.0


def taller(matrix: sparse.csr_matrix, rows: int) -> sparse.csr_matrix:
    """The same with empty rows below."""
    return sparse.csr_matrix((matrix.data, matrix.indices, _offsets(matrix, rows)), (rows, matrix.shape[1]))


def _lengths(texts: Sequence[list[str]], length: float, usual: float) -> np.ndarray:
    """How much longer each text is than usual, as far as that counts: (n_texts,), 1 for the usual length."""
    lengths = np.array([len(text) for text in texts], np.float32)
    return np.asarray(np.maximum(1 - length + length * lengths / usual, 1e-6), np.float32)


def _offsets(matrix: sparse.csr_matrix, rows: int) -> np.ndarray:
    return np.append(matrix.indptr, np.full(rows - matrix.shape[0], matrix.indptr[-1], matrix.indptr.dtype))
