"""Personal data in texts, told by their form: each is replaced by a word for its kind, and counted.

Found are e-mail addresses, telephone numbers, card numbers, IBANs, numbers of identity cards (Chinese, and American
social security), IP addresses, and street addresses of English and Chinese form. Not found are names of people,
addresses without a number, and what is spelled out in words.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from strata.online.personal_data import FINDERS, KINDS, Kind

_ASCII: Final = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}
"""Full-width characters, as Chinese keyboards write them; length stays."""


@dataclass(frozen=True)
class Scrubbed:
    """A text without personal data, and how much of each kind was replaced."""

    text: str
    counts: Counter[Kind]


def scrub(text: str) -> Scrubbed:
    """The text with ⟨e-mail⟩ and the like in place of personal data; the same again for what is scrubbed already."""
    plain, counts = text.translate(_ASCII), Counter[Kind]()
    for kind in KINDS:
        for start, end in reversed(list(FINDERS[kind](plain))):
            word = f"⟨{kind}⟩"
            text, plain = (f"{each[:start]}{word}{each[end:]}" for each in (text, plain))
            counts[kind] += 1
    return Scrubbed(text, counts)
