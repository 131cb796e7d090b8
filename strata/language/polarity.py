"""Whether a clause speaks for something, against it or neither, and what it is about: cue words and what they leave."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from strata.language.cues import Cue, Language, cues_of, language_of, refusals, without_filler

Polarity = Literal["for", "against", "neutral"]
ASKED: Final = re.compile(r"[?？]\W*$|[吗呢]\W*$")
SHORT: Final = re.compile(r"\b(ca|do|did|does|is|are|was|were|wo|would|could|should|have|has)nt\b", re.IGNORECASE)
"""Negations written in haste."""
BEHIND: Final = frozenset({"for_what", "against_what", "past", "refuse", "good", "bad"})
"""Groups whose cues stand before what they are about; it stands before the others."""
OWN: Final = (
    ("past",),
    ("for_what", "what_for", "against_what", "what_against", "lukewarm"),
    ("others",),
    ("good", "bad"),
)
"""Which cue decides: an opinion that is over, then the person's own, then somebody else's, then weak words."""


@dataclass(frozen=True)
class Reading:
    """A clause as read: its polarity, and the words of it that say what it is about ("" where none do).

    `cue`: the group of the cue that decided, None where there is none: the clause only mentions something.
    """

    polarity: Polarity
    about: str
    cue: str | None = None


def read(clause: str) -> Reading:
    """Read one clause."""
    text = SHORT.sub(r"\1n't", clause.replace("’", "'").replace("`", "'")).strip()
    language = language_of(text)
    cues = cues_of(text, language)
    main = _main(cues)
    asked = ASKED.search(text) is not None
    if main is None:
        if (refused := _refused(text, cues, language)) is not None:
            return Reading("against", _about(text, cues, refused, language), "refuse")
        return Reading("neutral", _about(text, cues, None, language))
    if main.group in ("lukewarm", "others"):
        return Reading("neutral", _about(text, cues, main, language), main.group)
    weak = main.group in ("good", "bad")
    if asked and weak:
        return Reading("neutral", _about(text, cues, main, language))
    speaks_for = main.group in ("for_what", "what_for", "good")
    turned = sum(cue.group == "not" for cue in cues if cue.start < main.start) % 2 == 1
    polarity: Polarity = "for" if speaks_for != turned else "against"
    return Reading(polarity, _about(text, cues, main, language), main.group)


def _main(cues: Sequence[Cue]) -> Cue | None:
    """The cue that decides, the first of its kind."""
    for groups in OWN:
        own = [cue for cue in cues if cue.group in groups]
        if own:
            return own[0]
    return None


def _refused(text: str, cues: Sequence[Cue], language: Language) -> Cue | None:
    """The word that refuses what follows, such as "no" in "no horror": at the start of what the clause says."""
    refusing = [cue for cue in cues if cue.group in ("not", "refuse")]
    if not refusing or language == "zh":
        return None
    first = refusing[0]
    said = text[first.start : first.stop].casefold()
    opens = not without_filler(text[: first.start], language)
    return first if said in refusals() and (opens or said in ("no", "non", "without")) else None


def _about(text: str, cues: Sequence[Cue], main: Cue | None, language: Language) -> str:
    """What stands on the side of the main cue, or else on the other; without one, all that is no cue."""
    if main is None:
        cut = [cue for cue in cues if cue.group in ("empty", "good", "bad")]
        return _longest(text, cut, language) if cut else without_filler(text, language)
    before = _longest(text[: main.start], [cue for cue in cues if cue.stop <= main.start], language)
    behind = _longest(
        text[main.stop :],
        [Cue(cue.group, cue.start - main.stop, cue.stop - main.stop) for cue in cues if cue.start >= main.stop],
        language,
    )
    first, second = (behind, before) if main.group in BEHIND else (before, behind)
    return first or second


def _longest(text: str, cues: Sequence[Cue], language: Language) -> str:
    """The longest piece of a text between its cues, without filler; what praise stands in front of stays joined."""
    pieces, at = [], 0
    for cue in cues:
        pieces.append(text[at : cue.start])
        at = cue.stop
    pieces.append(text[at:])
    trimmed = [without_filler(piece, language) for piece in pieces]
    return max(trimmed, key=len)
