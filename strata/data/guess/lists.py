"""Guesses how lists in cells are written: what stands between entries, the key of their objects, columns of flags."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from strata.data.guess import names
from strata.data.guess.facts import Facts
from strata.data.guess.ledger import Ledger
from strata.data.guess.sample import Sample
from strata.data.sources.divided import Divided, divided
from strata.data.sources.lists import bare, literal

_KEYS = ("name", "title", "label", "value", "text")
_LEAST_FLAGS, _PROOF = 4, 100
_YES_AND_NO = {"0", "1", "0.0", "1.0", "true", "false", "yes", "no", "y", "n", "x"}


def settle(ledger: Ledger, table: str, columns: Mapping[str, Facts]) -> None:
    """Note what divides the entries of columns of categories and tags, and which key of objects is the entry."""
    found = {ours: _between(ledger, table, facts) for ours, facts in columns.items()}
    if (table, "separator") in ledger.answers:
        ledger.settle((table, "separator"), None, "")
        return
    apart = len({each and each.mark for each in found.values()}) > 1
    for ours, each in found.items():
        if each is not None:
            key = (table, "separator", ours) if apart else (table, "separator")
            ledger.settle(key, each.mark, each.why, sure=each.sure, choices=[] if each.sure else [None])


def _between(ledger: Ledger, table: str, facts: Facts) -> Divided | None:
    if facts.listed:
        _settle_key(ledger, table, facts)
        words = [word for value in facts.values.to_list() if (word := bare(value)) is not None]
        quoted = 2 * len(words) <= len(facts.values) or any("," in word for word in words)
        return None if quoted else divided(words)
    if facts.nested:
        return None
    if facts.name.endswith(":token_seq"):
        return Divided(" ", 1.0, "a sequence of words, as RecBole writes it", sure=True)
    return divided(facts.values.to_list())


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
