"""Key phrases of groups of items, from which their names are made."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, pairwise

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from strata.data.schema import CATEGORIES, DESCRIPTION, TAGS, TITLE
from strata.interests.segmenting import Token, has_no_spaces, is_japanese, segments

WORD = re.compile(r"(?<!\w)[^\W\d_](?:\w|['’-](?=\w))+")
LETTERS = re.compile(r"[^\W\d_]")
UNIT = re.compile(r"\d[\d.,/]*[\s-]*[^\W\d_]{2,3}\b")
"""Such as 12 oz or 500-ml, which say little about what an item is."""
QUANTITY = re.compile(r"\([^)]*\d[^)]*\)|\S*\d\S*(?:(?<=\d)\s+[^\W\d_]{2,3}\b)?(?:\s*[&/,-]+(?=\s))?")
"""A number with its unit, or brackets with a number, and the sign that joins it to what follows."""
UNCLOSED = re.compile(r"\([^\s()]*$")
"""An open bracket at the end of a title that was cut short."""
NOISE = re.compile(
    r"https?://\S+|www\.\S+|(?<!\w)@\w+|`[^`]*`|\$[^$]*[\\^_={}][^$]*\$|\\[a-zA-Z]+|[\w.]+\(\)"
    r"|[A-Za-zÀ-ÿ_]*[\d_][A-Za-zÀ-ÿ\d_]*(?:['’]\w+)?"
)
"""Addresses, people spoken to, code, formulas, and words with digits, such as names of accounts."""
CONTRACTION = re.compile(r"['’](?:ve|re|ll|d|m|t)$", re.IGNORECASE)
"""The end of I've and don't, which name nothing."""
POSSESSIVE = re.compile(r"['’]s?$")
BETWEEN = re.compile(r"[^\W\d]*(?:\s+[^\W\d]*)*")
"""What may stand between two words of one phrase: spaces and stop words, such as "of the"."""
LONGEST_READ = 2_000
"""Characters of a text that are read; the beginning says what it is about."""
LONGEST_WHOLE = 60
"""Most characters of a title that is used whole in a name."""
TELLING = 0.15
"""Least score of a group's further phrases, as a share of its best phrase's score."""
COMPARED = 6
"""Words of a phrase that are compared for overlaps; also, phrases ranked for each one chosen."""
CURATED = 2.0
"""How many times as much categories and tags count: people chose them to be understood."""
LONGER = 0.2
"""Share that each further word adds to a phrase's score: of equally frequent phrases the longest says most."""
AT_ONCE = 20_000
"""Groups named at a time."""
Fits = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(groups (m,), numbers of phrases (m,)) → how well each phrase fits its group: (m,)."""


def words(text: str, *, japanese: bool = False) -> list[str]:
    """Words that can stand in a name; Chinese and Japanese are segmented (`japanese`: texts without kana as well).

    Stop words, contractions, numbers with units, code, formulas, names of accounts, and two-letter words other than
    capitals such as TV are left out.
    """
    return [word for word, _, _ in _tokens(text, japanese)]


def shorten(text: str, longest: int) -> str:
    """The text, cut to at most `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1].rstrip(" ·-/,") + "…"


def _tokens(text: str, japanese: bool) -> Iterator[Token]:
    """Each word with its start and end in the text."""
    head = text[:LONGEST_READ]
    for left_out in (UNIT, NOISE):
        head = left_out.sub(lambda match: " " * len(match.group()), head)
    if has_no_spaces(head):
        found = (token for token in segments(head, japanese=japanese) if LETTERS.match(token[0]))
    else:
        matches = (match for match in WORD.finditer(head) if match.end() - match.start() > 2 or match.group().isupper())
        found = ((match.group(), match.start(), match.end()) for match in matches)
    return (
        token
        for token in found
        if POSSESSIVE.sub("", token[0]).casefold() not in ENGLISH_STOP_WORDS and not CONTRACTION.search(token[0])
    )


class Phrases:
    """Which phrases occur in which items: `counts` is a CSR matrix (n_items, n_phrases) of ones.

    Phrases are categories, tags, titles that several items share, words and pairs of neighbouring words of titles, and
    words of descriptions. `names` (n_phrases,) are sorted, so that ties do not depend on the order of items.
    """

    def __init__(self, items: pl.DataFrame) -> None:
        """Find the phrases of `items`."""
        texts: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], int] = {}
        rows = []
        for title, description, kinds, tags in items.select(TITLE, DESCRIPTION, CATEGORIES, TAGS).iter_rows():
            text = (title or "", description or "", tuple(kinds or ()), tuple(tags or ()))
            rows.append(texts.setdefault(text, len(texts)))
        japanese = is_japanese(items)
        wholes = [_whole(title, japanese) for title, *_ in texts]
        shared = Counter(wholes[row] for row in rows)
        found = [
            _phrases(*text, japanese) + ([whole] if whole and shared[whole] > 1 else [])
            for text, whole in zip(texts, wholes, strict=True)
        ]
        counted = sorted(Counter(chain.from_iterable(found)).items(), key=lambda pair: (pair[1], pair[0]))
        key = {phrase: _key(phrase) for phrase, _ in counted}
        surface = {key[phrase]: phrase for phrase, _ in counted}  # the most frequent spelling comes last
        number = {stemmed: place for place, stemmed in enumerate(sorted(surface))}
        self.names = np.array([surface[stemmed] for stemmed in number], object)
        self._words = _word_numbers(self.names.tolist(), japanese)
        self._worth = 1 + np.float32(LONGER) * ((self._words >= 0).sum(1) - 1).astype(np.float32)
        given = {_key(name) for _, _, kinds, tags in texts for name in (*kinds, *tags)}
        self._worth *= np.array([CURATED if stemmed in given else 1.0 for stemmed in number], np.float32)
        columns = [sorted({number[key[phrase]] for phrase in phrases}) for phrases in found]
        offsets = np.cumsum([0, *map(len, columns)])
        places = np.fromiter(chain.from_iterable(columns), np.int32, offsets[-1])
        shape = (len(found), len(number))
        self._by_text = sparse.csr_matrix((np.ones(len(places), np.float32), places, offsets), shape=shape)
        self._text = sparse.csr_matrix(
            (np.ones(len(rows), np.float32), rows, np.arange(len(rows) + 1)), shape=(len(rows), len(found))
        )
        """Items × their texts: items of equal texts are one carrier of a phrase."""
        self.counts = self._by_text[rows]
        self._shares = np.asarray(self.counts.sum(0)).ravel() / max(len(rows), 1)

    def of_groups(
        self,
        membership: sparse.csr_matrix,
        n: int,
        *,
        least_share: float,
        least_members: int = 1,
        several: int = 1,
        fits: Fits | None = None,
    ) -> list[list[str]]:
        """Up to `n` phrases that set each group of items apart, the most telling first; no two share a word.

        `membership` (n_groups, n_items) holds positive weights. A phrase describes a group only if members
        with `least_share` of its weight, and at least `least_members` of different texts, carry it; groups of fewer
        than `several` different texts need one carrier. It scores by its share of the group times the logarithm of
        how much larger that is than its share of all items: class-based TF-IDF (Grootendorst 2022), counted against
        the catalogue. `fits` multiplies the scores of the best.
        """
        chosen: list[list[str]] = []
        for start in range(0, membership.shape[0], AT_ONCE):
            part = membership[start : start + AT_ONCE]
            again = None if fits is None else partial(_shifted, fits, start)
            ranked = self._rank(part, COMPARED * n, least_share, (least_members, several), again)
            chosen += [self.names[places[places >= 0]].tolist() for places in self._without_overlaps(ranked, n)]
        return chosen

    def _rank(
        self,
        membership: sparse.csr_matrix,
        most: int,
        least_share: float,
        least: tuple[int, int],
        fits: Fits | None,
    ) -> np.ndarray:
        """The best phrases of each group, the best first: (n_groups, most), −1 where there are no more."""
        n_groups = membership.shape[0]
        inside = (membership @ self.counts).tocsr()
        inside.sort_indices()
        groups = np.repeat(np.arange(n_groups), np.diff(inside.indptr))
        shares = inside.data / np.maximum(np.asarray(membership.sum(1)).ravel(), 1e-12)[groups]
        telling = shares >= least_share
        least_members, several = least
        if least_members > 1:
            texts = (membership @ self._text).sign()
            carriers = (texts @ self._by_text).tocsr()
            carriers.sort_indices()
            telling &= (carriers.data >= least_members) | (texts.getnnz(1) < several)[groups]
        groups, phrases, shares = groups[telling], inside.indices[telling], shares[telling]
        # Phrases no more frequent than elsewhere say little, but are better than no name.
        lift = np.maximum(shares / self._shares[phrases], 1.01)
        scores = shares * np.log(lift) * self._worth[phrases]
        order = np.lexsort((phrases, -scores, groups))
        groups, phrases, scores = groups[order], phrases[order], scores[order]
        if fits is not None:
            best = np.arange(len(groups)) - np.searchsorted(groups, groups) < most
            groups, phrases = groups[best], phrases[best]
            scores = scores[best] * np.maximum(fits(groups, phrases), 0)
            order = np.lexsort((phrases, -scores, groups))
            groups, phrases, scores = groups[order], phrases[order], scores[order]
        first = np.searchsorted(groups, groups)
        rank = np.arange(len(groups)) - first
        kept = (rank < most) & (scores >= TELLING * scores[first])
        ranked = np.full((n_groups, most), -1)
        ranked[groups[kept], rank[kept]] = phrases[kept]
        return ranked

    def _without_overlaps(self, ranked: np.ndarray, n: int) -> np.ndarray:
        """The first `n` phrases (n_groups, n) of each group that share no word with a better one, −1 where none."""
        chosen = np.full((len(ranked), n), -1)
        said = np.full((len(ranked), n, COMPARED), -1, np.int32)
        size = np.zeros(len(ranked), np.int64)
        for candidates in ranked.T:
            rows = np.flatnonzero((candidates >= 0) & (size < n))
            said_by = self._words[candidates[rows]]
            repeats = (said_by[:, None, None, :] == said[rows][..., None]) & (said_by >= 0)[:, None, None, :]
            fresh = ~repeats.any((1, 2, 3))
            rows, said_by = rows[fresh], said_by[fresh]
            chosen[rows, size[rows]] = candidates[rows]
            said[rows, size[rows]] = said_by
            size[rows] += 1
        return chosen


def _shifted(fits: Fits, start: int, groups: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """`fits` of groups that are counted from `start`."""
    return fits(groups + start, numbers)


def _phrases(
    title: str, description: str, categories: tuple[str, ...], tags: tuple[str, ...], japanese: bool
) -> list[str]:
    title = UNCLOSED.sub("", title)
    in_title = list(_tokens(title, japanese))
    pairs = [
        title[start:end]
        for (first, start, first_end), (second, second_start, end) in pairwise(in_title)
        if first.casefold() != second.casefold() and BETWEEN.fullmatch(title, first_end, second_start)
    ]
    return [*categories, *tags, *(word for word, _, _ in in_title), *pairs, *words(description, japanese=japanese)]


def _whole(title: str, japanese: bool) -> str:
    """The title without quantities if it has several words and is short enough for a name, else ""."""
    if len(title) > LONGEST_WHOLE:
        return ""
    whole = " ".join(QUANTITY.sub(" ", UNCLOSED.sub("", title)).split()).strip(" -:,.&/")
    return whole if 1 < len(words(whole, japanese=japanese)) <= COMPARED else ""


def _word_numbers(phrases: list[str], japanese: bool) -> np.ndarray:
    """Numbers of the first words of each phrase: (n_phrases, COMPARED), −1 for no word."""
    known: dict[str, int] = {}
    numbers = np.full((len(phrases), COMPARED), -1, np.int32)
    for place, phrase in enumerate(phrases):
        keys = [*map(_key, words(phrase, japanese=japanese) or [phrase])][:COMPARED]
        of_phrase = [known.setdefault(key, len(known)) for key in keys]
        numbers[place, : len(of_phrase)] = of_phrase
    return numbers


def _key(phrase: str) -> str:
    """The same key for phrases that differ only in capitals, plural or possessive."""
    return WORD.sub(_stem, phrase.casefold())


def _stem(word: re.Match[str]) -> str:
    stem = POSSESSIVE.sub("", word.group())
    if len(stem) > 4 and stem.endswith("ies"):
        return stem[:-3] + "y"
    return stem[:-1] if len(stem) > 3 and stem.endswith("s") and not stem.endswith("ss") else stem
