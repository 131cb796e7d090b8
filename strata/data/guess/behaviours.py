"""Guesses what a log's names of behaviours mean, and what its rows are where no name stands in them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from strata.data.behaviour_names import meaning
from strata.data.guess import names
from strata.data.guess.facts import Facts
from strata.data.guess.ledger import Ledger
from strata.data.schema import BEHAVIOURS

MOST_WORDS = 12
_UNDONE = r"(?i)^(cancell?ed|refunded|returned|failed|declined|rejected|voided|void|abandoned|expired|unpaid|error)$"
CHOICES = ("view", "click", "like", "purchase", "add-to-cart", "rate", "review")


def of_flag(name: str) -> bool:
    """Whether a column of 0 and 1 is named after a behaviour: is_click, purchased."""
    return meaning(re.sub(r"^(is|has|was) ", "", names.words(name))) is not None


def like_behaviours(facts: Facts) -> bool:
    """Whether at least half of a few words are names of behaviours."""
    words = facts.values.unique().to_list()
    return facts.word and 2 * sum(meaning(word) is not None for word in words) >= len(words)


def few_words(columns: Mapping[str, Facts], taken: Collection[str]) -> Facts | None:
    """A column of a log that holds a few words and is called like nothing else that is known."""
    ours = ("title", "description", "categories", "tags", "brand", "language")
    return next(
        (
            facts
            for name, facts in columns.items()
            if name not in taken and facts.word and 1 < facts.distinct <= MOST_WORDS
            if all(names.rank("items", each, name) is None for each in ours)
        ),
        None,
    )


def undone(columns: Mapping[str, Facts], taken: Collection[str]) -> Facts | None:
    """A column of a log that holds a few words, some of which say that the row did not come about: cancelled."""
    return next(
        (
            facts
            for name, facts in columns.items()
            if name not in taken and facts.word and 1 < facts.distinct <= MOST_WORDS and facts.share(_UNDONE) > 0
        ),
        None,
    )


def settle_undone(ledger: Ledger, facts: Facts, behaviour: str) -> bool:
    """Ask whether rows whose word says that they did not come about are to be left out; whether they are."""
    words = facts.values.unique().sort()
    such = words.filter(words.str.contains(_UNDONE)).to_list()
    why = f"{', '.join(such)} may say that it did not come about: are such rows left out?"
    key = ("interactions", "columns", "behaviour")
    if ledger.settle(key, facts.name, why, sure=False, choices=[None]) is None:
        return False
    for word in words:
        said = None if word in such else behaviour
        ledger.settle(("interactions", "behaviours", word), said, f"{facts.name} says so")
    return True


def settle_names(ledger: Ledger, facts: Facts) -> None:
    """Note what each name in a column of behaviours means."""
    counts = facts.values.value_counts(sort=True)
    for name, count in counts.iter_rows():
        ours, key = meaning(name), ("interactions", "behaviours", name)
        said = re.sub(r"[_ ]", "-", name.lower())
        if key not in ledger.answers and said in BEHAVIOURS and ours in (said, None):
            continue
        unknown = f"{count:,} of {len(facts.values):,} sampled rows; null leaves them out"
        why = f"logs call {ours} so" if ours else unknown
        ledger.settle(key, ours, why, sure=ours is not None, choices=(*CHOICES, None) if ours is None else ())


def settle_constant(
    ledger: Ledger, given: Iterable[str], path: Path, columns: Iterable[str], likely: str, flags: Sequence[str]
) -> None:
    """Note the behaviour of all rows of a file without a column of them.

    `given`: our columns that the file has. `columns`: names of all of its own. `likely`: what it is where none tells.
    `flags`: columns of 0 and 1 that say of each row whether something was done, so that rows are not all the same.
    """
    given, columns = set(given), list(columns)
    key = ("interactions", "constants", "behaviour")
    for behaviour, sign in names.synonyms()["behaviour_of"].items():
        held = [ours for ours in sign.get("columns", ()) if ours in given]
        named = [each for each in (*columns, path.name.split(".")[0]) if names.says(sign.get("names", "$^"), each)]
        if flags and not held:
            break
        if held or named:
            of = f"it has {', '.join(held)}" if held else f"{named[0]!r} says so"
            ledger.settle(key, behaviour, f"every row is one: {of}")
            return
    why = f"{', '.join(flags)} say of each row whether it was done" if flags else "nothing says what its rows are"
    ledger.settle(key, likely, why, sure=False, choices=CHOICES)
