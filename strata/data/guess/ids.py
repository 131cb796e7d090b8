"""Tells columns of ids by their names, and by which of their values stand in another file."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from strata.data.guess.columns import named
from strata.data.guess.facts import share
from strata.data.guess.ledger import Ledger
from strata.data.guess.names import words
from strata.data.guess.sample import Sample
from strata.data.guess.tables import Files
from strata.data.sources.values import text, whole_id

ENOUGH, MUCH_LESS = 0.5, 0.5
"""Share of a column's ids that the other file should hold, and what part of it the next best column may reach."""


def ids(sample: Sample, column: str) -> pl.Series:
    """The different ids of a column of the whole sample."""
    frame = sample.frame.select(text(pl.col(column), sample.frame.schema[column]).alias("id"))
    return frame.to_series().drop_nulls().unique()


def held(ours: pl.Series, theirs: pl.Series) -> float:
    """Of `ours` that stand in `theirs`."""
    return share(ours.is_in(theirs.implode()))


def id_column(sample: Sample, table: str) -> str | None:
    """The column of a table of items or users that names them."""
    ours = f"{table[:4]}_id"
    found = [each for each in named(sample, table, ours) if each.fits]
    unique = [each for each in found if sample.facts[each.name].unique and not each.maybe]
    return next((each.name for each in [*unique, *found]), None)


def by_overlap(ledger: Ledger, sample: Sample, other: Sample | None, ours: str, taken: list[str]) -> str | None:
    """Settle which column is `ours` where names leave it open and one column's values stand in the other file."""
    table = f"{ours[:4]}s"
    key = ("interactions", "columns", ours)
    if other is None or other is sample or key in ledger.answers:
        return None
    theirs = id_column(other, table) if other.headed else next(iter(other.facts), None)
    candidates = [each for each in named(sample, "interactions", ours, taken) if each.fits]
    certain = [each for each in candidates if each.rank == candidates[0].rank]
    if theirs is None or (len(certain) == 1 and not certain[0].maybe and len(candidates) == 1):
        return None
    alike = [each.name for each in candidates if not each.maybe and words(each.name) == words(theirs)]
    if len(alike) == 1:
        told: str = ledger.settle(key, alike[0], f"{other.file} names its ids so as well")
        return told
    known = ids(other, theirs)
    free = [name for name, facts in sample.facts.items() if facts.idlike and name not in taken]
    named_ = [each.name for each in candidates] or free
    shares = sorted(((held(ids(sample, name), known), name) for name in named_), reverse=True)
    shares = [each for each in shares if each[0] > 0]
    if not shares or shares[0][0] < ENOUGH or (len(shares) > 1 and shares[1][0] > MUCH_LESS * shares[0][0]):
        return None
    why = f"{shares[0][0]:.0%} of its ids stand in {other.file}"
    sure = bool(candidates) or not all(value.isdigit() for value in known.head(100))
    said: str | None = ledger.settle(key, shares[0][1], why, sure=sure, choices=[n for n in free if n != shares[0][1]])
    return said


def file_of(ledger: Ledger, files: Files, looked: list[Sample], table: str) -> Sample | None:
    """Note as a table the file left over that holds the ids of the interactions, each once; null where none does."""
    there = ledger.guesses.get(("interactions", "columns", f"{table[:4]}_id"))
    if table in files.tables or there is None or there.value not in files.tables["interactions"].facts:
        return None
    wanted = ids(files.tables["interactions"], there.value)
    free = [sample for sample in looked if not any(sample is each for each in files.tables.values())]
    found = ((sample, holding(wanted, sample)) for sample in free)
    sample, name = next(((sample, name) for sample, name in found if name is not None), (None, None))
    if sample is None or name is None:
        return None
    share_ = held(wanted, ids(sample, name))
    why = f"{share_:.0%} of what the interactions' {there.value} names stand in its {name}"
    if ledger.settle((table, sample.origin), sample.file, why, sure=False, choices=[None]) is None:
        return None
    files.tables[table] = sample
    files.unused.pop(sample.title, None)
    return sample


