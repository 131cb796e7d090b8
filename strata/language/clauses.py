"""Splits what people say into clauses, each of which may state something of its own."""

import re
from dataclasses import dataclass
from typing import Final, Literal

END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？；!?])|\s*[;|•·\n]\s*|\s+[-–—]+\s+|\s*——\s*")
"""Where a clause ends: sentences, semicolons, bullets, dashes."""
SHORTEST, MOST = 2, 20
"""Characters below which nothing is said; clauses of a text that are read."""
COMMA: Final = re.compile(r"\s*[,，:：]\s*(?:and |or |so |then |also |plus )?|\s*\((?!s\))|\)\s*")
CONTRAST: Final = re.compile(
    r"(?<!anything)(?<!nothing)(?<!everything)(?<!all)(?<!can't help)(?<!cannot help)"
    r"\s+(?:but(?! not least)|although|however|whereas|(?:though|yet|while)(?=\s+(?:i|not|no)\b))\s+"
    r"|(?:但是|但(?!丁)|可是|可(?=[我就这也偏])|然而|不过|反而|倒是)",
    re.IGNORECASE,
)
TURN: Final = re.compile(
    r"\s+(?:and|so|or|because|as|plus|then)\s+(?=(?:please\s+)?"
    r"(?:i|i'm|i'd|i've|no|not|don't|do not|dont|never|nothing|avoid|skip|hate|love|"
    r"hates|loves|enjoy|enjoys|show|give|recommend|suggest|definitely|absolutely|can't|cannot|please|stop|less|without|anything|they|it)\b)"
    r"|\s+(?=because\b|since\s+(?:i|we|my|it|they)\b)",
    re.IGNORECASE,
)
"""Where "and" joins two opinions rather than two things."""
Joint = Literal["start", "comma", "contrast", "and"]


@dataclass(frozen=True)
class Clause:
    """A clause and how it is joined to the one before it: a new sentence, a comma, a contrast, an "and"."""

    text: str
    joint: Joint = "start"


def sentences(text: str) -> list[str]:
    """Up to MOST sentences of a text, in order; the whole text where it has no parts."""
    parts = [part.strip() for part in END.split(text)]
    return [part for part in parts if len(part) >= SHORTEST][:MOST] or [text.strip()]


def clauses(text: str) -> list[Clause]:
    """Up to MOST clauses of a text, each with at most one opinion as far as commas and conjunctions tell."""
    found: list[Clause] = []
    for sentence in sentences(text):
        joint: Joint = "start"
        for opposed in CONTRAST.split(sentence):
            for listed in COMMA.split(opposed):
                for turned in TURN.split(listed):
                    if turned.strip():
                        found.append(Clause(turned.strip(), joint))
                        joint = "and"
                joint = "comma" if joint != "start" else joint
            joint = "contrast" if joint != "start" else joint
    return found[:MOST]
