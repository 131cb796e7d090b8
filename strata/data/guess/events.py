"""Guesses what a file of interactions says: who, what, how, when, how much."""

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from strata.data.guess import behaviours, clock, scales
from strata.data.guess.columns import named, pick
from strata.data.guess.facts import Facts
from strata.data.guess.ids import by_overlap, ids_tell
from strata.data.guess.ledger import Ledger
from strata.data.guess.names import words
from strata.data.guess.sample import Sample
from strata.data.guess.tables import Files, impressions
from strata.data.observed import NOBODY
from strata.data.sources.values import ValueSettings

TABLE = "interactions"
_MOST_CODES = 20
_NUMBERS = ("0", "-1")
"""Ids that may be nobody's, and are numbers in other columns."""


def settle(ledger: Ledger, files: Files) -> None:
    """Note all settings of the interactions' columns."""
    sample = files.tables[TABLE]
    if layout := files.layouts.get(TABLE):
        by_layout(ledger, TABLE, sample, layout, files)
    elif sample.headed:
        _by_names(ledger, files, sample)
    else:
        _by_content(ledger, sample)
    columns = {key[2]: guess.value for key, guess in ledger.guesses.items() if key[:2] == (TABLE, "columns")}
    facts = {ours: sample.facts.get(str(theirs)) for ours, theirs in columns.items() if theirs}
    _behaviour(ledger, sample, facts)
    clock.settle(ledger, sample, facts)
    for each in ("value", "dwell_s"):
        decimal(ledger, TABLE, facts.get(each))
    _nobody(ledger, sample, facts)
    if (rated := facts.get("value")) is not None and _is_rating(ledger, sample, rated):
        scales.settle(ledger, rated)


def _nobody(ledger: Ledger, sample: Sample, facts: Mapping[str, Facts | None]) -> None:
    """Ask whether ids that say that nobody, or nothing, is known stand for that."""
    usual, found, said = ValueSettings().missing, [], []
    words_ = [word for word in NOBODY if word not in _NUMBERS]
    for column in (facts.get("user_id"), facts.get("item_id")):
        if column is not None and sample.frame.schema.get(column.name) == pl.String:
            ids = sample.frame[column.name].str.strip_chars().drop_nulls().rename("id")
            counts = ids.value_counts().filter(pl.col("id").str.to_lowercase().is_in(words_), pl.col("count") > 1)
            counts = counts.filter(~pl.col("id").is_in(usual)).sort("id")
            found += counts["id"].to_list()
            said += [f"{name!r} is {column.name} of {count:,} rows" for name, count in counts.iter_rows()]
    if found:
        why = f"{'; '.join(said)}: is nobody meant?"
        ledger.settle((TABLE, "missing"), [*usual, *dict.fromkeys(found)], why, sure=False, choices=[None])


def by_layout(
    ledger: Ledger, table: str, sample: Sample, layout: Mapping[str, Any], files: Files | None = None
) -> None:
    """Note the settings of a public file without a header, known by its form.

    Where the form does not tell users from items, ids of `files` may.
    """
    sure = layout.get("sure", True) or re.fullmatch(layout.get("files", "$^"), sample.path.name) is not None
    why = f"its cells have the form of {layout['name']}"
    if not sure and files is not None and ids_tell(files, sample, layout["settings"]["columns"]):
        sure, why = True, f"{why}, and its items stand in {files.tables['items'].file}"
    for section, value in layout["settings"].items():
        if not isinstance(value, dict) or section == "unfold":
            ledger.settle((table, section), value, why)
            continue
        for ours, theirs in value.items():
            named = theirs if section in ("constants", "flags") else _positions(theirs)
            doubtful = section == "columns" and ours in ("user_id", "item_id", "title") and not sure
            others = [name for name in sample.facts if name != named] if doubtful else []
            said = f"{why}, which does not tell which column is which" if doubtful else why
            ledger.settle((table, section, ours), named, said, sure=not doubtful, choices=others)


def _positions(theirs: Any) -> Any:
    return [*map(str, theirs)] if isinstance(theirs, list) else str(theirs)


def decimal(ledger: Ledger, table: str, facts: Facts | None) -> None:
    """Note a decimal comma."""
    if facts is None:
        return
    if facts.comma:
        ledger.settle((table, "decimal"), ",", f"numbers such as {facts.values[0]}")
    if facts.thousands is not None:
        _thousands(ledger, table, facts, facts.thousands)


def _thousands(ledger: Ledger, table: str, facts: Facts, mark: str) -> None:
    """Note what groups digits; 1.234 and 1,234 may be less than two as well, unless another value tells."""
    told = mark not in ",." or facts.comma or facts.share(rf"\d{re.escape(mark)}\d{{3}}([.,]\d)") > 0
    such = facts.values.filter(facts.values.str.contains(re.escape(mark)))[0]
    why = f"numbers such as {such}" if told else f"is {such} a number of thousands?"
    if mark == "," and not told:
        told = (facts.comma, facts.numeric) == (False, True) and facts.range[1] >= 10_000
    said = ledger.settle((table, "thousands"), mark, why, sure=told, choices=[] if told else [None])
    if said == "." and not facts.comma:
        ledger.settle((table, "decimal"), ",", "a point stands between thousands")


