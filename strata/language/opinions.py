"""What a text speaks for and against: its clauses read one by one, and what they leave to their neighbours."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from strata.language.clauses import MOST, Clause, clauses, sentences
from strata.language.cues import EDGE, language_of, without_filler
from strata.language.polarity import Polarity, Reading, read

PAIRS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<for>[^,]+?)\s*,?\s+(?:instead of|rather than|in place of)\s+(?P<against>[^,]+)",
        r"instead of\s+(?P<against>[^,]+),\s*(?P<for>.+)",
        r"not\s+(?P<against>[^,]+?),?\s+but\s+(?:rather\s+)?(?P<for>.+)",
        r"rather\s+(?P<for>[^,]+?)\s+than\s+(?P<against>[^,]+)",
        r"(?<=\w)(?<!live)(?<!survive)(?<!do)(?<!go)(?<!life)(?<!week)(?<!day)(?<!long)"
        r"\s+(?:without|minus|sans|with no|excluding|except for|except)\s+(?P<against>[^,]+)",
        r"(?P<for>(?:prefer|choose|pick|take)\s+.+?)\s+(?:over|to)\s+(?P<lesser>.+)",
        r"(?P<for>.+?)\s+(?:over)\s+(?P<lesser>.+?)\s+any ?day",
        r"(?:比起|相比|跟|和)(?P<lesser>.+?)(?:相比)?[，, ]+(?P<for>.*(?:更|还是).+)",
        r"与其(?P<lesser>.+?)[，, ]*(?:不如|还不如|倒不如)(?P<for>.+)",
        r"(?:宁可|宁愿|宁肯)(?P<for>.+?)[，, ]*也(?:不|别)\w?(?P<against>.+)",
        r"(?P<for>.+?)[，, ]*而不是(?P<against>.+)",
        r"不是(?P<against>[^，,]+)[，,]?而是(?P<for>.+)",
        r"除了(?P<against>.+?)(?:之外|以外|外)?[，, ]*(?P<rest>(?:其他|其它|别的|什么|啥|我?都|其余).*)",
    )
)
"""Sentences that say two things of two things; the lesser one is not refused."""
SIDES: Final[dict[str, Polarity]] = {"for": "for", "against": "against", "lesser": "neutral"}
EITHER: Final = re.compile(r"\b(?:or|nor)\b|也|或", re.IGNORECASE)
"""Goes on with what is refused: "no horror, musicals or westerns", while "no horror, comedies" wants the latter."""

LISTED: Final = re.compile(
    r"\s*(?:,|，|、|/|\s(?:and|or|nor|&|as well as|plus)\s|或者|以及|还有|和(?![牛服平风声尚谐解])|跟|与|或|及)\s*",
    re.IGNORECASE,
)
JOINED: Final = re.compile(r"[A-Z]\w* (?:and|&|or) (?:the )?[A-Z]")
"""A name such as Beauty and the Beast."""
MOST_WORDS, LONGEST = 3, 30
"""Words and characters of a thing in a list: longer parts are no list."""


@dataclass(frozen=True)
class Opinion:
    """What a clause says: its polarity, and what it is about in the person's own words ("" where it does not say).

    `said`: whether words of opinion say so; without them something is only mentioned, or asked for.
    """

    text: str
    polarity: Polarity
    about: str
    said: bool = True

    @property
    def may_want(self) -> bool:
        """Whether it speaks for something or, as a wish or a bio does, only mentions it."""
        return self.polarity == "for" or (self.polarity == "neutral" and not self.said)


def opinions(text: str) -> list[Opinion]:
    """The opinions of a text in their order, one for each thing; empty where no word means anything."""
    parts = [part for sentence in sentences(text) for part in _parted(sentence)][:MOST]
    return [replace(each, about=thing) for each in _read(parts) for thing in _pieces(each.about)][:MOST]


def things(texts: Sequence[str]) -> list[Opinion]:
    """The opinions of several texts that are about something: these are what the language model reads."""
    return [each for text in texts for each in opinions(text) if each.about]


Part = tuple[Clause, Polarity | None]
"""A clause, and its polarity where the sentence says it by setting one thing against another."""


def _parted(sentence: str) -> list[Part]:
    """The clauses of a sentence; where it sets one thing against another, those of each side."""
    for pattern in PAIRS:
        match = pattern.search(sentence)
        if match is None:
            continue
        sides = [(name, side) for name, side in match.groupdict().items() if side]
        if any(not without_filler(side, language_of(side)) for name, side in sides if name != "rest"):
            continue
        found: list[Part] = [(clause, None) for clause in clauses(sentence[: match.start()])]
        for name, side in sides:
            first, *others = clauses(side) or [Clause(side)]
            found += [(first, SIDES.get(name)), *((other, None) for other in others)]
        return [*found, *((clause, None) for clause in clauses(sentence[match.end() :]))]
    return [(clause, None) for clause in clauses(sentence)]


def _read(parts: Sequence[Part]) -> list[Opinion]:
    """Each clause read by itself; what names nothing speaks of its neighbour, what has no cue goes with the one before.

    So "Horror films, they bore me" is against them, and "I hate horror, westerns" against both.
    """
    found: list[Opinion] = []
    last: Reading | None = None
    waiting: Reading | None = None
    for part, given in parts:
        reading = read(part.text)
        if given is not None:
            reading = replace(reading, polarity=given, cue="pair")
        if reading.cue is not None and not reading.about:
            if found and (part.joint == "contrast" or _left_open(found[-1], reading)):
                found[-1] = Opinion(f"{found[-1].text}, {part.text}", reading.polarity, found[-1].about)
            elif not found:
                waiting = reading
            last = reading
            continue
        if not reading.about:
            continue
        if reading.cue is None and waiting is not None:
            reading = replace(reading, polarity=waiting.polarity, cue=waiting.cue)
        elif reading.cue is None and last is not None:
            reading = _carried(part, reading, last)
        waiting = None
        found.append(Opinion(part.text, reading.polarity, reading.about, said=reading.cue is not None))
        last = reading
    return found


def _left_open(before: Opinion, reading: Reading) -> bool:
    """Whether a clause without a thing of its own speaks of the one before: it had no opinion, or takes it back."""
    return not before.said or reading.cue in ("what_against", "against_what") or before.polarity == "neutral"


def _carried(part: Clause, reading: Reading, last: Reading) -> Reading:
    """A bare mention within a sentence: a further thing of a list, or the other side of a contrast."""
    if part.joint == "contrast" and last.polarity == "against":
        return replace(reading, polarity="for", cue="contrast")
    if part.joint in ("comma", "and") and last.cue in ("for_what", "against_what", "past", "refuse"):
        listed = last.cue != "refuse" or EITHER.search(part.text) is not None
        if listed and len(reading.about.split()) <= 4:
            return replace(reading, polarity=last.polarity, cue=last.cue)
    return reading


def _pieces(about: str) -> Iterator[str]:
    """The things a text lists, such as "horror and war films": the whole where its parts are no short names."""
    parts = [part.strip(EDGE) for part in LISTED.split(about)]
    short = all(0 < len(part.split()) <= MOST_WORDS and len(part) <= LONGEST for part in parts)
    if len(parts) == 1 or not short or JOINED.search(about):
        yield about
    else:
        yield from parts
