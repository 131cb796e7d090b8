"""What a search asks for: the words that name it, what it should be like, and from which years."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from strata.language.years import Years, years_of

LONGEST_READ: Final = 2_000
"""Characters of a search that are read."""
FILE = Path(__file__).with_name("asking.yaml")


@dataclass(frozen=True)
class Asked:
    """A search, read.

    `words`: the text without what is only said around it, the whole text where nothing else is left. `like`: the text
    that names what is wanted like it, "" where nothing is. `years`: from which it should be.
    """

    words: str
    like: str
    years: Years


@dataclass(frozen=True)
class _Wording:
    like: tuple[re.Pattern[str], ...]
    ends: re.Pattern[str]
    wrapping: re.Pattern[str]
    small: frozenset[str]


def read_asked(text: str) -> Asked:
    """Read a search, English or Chinese."""
    wording = _wording()
    years, rest = years_of(text[:LONGEST_READ])
    words = " ".join(wording.wrapping.sub(" ", rest).split()).strip(" ,.;:!?-，。；：！？")
    return Asked(words if re.search(r"\w", words) else text, _like(rest, wording), years)


def small_words() -> frozenset[str]:
    """Words, casefolded, that name nothing."""
    return _wording().small


def _like(text: str, wording: _Wording) -> str:
    for pattern in wording.like:
        if match := pattern.search(text):
            return wording.ends.split(match["named"].strip(" '\"“”‘’《》"))[0].strip(" '\"“”‘’《》")
    return ""


@cache
def _wording() -> _Wording:
    given = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    phrases = sorted(given["wrapping"], key=len, reverse=True)
    latin = "|".join(re.escape(phrase) for phrase in phrases if phrase.isascii())
    others = "|".join(re.escape(phrase) for phrase in phrases if not phrase.isascii())
    return _Wording(
        like=tuple(re.compile(pattern, re.IGNORECASE) for pattern in given["like"]),
        ends=re.compile(given["ends"], re.IGNORECASE),
        wrapping=re.compile(rf"\b(?:{latin})\b|{others}", re.IGNORECASE),
        small=frozenset(given["small"].split()),
    )