def _by_names(ledger: Ledger, files: Files, sample: Sample) -> None:
    taken: list[str] = []
    for ours in ("user_id", "item_id"):
        other = files.tables.get(f"{ours[:4]}s")
        theirs = _shown(ledger, sample) if ours == "item_id" else None
        theirs = theirs or by_overlap(ledger, sample, other, ours, taken)
        theirs = theirs or pick(ledger, sample, TABLE, ours, taken)
        if theirs is None:
            theirs = _some_id(ledger, sample, ours, taken)
        taken += [theirs] if theirs else []
    parts = clock.in_parts(ledger, sample)
    taken += parts
    for ours in ("behaviour", "timestamp", "value", "dwell_s", "text", "event_id"):
        if ours == "timestamp" and parts:
            continue
        doubtful = ours in ("behaviour", "timestamp")
        theirs = pick(ledger, sample, TABLE, ours, taken, doubtful=doubtful)
        if theirs is None and ours == "behaviour":
            theirs = _codes(ledger, sample, taken)
        if theirs is None and ours == "value":
            theirs = pick(ledger, sample, TABLE, "count", taken, key="value")
        taken += [theirs] if theirs else []


def _codes(ledger: Ledger, sample: Sample, taken: list[str]) -> str | None:
    """A column that is named as behaviours are and holds a few codes, each of which must be asked about."""
    key = (TABLE, "columns", "behaviour")
    found = [each.name for each in named(sample, TABLE, "behaviour", taken) if not each.maybe]
    found = [name for name in found if 1 < sample.facts[name].distinct <= _MOST_CODES]
    if not found or key in ledger.answers:
        return None
    said: str | None = ledger.settle(key, found[0], "its name says so; its values are codes")
    return said


def _shown(ledger: Ledger, sample: Sample) -> str | None:
    """A column of lists of what was shown, each entry marked whether it was taken: N1-0 N2-1."""
    column = impressions(sample)
    if column is None or (TABLE, "columns", "item_id") in ledger.answers:
        return None
    why = "lists of what was shown, those marked 1 were clicked"
    ledger.settle((TABLE, "columns", "item_id"), column, why)
    said = {"column": column, "separator": " ", "mark": "-", "keep": ["1"]}
    ledger.settle((TABLE, "unfold"), said, why)
    ledger.settle((TABLE, "constants", "behaviour"), "click", why)
    return column


def _some_id(ledger: Ledger, sample: Sample, ours: str, taken: list[str]) -> str | None:
    free = {
        name: facts for name, facts in sample.facts.items() if name not in taken and facts.idlike and not facts.fitting
    }
    if not free:
        return None
    best = next(iter(free)) if ours == "user_id" else max(free, key=lambda name: free[name].distinct)
    why = f"no column is named so; this one has {free[best].distinct:,} different values"
    others = [name for name in free if name != best]
    said: str | None = ledger.settle((TABLE, "columns", ours), best, why, sure=False, choices=others)
    return said


def _by_content(ledger: Ledger, sample: Sample) -> None:
    """Roles by what the values may be; all of it unsure, since no name says so."""
    free = dict(sample.facts)
    tests = {
        "timestamp": lambda f: bool(f.fitting) and f.fitting[0] not in ("year", "excel", "ns"),
        "behaviour": behaviours.like_behaviours,
        "value": scales.looks_rated,
    }
    for ours, test in tests.items():
        found = next((name for name, facts in free.items() if len(facts.values) and test(facts)), None)
        key = (TABLE, "columns", ours)
        if found is not None or key in ledger.answers:
            found = ledger.settle(key, found, "its values look so, no name says so", sure=False, choices=[*free, None])
            free.pop(str(found), None)
    ids = [name for name, facts in free.items() if facts.idlike and facts.distinct > 1][:2]
    for ours, theirs in zip(("user_id", "item_id"), [*ids, None, None], strict=False):
        others = [name for name in free if name != theirs]
        ledger.settle((TABLE, "columns", ours), theirs, "no name says so", sure=False, choices=others)


def _behaviour(ledger: Ledger, sample: Sample, facts: Mapping[str, Facts | None]) -> None:
    constant = (TABLE, "constants", "behaviour")
    if constant in ledger.guesses:
        return
    column = facts.get("behaviour")
    if column is not None:
        behaviours.settle_names(ledger, column)
    elif "behaviour" not in facts:
        given = {ours for ours, each in facts.items() if each is not None}
        rated = facts.get("value")
        if rated is not None and not _named_rating(sample, rated):
            given.discard("value")
        likely = "rate" if rated is not None and scales.looks_rated(rated) else "view"
        told = [name for name, each in sample.facts.items() if each.flag and behaviours.of_flag(name)]
        behaviours.settle_constant(ledger, given, sample.path, sample.facts, likely, told)
        taken = [each.name for each in facts.values() if each is not None]
        held = behaviours.undone(sample.facts, taken) if ledger.guesses[constant].sure else None
        if held is not None and constant not in ledger.answers:
            if behaviours.settle_undone(ledger, held, str(ledger.guesses[constant].value)):
                del ledger.guesses[constant]
            return
        words_ = None if ledger.guesses[constant].sure else behaviours.few_words(sample.facts, taken)
        if words_ is not None:
            why = "a few words that come again and again may be what was done"
            said = ledger.settle((TABLE, "columns", "behaviour"), words_.name, why, sure=False, choices=[None])
            if said is not None:
                del ledger.guesses[constant]
                behaviours.settle_names(ledger, sample.facts[said])


def _named_rating(sample: Sample, facts: Facts) -> bool:
    return not sample.headed or any(
        each.name == facts.name and each.rank < 100 and words(each.name) != "value"
        for each in named(sample, TABLE, "value")
    )


def _is_rating(ledger: Ledger, sample: Sample, facts: Facts) -> bool:
    if words(facts.name) == "value":
        return scales.looks_rated(facts)
    constant = ledger.guesses.get((TABLE, "constants", "behaviour"))
    if constant is not None:
        return bool(constant.value == "rate")
    return sample.headed and _named_rating(sample, facts)