def holding(wanted: pl.Series, sample: Sample) -> str | None:
    """The column with each value once that holds most of the wanted ids, at least half of them."""
    shares = {
        name: held(wanted, ids(sample, name)) for name, facts in sample.facts.items() if facts.unique and facts.idlike
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] >= ENOUGH else None


def ids_tell(files: Files, sample: Sample, columns: Mapping[str, int]) -> bool:
    """Whether the file of items holds the ids of the column of items, and not as many of those of users."""
    items = files.tables.get("items")
    theirs = (id_column(items, "items") if items.headed else next(iter(items.facts), None)) if items else None
    if items is None or theirs is None or not {"user_id", "item_id"} <= columns.keys():
        return False
    known = ids(items, theirs)
    item, user = (held(ids(sample, str(columns[each])), known) for each in ("item_id", "user_id"))
    return item >= 0.9 and user <= MUCH_LESS * item


def alike_as_numbers(ours: pl.Series, theirs: pl.Series) -> bool:
    """Whether ids meet only once leading zeros, ".0" and quotation marks are gone."""
    as_numbers = [each.alias("id").to_frame().select(whole_id(pl.col("id"))).to_series() for each in (ours, theirs)]
    before, after = held(ours, theirs), held(*as_numbers)
    return after >= ENOUGH and after > before + 0.2


def settle_id(ledger: Ledger, files: Files, sample: Sample, table: str, taken: list[str]) -> None:
    """Note which column names the items or users of their own file, and that it is not unique; add it to `taken`."""
    ours = f"{table[:4]}_id"
    key, there = (table, "columns", ours), ledger.guesses.get(("interactions", "columns", ours))
    column = id_column(sample, table)
    log = files.tables["interactions"]
    if column is None and there is not None and there.value in log.facts:
        column = holding(ids(log, there.value), sample)
    if key in ledger.answers:
        taken.append(ledger.settle(key, None, ""))
    elif column is not None:
        exact = [each for each in named(sample, table, ours) if each.name == column and not each.maybe]
        shared = _shared(files, there.value if there else None, sample, column)
        why = f"{shared:.0%} of the ids of the interactions stand in it" if shared > 0.3 else "its name says so"
        unique = sample.facts[column].unique
        why += "" if unique else ", though it is not unique"
        sure = (bool(exact) or shared > 0.3) and (unique or shared > 0.3)
        ledger.settle(key, column, why, sure=sure, choices=[name for name in sample.facts if name != column])
        taken.append(column)
        if not unique:
            again = 1 - sample.facts[column].distinct / max(len(sample.facts[column].values), 1)
            ledger.settle(
                (table, "repeated"),
                "first",
                f"{again:.0%} of its rows repeat an id",
                sure=False,
                choices=["latest", "refuse"],
            )


def _shared(files: Files, column: Any, sample: Sample, theirs: str) -> float:
    log = files.tables["interactions"]
    if not isinstance(column, str) or column not in log.facts or log is sample:
        return 0.0
    return held(ids(log, column), ids(sample, theirs))


def settle_numbers(ledger: Ledger, files: Files) -> None:
    """Note that ids are numbers where two files write them differently."""
    log = files.tables["interactions"]
    for table, ours in (("items", "item_id"), ("users", "user_id")):
        sample = files.tables.get(table)
        here, there = (ledger.guesses.get((each, "columns", ours)) for each in ("interactions", table))
        if sample is None or sample is log or here is None or there is None:
            continue
        if here.value not in log.facts or there.value not in sample.facts:
            continue
        if alike_as_numbers(ids(log, here.value), ids(sample, there.value)):
            for each in ("interactions", table):
                ledger.settle(
                    (each, "number_ids"), True, f"the ids of {sample.file} meet those of {log.file} only as numbers"
                )
