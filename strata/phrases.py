"""Groups of items become phrases that people read as their name."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from strata.schema import CATEGORIES, DESCRIPTION, TAGS, TITLE

WORD = re.compile(r"[^\W\d_][\w'’-]+")
CHINESE = re.compile(r"[\u3400-\u9fff]")
LONGEST_READ = 2_000
"""Characters of a text that key phrases are taken from: the head of a long text says what it is about."""


def words(text: str) -> list[str]:
    """Words that can stand in a name: no stop words, no numbers; Chinese text is segmented by jieba."""
    head = text[:LONGEST_READ]
    found = WORD.findall(head)
    if CHINESE.search(head):
        found = [word for word in _segmenter()(head) if len(word) > 1 and WORD.fullmatch(word)]
    return [word for word in found if word.casefold() not in ENGLISH_STOP_WORDS]


def _segmenter() -> Callable[[str], list[str]]:
    import logging

    import jieba  # loads a dictionary: only where Chinese text turns up

    jieba.setLogLevel(logging.ERROR)
    segment: Callable[[str], list[str]] = jieba.lcut
    return segment


class Phrases:
    """Which phrases occur in which items: `counts` is a CSR matrix (n_items, n_phrases).

    Categories and tags count as whole phrases, titles give words and pairs of words, descriptions words.
    """

    def __init__(self, items: pl.DataFrame, *, categories: bool = True) -> None:
        """Count the phrases of `items`; without `categories` that field is not read (to test names against it)."""
        surface: dict[str, Counter[str]] = {}
        vocabulary: dict[str, int] = {}
        columns, offsets = [], [0]
        for row in items.select(TITLE, DESCRIPTION, CATEGORIES, TAGS).iter_rows():
            # Not a set: its order changes from run to run, and with it how ties between phrases are broken.
            for phrase in dict.fromkeys(_phrases(*row, with_categories=categories)):
                key = phrase.casefold()
                columns.append(vocabulary.setdefault(key, len(vocabulary)))
                surface.setdefault(key, Counter())[phrase] += 1
            offsets.append(len(columns))
        self.names = [max(sorted(surface[key]), key=surface[key].__getitem__) for key in vocabulary]
        # A pair of words says more than either: it wins where all three are as frequent.
        self._lengths = np.array([1.1 if " " in name else 1.0 for name in self.names], np.float32)
        shape = (items.height, len(vocabulary))
        self.counts = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, offsets), shape=shape)
        self.counts.sum_duplicates()
        self.counts.data[:] = 1

    def of_groups(
        self, membership: sparse.csr_matrix, n: int, *, least_share: float, least_members: int = 1
    ) -> list[list[str]]:
        """Up to `n` phrases that set each group of items apart, by class-based TF-IDF (Grootendorst 2022).

        `membership` (n_groups, n_items) holds positive weights. A phrase describes a group only if members
        with `least_share` of its weight, and at least `least_members` of them, carry it.
        """
        totals = np.asarray(membership.sum(1)).ravel()
        inside = (membership @ self.counts).tocsr()
        carriers = (membership.sign() @ self.counts).tocsr()
        inside.sort_indices()
        carriers.sort_indices()
        frequency = np.asarray(self.counts.sum(0)).ravel()
        rarity = np.log1p(self.counts.shape[0] / np.maximum(frequency, 1))
        chosen = []
        for part, total in zip(_rows(inside), totals, strict=True):
            shares = inside.data[part] / max(total, 1e-12)
            telling = (shares >= least_share) & (carriers.data[part] >= least_members)
            phrases = inside.indices[part][telling]
            scores = shares[telling] * rarity[phrases] * self._lengths[phrases]
            chosen.append(self._without_overlaps(phrases[np.lexsort((phrases, -scores))], n))
        return chosen

    def _without_overlaps(self, phrases: np.ndarray, n: int) -> list[str]:
        """The first `n` phrases of which none contains another."""
        chosen: list[str] = []
        for name in (self.names[phrase] for phrase in phrases):
            folded = name.casefold()
            if len(chosen) < n and not any(folded in c.casefold() or c.casefold() in folded for c in chosen):
                chosen.append(name)
        return chosen


def _rows(matrix: sparse.csr_matrix) -> Iterator[slice]:
    yield from (slice(a, b) for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True))


def _phrases(
    title: str | None,
    description: str | None,
    categories: list[str] | None,
    tags: list[str] | None,
    *,
    with_categories: bool,
) -> list[str]:
    whole = [*(categories or [])] if with_categories else []
    in_title = words(title or "")
    pairs = [f"{a} {b}" for a, b in pairwise(in_title)]
    return [*whole, *(tags or []), *in_title, *pairs, *words(description or "")]
