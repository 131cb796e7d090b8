"""Personal data in texts, told by their form: each is replaced by a word for its kind, and counted.

Found are e-mail addresses, telephone numbers, card numbers, IBANs, numbers of identity cards (Chinese, and American
social security), IP addresses, and street addresses of English and Chinese form. Not found are names of people,
addresses without a number, and what is spelled out in words.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from strata.online.personal_data import FINDERS, KINDS, Kind
from strata.online.records import Record

WRITTEN: Final = {"event": ("text",), "correction": ("note", "value")}
"""What of a record's body somebody wrote, by its kind."""
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


def scrub_records(records: Sequence[Record]) -> tuple[list[Record], Counter[Kind]]:
    """Records for the journal without personal data in what somebody wrote, and how much of each kind was replaced."""
    found: Counter[Kind] = Counter()
    return [_scrubbed(record, found) for record in records], found


def _scrubbed(record: Record, found: Counter[Kind]) -> Record:
    written = [name for name in WRITTEN.get(record.kind, ()) if record.body.get(name)]
    if not written:
        return record
    clean = {name: scrub(record.body[name]) for name in written}
    for each in clean.values():
        found.update(each.counts)
    return replace(record, body={**record.body, **{name: each.text for name, each in clean.items()}})
