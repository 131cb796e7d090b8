"""Guesses when interactions were: which column tells, an order alone, day and clock apart, or nothing."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from strata.data.guess import times
from strata.data.guess.columns import named
from strata.data.guess.facts import Facts
from strata.data.guess.ledger import Ledger
from strata.data.guess.names import rank, synonyms, words
from strata.data.guess.sample import Sample

_TABLE = "interactions"
_SAME_S = 2 * 86_400
_ORDERS = ("order number", "sequence", "seq", "position", "step", "visit number", "session order")


_PARTS = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


def in_parts(ledger: Ledger, sample: Sample) -> list[str]:
    """Settle that year, month and day, and the clock where it is there, stand in columns of their own; else nothing."""
    key = (_TABLE, "columns", "timestamp")
    certain = any(each.fits and not each.maybe for each in named(sample, _TABLE, "timestamp"))
    if certain or not sample.headed or key in ledger.answers or (_TABLE, "time") in ledger.answers:
        return []
    for columns in _parted(sample).values():
        there = [part for part in _PARTS if part in columns]
        if there[:3] != ["year", "month", "day"] or there != list(_PARTS)[: len(there)]:
            continue
        names = [columns[part] for part in there]
        month = "%m" if sample.facts[columns["month"]].numeric else "%B"
        form = " ".join({**_PARTS, "month": month}[part] for part in there)
        texts = sample.frame.select(pl.concat_str(pl.col(names).cast(pl.String).str.strip_chars(), separator=" "))
        moments = times.read(texts.to_series().drop_nulls(), ("time_format", form))
        if len(moments) and moments.is_not_null().mean() >= 0.95:  # type: ignore[operator]
            ledger.settle(key, names, f"{', '.join(there)} stand in columns of their own")
            ledger.settle((_TABLE, "time_format", "timestamp"), form, "the parts in their order")
            return names
    return []


def _parted(sample: Sample) -> dict[str, dict[str, str]]:
    """What the names of columns say before a part of a time ("date" of date_year, ""), and the column of each part."""
    found: dict[str, dict[str, str]] = {}
    for name in sample.facts:
        before, _, last = words(name).rpartition(" ")
        part = next((part for part, called in synonyms()["calendar"].items() if last in called), None)
        if part is not None and (not before or rank(_TABLE, "timestamp", before) is not None):
            found.setdefault(before, {}).setdefault(part, name)
    return found


def settle(ledger: Ledger, sample: Sample, facts: Mapping[str, Facts | None]) -> None:
    """Note which column of interactions holds their time and how it is written, or that none does."""
    settled = ledger.guesses.get((_TABLE, "columns", "timestamp"))
    if (_TABLE, "time") in ledger.guesses or (settled is not None and isinstance(settled.value, list)):
        return
    column = facts.get("timestamp")
    if column is not None:
        if ledger.answered(_TABLE, "time") != "order":
            _clocked(ledger, sample, column)
            _same_moment(ledger, sample, column)
        return
    if (_TABLE, "time") in ledger.answers or (_TABLE, "constants", "timestamp") in ledger.answers:
        return
    used = [facts_.name for facts_ in facts.values() if facts_ is not None]
    free = {name: each for name, each in sample.facts.items() if name not in used}
    moments = [name for name, each in free.items() if each.fitting and each.fitting != ["year"]]
    orders = [name for name, each in free.items() if sample.headed and each.numeric and _is_order(name)]
    if not moments and not orders:
        ledger.settle((_TABLE, "time"), "none", "no column holds times")
        return
    best, *rest = [*moments, *orders]
    why = "its numbers may put a user's rows in order" if best in orders else "its values may be times"
    said = ledger.settle((_TABLE, "columns", "timestamp"), best, why, sure=False, choices=[*rest, None])
    if said in orders:
        ledger.settle((_TABLE, "time"), "order", "no column holds times, this one an order")
    elif said is None:
        ledger.settle((_TABLE, "time"), "none", "no column holds times")
    elif said in sample.facts:
        times.settle(ledger, _TABLE, "timestamp", sample.facts[said])


def _clocked(ledger: Ledger, sample: Sample, day: Facts) -> None:
    """Note how times are written, days and their clock in two columns among them."""
    clocks = [name for name, each in sample.facts.items() if each.clock]
    if not sample.headed or len(clocks) != 1 or not len(day.values) or day.values.str.contains(":").any():
        times.settle(ledger, _TABLE, "timestamp", day)
        return
    key = (_TABLE, "columns", "timestamp")
    both = ledger.settle(key, [day.name, clocks[0]], "one column holds the day, the other its time")
    if both == [day.name, clocks[0]]:
        texts = sample.frame.select(pl.concat_str(pl.col(day.name, clocks[0]).str.strip_chars(), separator=" "))
        times.settle(ledger, _TABLE, "timestamp", Facts.of(texts.to_series()))


def _is_order(name: str) -> bool:
    found = rank(_TABLE, "timestamp", name)
    return words(name) in _ORDERS or (found is not None and found < 100)


def _same_moment(ledger: Ledger, sample: Sample, chosen: Facts) -> None:
    """Other columns of times are no doubt where they tell the same day."""
    key = (_TABLE, "columns", "timestamp")
    guess = ledger.guesses.get(key)
    found = times.written(chosen)
    if guess is None or guess.sure is False or key in ledger.answers or found is None:
        return
    others = [
        each.name
        for each in named(sample, _TABLE, "timestamp")
        if each.fits and not each.maybe and each.name != chosen.name
    ]
    middle = _middle(chosen, found)
    for name in others:
        way = times.written(sample.facts[name])
        if way is None or abs(_middle(sample.facts[name], way) - middle) > _SAME_S:
            why = f"{name} holds other times"
            ledger.settle(key, chosen.name, why, sure=False, choices=others)
            return


def _middle(facts: Facts, way: times.Written) -> float:
    """Median of times, in seconds since 1970."""
    return float(np.median(times.read(facts.values, way.reading).drop_nulls().dt.epoch("s").to_numpy()))
