"""Rows of a file made into rows of a table: lists unfolded, properties turned into columns, one row for each id."""

import re
from collections.abc import Collection, Sequence
from typing import Literal

import polars as pl
from pydantic import Field

from strata.data.sources.files import ROW_NUMBER, RawFile
from strata.data.sources.finding import Finding
from strata.data.sources.grammar import listed
from strata.data.sources.patient import FAULT
from strata.data.sources.values import ValueSettings, moment, text
from strata.errors import SourceError
from strata.settings import Settings

MARK = ".mark"
"""Behind the name of a column that is unfolded: the column of what followed the mark."""
_MARKS = 5
"""Marks, the most frequent, whose entries are counted one by one."""
_KEY = "\x1fkey"
_WHEN = "\x1fwhen"


class UnfoldSettings(Settings):
    """A column with several items in one cell, such as N1-0 N2-1."""

    column: str
    separator: str = Field(default=" ", min_length=1)
    """Between the items."""
    mark: str | None = None
    """The last such character of an entry ends the item; what follows is the column NAME.mark. Left out: no mark."""
    keep: list[str] | None = None
    """Only entries with one of these marks; left out: all."""


class PropertiesSettings(Settings):
    """Columns of a file that holds one property of one item in each row."""

    name: str
    value: str
    time: str | None = None
    """Of several values the one of the latest time is taken; left out: of the last row."""


def unfolded(raw: RawFile, settings: UnfoldSettings) -> RawFile:
    """A row for each entry of a column's lists; rows without an entry, and entries that are not kept, are counted.

    Raises SourceError when there is no such column, or no entry is kept.
    """
    _present(raw, [settings.column])
    column = settings.column
    entries = text(pl.col(column), raw.columns[column]).str.split(settings.separator)
    rows = raw.rows.with_columns(entries.alias(column)).explode(column, empty_as_null=True)
    rows = rows.with_columns(pl.col(column).str.strip_chars())
    columns = raw.columns | {column: pl.String()}
    if settings.mark is not None:
        ending = rf"^(.*){re.escape(settings.mark)}(.*)$"
        parts = pl.col(column).str.extract(ending, 1), pl.col(column).str.extract(ending, 2)
        rows = rows.with_columns(parts[0].fill_null(pl.col(column)), parts[1].alias(column + MARK))
        columns[column + MARK] = pl.String()
    lists, empty = raw.rows.select(pl.len(), text(pl.col(column), raw.columns[column]).null_count()).collect().row(0)
    rows = rows.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
    found = [Finding("a list for several rows: each entry is one", lists, column=column)]
    found += [Finding("rows without an entry in their list: left out", empty, of=lists, column=column)] if empty else []
    if settings.keep is not None:
        told = column if settings.mark is None else column + MARK
        found += _not_kept(rows, told, settings, settings.keep)
        rows = rows.filter(pl.col(told).is_in(settings.keep))
    rows = rows.drop(ROW_NUMBER).with_row_index(ROW_NUMBER, offset=1)
    return RawFile(rows, columns, [*raw.findings, *found])


def _not_kept(rows: pl.LazyFrame, told: str, settings: UnfoldSettings, keep: Sequence[str]) -> list[Finding]:
    """Entries that `keep` leaves out, by what their column `told` says; those that say nothing apart."""
    column = settings.column
    counts = rows.group_by(told).agg(pl.len().alias("n"), pl.col(column).first().alias("such"))
    marks = counts.sort("n", told, descending=[True, False]).collect(engine="streaming")
    of, left = int(marks["n"].sum()), marks.filter(~pl.col(told).is_in(list(keep)).fill_null(value=False))
    if of and left.height == marks.height:
        there = listed([str(each) for each in marks[told].drop_nulls()])
        raise SourceError(
            f"no entry of column '{column}' is kept: unfold.keep is {listed(list(keep))}, there is {there}"
        )
    found, lead = [], "" if settings.mark is None else "marked "
    for mark, count, such in left.head(_MARKS).iter_rows():
        what = "entries without a mark: left out" if mark is None else f"entries {lead}{mark!r}: left out"
        remedy = f"add {mark!r} to `unfold.keep` to keep them"
        if mark is None:
            remedy = (
                f"correct {settings.mark!r} in `unfold.mark` if a mark stands in them; else leave `unfold.keep` out"
            )
        found.append(Finding(what, count, of, column, such, remedy))
    if rest := int(left.slice(_MARKS)["n"].sum()):
        found.append(Finding("entries with other marks: left out", rest, of, column, remedy="see `unfold.keep`"))
    return found


