"""What a text may say: names, titles, tiers and numbers of interests, and nothing else."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

from strata.generation.screening import as_data, reads_as_order

Task = Literal["name", "summary", "reason", "blurb"]
"""A short name of interests, what a profile holds, why an item is recommended, what an item is to somebody."""
Language = Literal["en", "zh"]
MOST_PHRASES, MOST_TITLES = 4, 4
"""Of one subject: the most telling ones say what it is, more only leave less room."""
LONGEST_PHRASE, LONGEST_TITLE, LONGEST_QUOTE = 60, 90, 300
"""Characters."""


@dataclass(frozen=True)
class Subject:
    """One interest: key `phrases` that name it, `titles` of its items, its `tier`, and `numbers` that may be said."""

    phrases: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    tier: str = ""
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What a text of one `task` in one `language` rests on.

    `subjects`: interests, what counts most first. `item`: title of the item that a reason or a blurb is about.
    `quotes`: what the person wrote; it may guide a text, but licenses no word of it.
    """

    task: Task
    language: Language
    subjects: tuple[Subject, ...]
    item: str = ""
    quotes: tuple[str, ...] = ()

    @property
    def phrases(self) -> tuple[str, ...]:
        """Phrases of all subjects."""
        return tuple(phrase for subject in self.subjects for phrase in subject.phrases)

    @property
    def titles(self) -> tuple[str, ...]:
        """The item's title and those of all subjects."""
        return ((self.item,) if self.item else ()) + tuple(each for of in self.subjects for each in of.titles)

    @property
    def tiers(self) -> tuple[str, ...]:
        """Tiers of all subjects."""
        return tuple(dict.fromkeys(subject.tier for subject in self.subjects if subject.tier))

    @property
    def numbers(self) -> frozenset[float]:
        """Numbers that may be said."""
        return frozenset(number for subject in self.subjects for number in subject.numbers)

    @property
    def key(self) -> str:
        """Hash of the content: equal evidence has equal keys."""
        content = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def screened(self) -> Self:
        """The evidence as data: on one line, within its limits, without what reads as an order to a model.

        An order may stand in a title that somebody gave an item, or in what a person wrote of themselves.
        """
        subjects = tuple(
            replace(
                subject,
                phrases=_data(subject.phrases, LONGEST_PHRASE)[:MOST_PHRASES],
                titles=_data(subject.titles, LONGEST_TITLE)[:MOST_TITLES],
            )
            for subject in self.subjects
        )
        item = next(iter(_data((self.item,), LONGEST_TITLE)), "")
        return replace(self, subjects=subjects, item=item, quotes=_data(self.quotes, LONGEST_QUOTE))


def _data(texts: tuple[str, ...], longest: int) -> tuple[str, ...]:
    lines = (as_data(text, longest) for text in texts if not reads_as_order(text))
    return tuple(dict.fromkeys(line for line in lines if line))
