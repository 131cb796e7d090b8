"""Cue words: what in a clause speaks for something, against it or turns that round, by the lists of polarity.yaml."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import yaml

Language = Literal["en", "zh"]
CUES: Final = Path(__file__).with_name("polarity.yaml")
HAN: Final = re.compile(r"[\u3400-\u9fff]")
WORD: Final = re.compile(r"[\w'&+-]*\w|\w")
EDGE: Final = " \t\n,.;:!?…-–—\"'“”‘’()[]{}*/，。！？；：、（）《》「」~～"
"""Signs that no clause is about, at its ends."""
GROUPS: Final = (
    "word", "empty", "past", "for_what", "what_for", "what_against", "against_what", "lukewarm", "others", "good",
    "bad", "not", "refuse",
)  # fmt: skip
"""Of cues equally long at one place the first of these counts."""


@dataclass(frozen=True)
class Cue:
    """A cue found in a clause: its group and where it stands."""

    group: str
    start: int
    stop: int


def language_of(text: str) -> Language:
    """Whose cues read a text: Chinese where it has a Chinese character, else English."""
    return "zh" if HAN.search(text) else "en"


def without_filler(text: str, language: Language) -> str:
    """The text without what is never meant, such as "please" and pronouns, at its ends."""
    rules = _rules()[language]
    text = rules.tail.sub("", text.strip(EDGE)).strip(EDGE)
    return _trimmed_zh(text, rules) if language == "zh" else _trimmed_en(text, rules)


@dataclass(frozen=True)
class _Rules:
    """One language's part of polarity.yaml."""

    groups: tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]
    filler: frozenset[str]
    first: frozenset[str]
    last: frozenset[str]
    tail: re.Pattern[str]
    longest: int


@cache
def _rules() -> dict[str, _Rules]:
    content = yaml.safe_load(CUES.read_text(encoding="utf-8"))
    found = {}
    for language, part in content.items():
        filler = frozenset(part["filler"])
        groups = tuple((name, tuple(_compiled(each, language) for each in part[name])) for name in GROUPS)
        edge = r"(?<!\w)" if language == "en" else ""
        tail = re.compile(edge + "(?:" + "|".join(part["tail"]) + ")", re.IGNORECASE)
        first, last = frozenset(part.get("first", [])), frozenset(part.get("last", []))
        found[language] = _Rules(groups, filler, first, last, tail, max(map(len, filler)))
    return found


def _compiled(cue: str, language: str) -> re.Pattern[str]:
    if language == "zh":
        return re.compile(cue, re.IGNORECASE)
    return re.compile(cue if cue.startswith("n'") else rf"(?<![\w'])(?:{cue})(?!\w)", re.IGNORECASE)


def cues_of(text: str, language: Language) -> list[Cue]:
    """The cues of a clause in their order, none over another: what begins first counts, of those the longest."""
    found = [
        (match.start(), -match.end(), place, name)
        for place, (name, patterns) in enumerate(_rules()[language].groups)
        for pattern in patterns
        for match in pattern.finditer(text)
        if match.end() > match.start()
    ]
    cues: list[Cue] = []
    for start, stop, _, name in sorted(found):
        if not cues or start >= cues[-1].stop:
            cues.append(Cue(name, start, -stop))
    return [cue for cue in cues if cue.group != "word"]


def _trimmed_en(text: str, rules: _Rules) -> str:
    words = list(WORD.finditer(text))
    kept = [place for place, word in enumerate(words) if word.group().casefold() not in rules.filler]
    return text[words[kept[0]].start() : words[kept[-1]].end()] if kept else ""


def _trimmed_zh(text: str, rules: _Rules) -> str:
    while True:
        before, text = text, text.strip(EDGE)
        for size in range(min(rules.longest, len(text)), 1, -1):
            if text[:size] in rules.filler:
                text = text[size:]
                break
            if text[-size:] in rules.filler:
                text = text[:-size]
                break
        else:
            text = text[1:] if text[:1] in rules.first else text[:-1] if text[-1:] in rules.last else text
        if text == before:
            return text


@cache
def refusals() -> frozenset[str]:
    """English words that refuse what stands behind them, such as "no"."""
    return frozenset(yaml.safe_load(CUES.read_text(encoding="utf-8"))["en"]["refuse"])
