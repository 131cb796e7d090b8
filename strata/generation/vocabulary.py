"""Which words a text may use: those of its evidence, and common words that speak of no topic."""

import re
from collections.abc import Collection
from functools import cache
from importlib.resources import files

import stopwordsiso
import yaml

from strata.generation.evidence import Evidence, Language
from strata.generation.number_words import NUMBERS
from strata.generation.prompts import TIERS

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
HAN = re.compile(r"[\u3400-\u9fff]")
ARTICLES = re.compile(
    r"^(?P<rest>.+), (?P<article>the|a|an|le|la|les|l'|el|il|der|die|das)(?P<year> \(\d{4}\))?$", re.I
)
YEAR = re.compile(r"\s*\((?:\d{4}|[^)]*\b\d{4})\)\s*$")
ENDINGS = ("ies", "es", "s", "ed", "ing", "ers", "er", "'s", "ness", "ly", "y", "e")
PART = (2, 3, 4)
"""Characters of a part of a Chinese title that may be said alone."""
SHORT_PART = 4
"""Fewest letters of a part of a title that can stand for all of it."""


@cache
def common(language: Language) -> frozenset[str]:
    """Common words of a language, lower case."""
    listed = yaml.safe_load(files("strata.generation").joinpath("common_words.yaml").read_text(encoding="utf-8"))
    stop = {word.casefold() for word in stopwordsiso.stopwords(language)}
    if language == "en":
        stop = {word for word in stop if len(word) > 2 or word in TWO_LETTERS}
    return frozenset(stop - NUMBERS[language].keys()) | frozenset(word.casefold() for word in listed[language].split())


TWO_LETTERS = frozenset(
    [
        "a",
        "i",
        "am",
        "an",
        "as",
        "at",
        "be",
        "by",
        "do",
        "go",
        "he",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "no",
        "of",
        "on",
        "or",
        "so",
        "to",
        "up",
        "us",
        "we",
        "vs",
    ]
)


@cache
def licensed(evidence: Evidence) -> frozenset[str]:
    """Words of the phrases, tiers and titles of evidence, lower case, but for common ones.

    Of Chinese titles any PART characters in a row count as a word.
    """
    tiers = (name for tier in evidence.tiers for name in (tier, TIERS[evidence.language].get(tier, tier)))
    words = {word.casefold() for text in (*evidence.phrases, *tiers, *evidence.titles) for word in WORD.findall(text)}
    runs = [run for text in (*evidence.phrases, *evidence.titles) for run in re.findall(r"[\u3400-\u9fff]+", text)]
    parts = {run[at : at + n] for run in runs for n in PART for at in range(len(run) - n + 1)}
    return frozenset((words | parts) - common(evidence.language))


def known_word(word: str, evidence_words: frozenset[str]) -> bool:
    """Whether an English word is common or of the evidence, other endings allowed."""
    low = word.casefold().replace("’", "'")
    return low in common("en") or bool(_stems(low) & _common_stems()) or of_evidence(low, evidence_words)


def of_evidence(word: str, evidence_words: frozenset[str]) -> bool:
    """Whether a word is one of the evidence's, other endings allowed."""
    return word in evidence_words or bool(_stems(word) & _all_stems(evidence_words))


@cache
def _common_stems() -> frozenset[str]:
    """Common words of four letters or more, which other endings leave recognisable."""
    return frozenset(word for word in common("en") if len(word) > 3)


@cache
def _all_stems(words: frozenset[str]) -> frozenset[str]:
    return frozenset(stem for word in words for stem in _stems(word))


def _stems(word: str) -> frozenset[str]:
    """A word without each of its possible endings, three letters at least: comedies and comedy share comed."""
    return frozenset(word[: -len(end)] for end in ENDINGS if word.endswith(end) and len(word) - len(end) >= 3) | {word}


@cache
def forms_of(title: str) -> tuple[str, ...]:
    """How people write a title, lower case, longest first: without year, article in front, main part."""
    bare = YEAR.sub("", title).strip()
    found = {title.strip(), bare}
    if moved := ARTICLES.match(bare):
        found |= {f"{moved['article']} {moved['rest']}", moved["rest"]}
    for form in tuple(found):
        main = re.split(r"\s*[:：–—(（]\s*|\s+-\s+", form)[0].strip(" ,")
        found |= {main} if len(main) >= SHORT_PART or HAN.search(main) else set()
        found |= {form[4:]} if form.casefold().startswith("the ") and len(form) >= 4 + SHORT_PART else set()
        found |= {form.removesuffix("…").rstrip()}
    return tuple(
        sorted({form.casefold().replace("’", "'") for form in found if form}, key=lambda form: (-len(form), form))
    )


def uncomposed(text: str, words: Collection[str]) -> int:
    """Fewest characters of a run of Chinese that are left when it is put together from words."""
    longest, left = max(map(len, words), default=1), [0]
    for end in range(1, len(text) + 1):
        whole = (left[start] for start in range(max(0, end - longest), end) if text[start:end] in words)
        left.append(min(left[end - 1] + 1, min(whole, default=len(text))))
    return left[-1]


def shown(title: str) -> str:
    """A title as people say it: without its year, its article in front."""
    bare = YEAR.sub("", title).strip()
    moved = ARTICLES.match(bare)
    return f"{moved['article']} {moved['rest']}" if moved else bare
