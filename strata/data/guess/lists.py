"""Guesses how lists in cells are written: what stands between entries, the key of their objects, columns of flags."""

import re
from collections import Counter
from typing import Any

import polars as pl

from strata.data.guess import names
from strata.data.guess.facts import Facts
from strata.data.guess.ledger import Ledger
from strata.data.guess.sample import Sample
from strata.data.sources.lists import bare, literal

_BETWEEN = ("|", ";", " > ", "::", "~", " · ", "<br>", "\n", ", ", ",", "/")
_ALSO_WORDS = (" & ", " - ", " + ", "+")
"""What divides entries in some files and stands within an entry, such as Food & Drink, in more."""
_KEYS = ("name", "title", "label", "value", "text")
_LEAST_FLAGS, _PROOF = 4, 100
_YES_AND_NO = {"0", "1", "0.0", "1.0", "true", "false", "yes", "no", "y", "n", "x"}


def settle(ledger: Ledger, table: str, facts: Facts) -> None:
    """Note what divides the entries of a column of categories or tags, and which key of objects is the entry."""
    if facts.listed:
        _settle_key(ledger, table, facts)
        words = [word for value in facts.values.to_list() if (word := bare(value)) is not None]
        if 2 * len(words) > len(facts.values) and not any("," in word for word in words):
            settle(ledger, table, Facts(facts.name, pl.Series(facts.name, words, pl.String), len(words)))
    elif not facts.nested and (found := between(facts)):
        mark, why, sure = found
        ledger.settle((table, "separator"), mark, why, sure=sure, choices=[] if sure else [None])


def between(facts: Facts) -> tuple[str, str, bool] | None:
    """What divides texts into entries that come again, why, and whether that is sure."""
    values = facts.values.to_list()
    for mark in _BETWEEN:
        divided = [value.split(mark) for value in values if mark in value]
        if len(divided) < 0.1 * len(values) or not divided:
            continue
        pieces = Counter(piece.strip() for value in values for piece in value.split(mark))
        long = sum(map(len, pieces)) / len(pieces) > 40
        again = len(pieces) < 0.9 * facts.distinct or sum(count > 1 for count in pieces.values()) > 0.2 * len(pieces)
        if not long:
            return (
                mark,
                f"{len(divided) / len(values):.0%} of the cells hold several, divided by it",
                mark == "|" or again,
            )
    if facts.name.endswith(":token_seq"):
        return " ", "a sequence of words, as RecBole writes it", True
    return _perhaps_between(facts.values.unique().to_list())


def _perhaps_between(values: list[str]) -> tuple[str, str, bool] | None:
    """A mark of _ALSO_WORDS, of which only a person can tell, where most of what it divides stands in several cells."""
    for mark in _ALSO_WORDS:
        cells = [{piece.strip() for piece in value.split(mark)} for value in values]
        pieces = Counter(piece for cell in cells for piece in cell)
        again = sum(count > 1 for piece, count in pieces.items())
        if sum(len(cell) > 1 for cell in cells) > 1 and 2 * again > len(pieces):
            return (
                mark,
                f"most of what stands beside {mark!r} stands in other cells as well: does it divide them?",
                False,
            )
    return None


def _settle_key(ledger: Ledger, table: str, facts: Facts) -> None:
    keys: Counter[str] = Counter()
    for value in facts.values.head(200):
        keys.update(key for each in _objects(literal(value)) for key in each)
    if not keys:
        return
    known = [key for key in _KEYS if key in keys]
    chosen = known[0] if known else next(iter(keys))
    ledger.settle((table, "list_key"), chosen, "the key of each entry", sure=bool(known), choices=list(keys))


def _objects(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, list):
        return [found for part in content for found in _objects(part)]
    return [content] if isinstance(content, dict) else []


def numbered(sample: Sample, ours: str, taken: list[str]) -> list[str]:
    """Columns that hold an entry of a list each: genre_1, genre_2, genre_3."""
    families: dict[str, list[str]] = {}
    for name in sample.facts:
        base, _, number = names.words(re.sub(r"(?<=\D)(?=\d+$)", " ", name)).rpartition(" ")
        rank = names.rank("items", ours, base)
        if number.isdigit() and name not in taken and rank is not None and rank < _PROOF:
            families.setdefault(base, []).append(name)
    return max(families.values(), key=len, default=[]) if any(len(each) > 1 for each in families.values()) else []


def flags(sample: Sample, taken: list[str]) -> list[str]:
    """Columns of 0 and 1 that stand side by side and may be categories."""
    columns = list(sample.facts)
    set_ = [name for name in columns if name not in taken and _is_flag(sample.facts[name])]
    places = [columns.index(name) for name in set_]
    together = bool(places) and places == list(range(places[0], places[-1] + 1))
    return set_ if together and len(set_) >= _LEAST_FLAGS else []


def _is_flag(facts: Facts) -> bool:
    named = not re.match(r"(is|has)[ _]", facts.name.lower())
    return named and bool(len(facts.values)) and set(facts.values.unique().head(3).str.to_lowercase()) <= _YES_AND_NO
