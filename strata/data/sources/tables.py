"""Any files that settings describe as Strata's three tables, by a map from our column names to theirs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from strata.data.parts import Parts, Store
from strata.data.schema import ATTRIBUTES, ITEM, REASON, ROW, TIME, TIMESTAMP, USER
from strata.data.sources import faults, times
from strata.data.sources.behaviours import meant
from strata.data.sources.columns import Given, given_columns, mapped, root, with_inner
from strata.data.sources.files import ROW_NUMBER, UNREADABLE, RawFile, openings, unreadable
from strata.data.sources.finding import Finding, merged
from strata.data.sources.mapping import InteractionsSettings, ItemsSettings, TableSettings, UsersSettings
from strata.data.sources.patient import FAULT
from strata.data.sources.reshape import one_per_id, unfolded, widened
from strata.data.sources.source import ReadTable
from strata.data.sources.values import WrongType, pairs, parse, printable, text, whole_id
from strata.errors import SourceError

BLOCK: Final = 1_000_000
"""Rows of interactions read at once."""

__all__ = ["InteractionsSettings", "ItemsSettings", "TableSettings", "UsersSettings", "read_raw", "read_table"]


def read_table(folder: Path, settings: TableSettings) -> ReadTable:
    """Read one file, or several of one kind.

    Raises SourceError naming file and column when one is missing, unreadable, empty or of a type that cannot serve;
    a line or value that does not parse marks its row or is counted.
    """
    fault: Exception | None = None
    for raw in openings(folder, settings):
        try:
            return read_raw(raw, folder / settings.file, settings)
        except UNREADABLE as error:
            fault = error
    raise unreadable(folder, settings, fault)


def read_raw(raw: RawFile, path: Path, settings: TableSettings) -> ReadTable:
    """Rows that are open already as a table; `path`: what to call them in messages.

    Raises as read_table does, and what polars raises (UNREADABLE) for lines that it refuses.
    """
    raw = _reshaped(raw, path, settings)
    given = given_columns(raw, path, settings)
    staged, values, marks = _values(raw, given, path, settings)
    marked = {f"{FAULT}{place}": mark for place, mark in enumerate(marks)}
    shown = [mark.value.is_not_null().alias(column) for column, mark in marked.items()]
    numbered = pl.col(ROW_NUMBER).cast(pl.Int64).alias(ROW)
    refusing = [pl.when(column).then(pl.lit(m.what)) for column, m in marked.items() if m.refuses]
    reason = pl.coalesce(FAULT, *refusing).alias(REASON)
    seen, near, store, changed = faults.Seen(), Counter[str](), Store(), list[Finding]()
    timed = _numbered_times(given, settings)
    for rows in _blocks(staged.rows.select(numbered, *values, FAULT, *shown), settings):
        seen.add(rows, marked)
        near.update({name: int(rows[name].dt.year().is_between(1980, 2100).sum()) for name in timed})
        rows = rows.select(ROW, *settings.table, reason)
        if isinstance(settings, InteractionsSettings):
            rows, more = meant(rows, settings)
            changed += more
        store.add(rows)
    if not seen.rows:
        raise SourceError(f"{path} has no rows; give a file with at least one, or leave out a table not needed")
    parts = store.parts()
    findings = [*raw.findings, *faults.findings(staged, seen, marked)]
    findings += [*_odd_units(raw, timed, seen, near, settings), *merged(changed), *_shared_ids(parts, settings)]
    content = pl.struct(printable(name, dtype) for name, dtype in raw.columns.items()).struct.json_encode()
    as_given = raw.rows.select(pl.col(ROW_NUMBER).cast(pl.Int64).alias(ROW), content.alias("content"))
    return ReadTable(str(path), parts, as_given, findings)


def _blocks(rows: pl.LazyFrame, settings: TableSettings) -> Iterator[pl.DataFrame]:
    """Interactions block by block; whole where each row's meaning depends on others, as made times do."""
    if isinstance(settings, InteractionsSettings) and settings.time == "clock":
        yield from rows.collect_batches(chunk_size=BLOCK, engine="streaming")
    else:
        yield rows.collect(engine="streaming")


def _reshaped(raw: RawFile, path: Path, settings: TableSettings) -> RawFile:
    """The rows of the file as rows of the table."""
    try:
        if settings.unfold is not None:
            raw = unfolded(raw, settings.unfold)
        properties = settings.properties if isinstance(settings, ItemsSettings) else None
        kept = settings.repeated
        key = mapped(raw, settings).get(settings.required[0], [settings.required[0]])[0]
        wanted = {name for theirs in mapped(raw, settings).values() for name in theirs}
        if isinstance(settings, ItemsSettings):
            wanted |= {name for names in settings.flags.values() for name in _names(names)}
        if properties is not None:
            return widened(raw, key, sorted(wanted), properties, settings)
        if kept == "refuse":
            return raw
        raw = with_inner(raw, path, settings.required[0], key, settings)
        roots = sorted({found for name in wanted if (found := root(name, raw.columns))})
        return one_per_id(raw, key, roots, kept, settings.latest_by, settings)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None


