"""How often each word stands in a field of each item, and how long the fields are."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
from scipy import sparse

from strata.recommendation.search_words import search_words

JOINED: Final = "_"
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


def lengths_of(texts: Sequence[list[str]], length: float) -> np.ndarray:
    """How much longer each text is than usual, as far as that counts: (n_texts,), 1 for the usual length."""
    lengths = np.array([len(text) for text in texts], np.float32)
    usual = lengths[lengths > 0].mean() if lengths.any() else 1.0
    return np.asarray(np.maximum(1 - length + length * lengths / usual, 1e-6), np.float32)


def taller(matrix: sparse.csr_matrix, rows: int) -> sparse.csr_matrix:
    """The same with empty rows below."""
    return sparse.csr_matrix((matrix.data, matrix.indices, _offsets(matrix, rows)), (rows, matrix.shape[1]))


def _offsets(matrix: sparse.csr_matrix, rows: int) -> np.ndarray:
    return np.append(matrix.indptr, np.full(rows - matrix.shape[0], matrix.indptr[-1], matrix.indptr.dtype))