def widened(
    raw: RawFile, key: str, wanted: Collection[str], settings: PropertiesSettings, written: ValueSettings
) -> RawFile:
    """One row for each value of column `key`, a column for each wanted property: its latest value.

    Raises SourceError when a column or a property is not there.
    """
    _present(raw, [key, settings.name, settings.value, *([settings.time] if settings.time else [])])
    name = text(pl.col(settings.name), raw.columns[settings.name])
    rows = _keyed(raw, key, settings.time, written).with_columns(name.alias(settings.name))
    known = rows.select(pl.col(settings.name).drop_nulls().unique().sort()).collect()[settings.name].to_list()
    if unknown := sorted(set(wanted) - {key} - set(known)):
        raise SourceError(f"no property {listed(unknown)} in column '{settings.name}'; there is {listed(known)}")
    columns = [each for each in wanted if each != key]
    of_each: dict[str, pl.Expr] = {
        each: pl.when(pl.col(settings.name) == each).then(settings.value) for each in columns
    }
    return _grouped(raw, rows, key, of_each, "latest", "the latest value is taken")


def one_per_id(
    raw: RawFile,
    key: str,
    kept: Sequence[str],
    keep: Literal["first", "latest"],
    by: str | None,
    written: ValueSettings,
) -> RawFile:
    """One row for each value of column `key`: of each column `kept` its first or latest value that is there.

    Ids with more than one value are counted for each column. Raises SourceError when a column is not there.
    """
    _present(raw, [key, *([by] if by else [])])
    of_each = {name: pl.col(name) for name in kept if name != key}
    said = f"the {keep} value is taken"
    return _grouped(raw, _keyed(raw, key, by, written), key, of_each, keep, said)


def _keyed(raw: RawFile, key: str, by: str | None, written: ValueSettings) -> pl.LazyFrame:
    """Rows with their id as text, and when they hold: by column `by`, else by their place in the file."""
    when = moment(by, pl.col(by), raw.columns[by], written) if by else pl.col(ROW_NUMBER).cast(pl.Float64)
    return raw.rows.with_columns(text(pl.col(key), raw.columns[key]).alias(_KEY), when.alias(_WHEN))


def _grouped(
    raw: RawFile,
    rows: pl.LazyFrame,
    key: str,
    of_each: dict[str, pl.Expr],
    keep: Literal["first", "latest"],
    said: str,
) -> RawFile:
    values = {}
    for name, column in of_each.items():
        here = column.is_not_null()
        there = column.filter(here).sort_by(pl.col(_WHEN).filter(here), pl.col(ROW_NUMBER).filter(here))
        values[name] = (there.last() if keep == "latest" else there.first()).alias(name)
        values[f"\x1f{name}"] = column.drop_nulls().unique().head(2).alias(f"\x1f{name}")
    own = pl.col(ROW_NUMBER).min(), pl.col(FAULT).first()
    grouped = rows.group_by(_KEY).agg(*own, *values.values()).sort(ROW_NUMBER).collect(engine="streaming")
    findings = list(raw.findings)
    for name in of_each:
        several = grouped.filter(pl.col(f"\x1f{name}").list.len() > 1)
        if several.height:
            two = " | ".join(sorted(map(str, several[f"\x1f{name}"][0])))
            findings.append(
                Finding(f"{key}s with more than one value of {name}: {said}", several.height, of=grouped.height,
                        column=name, example=f"{several[_KEY][0]}: {two}")
            )  # fmt: skip
    table = grouped.select(ROW_NUMBER, FAULT, pl.col(_KEY).alias(key), *of_each)
    columns = {name: dtype for name, dtype in table.schema.items() if name not in (ROW_NUMBER, FAULT)}
    return RawFile(table.lazy(), columns, findings)


def _present(raw: RawFile, names: Sequence[str]) -> None:
    if missing := [name for name in names if name not in raw.columns]:
        raise SourceError(f"no column {listed(missing)}; the file has {listed(list(raw.columns))}")