def _names(columns: list[str] | dict[str, str]) -> list[str]:
    return list(columns.values()) if isinstance(columns, dict) else columns


def _values(
    raw: RawFile, given: dict[str, Given], path: Path, settings: TableSettings
) -> tuple[RawFile, list[pl.Expr], list[faults.Mark]]:
    """Our columns as expressions, and what may be wrong with them, over the file with columns of cells and of values.

    What stands in expressions twice polars would work out twice.
    """
    values, marks, cell, parsed = [], [], dict[str, pl.Expr](), dict[str, pl.Expr]()
    for name, dtype in settings.table.items():
        if name not in given:
            values.append(pl.lit([] if dtype.is_nested() else None, _read_as(name, dtype, settings)).alias(name))
            continue
        cells = given[name]
        plain = text(cells.values, cells.dtype) if cells.dtype == pl.String else cells.values
        cells, cell[f"\x1fcell {name}"] = replace(cells, values=pl.col(f"\x1fcell {name}")), plain
        value = pl.col(f"\x1fvalue {name}")
        try:
            wanted = _read_as(name, dtype, settings)
            parsed[f"\x1fvalue {name}"] = parse(name, cells.values, cells.dtype, wanted, settings)
        except WrongType as error:
            raise SourceError(
                f"{path}: column '{cells.called}', mapped to {name}, {error}; map another column"
            ) from None
        marks += faults.marks(name, cells, value, settings)
        if settings.number_ids and name in (USER, ITEM):
            value = whole_id(value)
        if dtype.is_numeric():
            value = pl.when(value.is_finite()).then(value)
        values.append(value.cast(wanted).alias(name))
    if settings.attributes:
        kept = {name: given[f"attribute {name}"] for name in settings.attributes}
        marks += [each for name, cells in kept.items() for each in faults.marks(name, cells, cells.values, settings)]
        values[-1] = pairs({name: (cells.values, cells.dtype) for name, cells in kept.items()}).alias(ATTRIBUTES)
    return replace(raw, rows=raw.rows.with_columns(**cell).with_columns(**parsed)), values, marks


def _read_as(name: str, dtype: pl.DataType, settings: TableSettings) -> pl.DataType:
    """An order is a number until times are made of it."""
    order = name == TIMESTAMP and isinstance(settings, InteractionsSettings) and settings.time == "order"
    return pl.Float64() if order else dtype


def _shared_ids(parts: Parts, settings: TableSettings) -> list[Finding]:
    """Ids with several rows, where each should have one."""
    if isinstance(settings, InteractionsSettings):
        return []
    rows, key = parts.whole(), settings.required[0]
    if not (shared := int(rows[key].drop_nulls().is_duplicated().sum())):
        return []
    example = rows.filter(pl.col(key).is_not_null() & pl.col(key).is_duplicated())[key][0]
    remedy = "set `repeated` to first or latest to make one row of them"
    if isinstance(settings, ItemsSettings):
        remedy += ", or name the columns of `properties` if each row holds one property"
    return [Finding(f"rows share their {key}: only the first stays", shared, rows.height, key, example, remedy)]


def _numbered_times(given: Mapping[str, Given], settings: TableSettings) -> dict[str, Given]:
    """Columns of times that are numbers of a unit."""
    times = {name: given[name] for name, dtype in settings.table.items() if dtype == TIME and name in given}
    return {
        name: cells
        for name, cells in times.items()
        if _read_as(name, TIME, settings) == TIME
        and not (settings.unit(name) == "iso" or settings.formats(name) or cells.dtype.is_temporal())
    }


def _odd_units(
    raw: RawFile, timed: Mapping[str, Given], seen: faults.Seen, near: Mapping[str, int], settings: TableSettings
) -> list[Finding]:
    """Times that lie far off, where another unit would put them into our days; `near`: how many lie in them."""
    found = []
    for name, cells in timed.items():
        if not seen.there[name] or near[name] * 2 > seen.there[name]:
            continue
        texts = raw.rows.select(text(cells.values, cells.dtype).alias(name)).drop_nulls().head(1_000).collect()[name]
        if others := [unit for unit in times.fitting(texts) if unit in times.UNITS]:
            what = f"{name} read as {settings.unit(name)} lies outside 1980 to 2100; these look like {others[0]}"
            remedy = f"set time_unit: {{{name}: {others[0]}}}"
            found.append(Finding(what, seen.there[name], seen.rows, cells.called, texts[0], remedy, stops=True))
    return found
