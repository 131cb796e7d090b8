"""Any CSV, TSV, Parquet or JSONL files as Strata's three tables, by a map from our column names to theirs."""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import polars as pl
from pydantic import model_validator

from strata.data.schema import (
    ATTRIBUTES,
    BEHAVIOUR,
    EVENT,
    INTERACTIONS,
    ITEM,
    ITEMS,
    REASON,
    ROW,
    TEXT,
    TIMESTAMP,
    USER,
    USERS,
    VALUE,
    WEIGHT,
)
from strata.data.sources.files import (
    FAULT,
    ROW_NUMBER,
    Format,
    RawFile,
    file_format,
    may_hold_surrogates,
    open_patiently,
    open_quickly,
)
from strata.data.sources.finding import Finding
from strata.data.sources.origin import Origin
from strata.data.sources.source import ReadTable
from strata.data.sources.values import TimeUnit, WrongType, pairs, parse, printable, text
from strata.errors import SourceError

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
Given = tuple[pl.Expr, pl.DataType]
"""A column as an expression, and its type in the file."""


class TableSettings(Origin):
    """One file, or table of a database, and how its columns become ours."""

    table: ClassVar[pl.Schema]
    required: ClassVar[tuple[str, ...]]
    strict: ClassVar[bool] = False
    """Whether a number or time that does not parse refuses its row; otherwise it becomes null and is counted."""

    format: Format | None = None
    """Left out: by the file's ending."""
    columns: dict[str, str] | None = None
    """Our column → the file's column; left out: the file uses our names."""
    constants: dict[str, str | int | float] = {}
    """Our column → one value for every row."""
    time_unit: TimeUnit = "iso"
    """Of all time columns that the file holds as text or numbers."""
    separator: str | None = None
    """Splits categories and tags given as one text; left out: one text is one entry, a JSON array several."""
    attributes: dict[str, str] = {}
    """Name of an attribute → the file's column."""
    quoted: bool = True
    """Whether " encloses fields of a CSV or TSV file."""

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        ours = {name for name in self.table if name != WEIGHT}
        mapped = set(self.columns or {}) | set(self.constants)
        if unknown := sorted(mapped - ours):
            raise ValueError(f"unknown column {', '.join(unknown)}; there is: {', '.join(sorted(ours))}")
        if twice := sorted(set(self.columns or {}) & set(self.constants)):
            raise ValueError(f"{', '.join(twice)} is both in columns and in constants; keep one")
        if self.attributes and ATTRIBUTES not in ours:
            raise ValueError("interactions have no attributes; leave them out")
        if self.separator == "":
            raise ValueError("separator is empty; give a character, or leave it out")
        return self


class InteractionsSettings(TableSettings):
    """File and columns of interactions."""

    table = INTERACTIONS
    required = (USER, ITEM, BEHAVIOUR, TIMESTAMP)
    strict = True


class ItemsSettings(TableSettings):
    """File and columns of items."""

    table = ITEMS
    required = (ITEM,)


class UsersSettings(TableSettings):
    """File and columns of users."""

    table = USERS
    required = (USER,)


def read_table(folder: Path, settings: TableSettings) -> ReadTable:
    """Read one file.

    Raises SourceError naming file and column when one is missing, unreadable, empty or of a type that cannot
    fit; single values that do not parse mark their row instead.
    """
    path = folder / settings.file
    form = file_format(path, settings.format)
    _check_file(path)
    if not (form == "jsonl" and may_hold_surrogates(path)):
        try:
            return _read(open_quickly(path, form, quoted=settings.quoted), path, settings)
        except UNREADABLE as error:
            if form == "parquet":
                cause = str(error).splitlines()[0]
                raise SourceError(f"{path} is not a readable Parquet file ({cause}); write it again") from None
    return _read(open_patiently(path, form, quoted=settings.quoted), path, settings)


def event_ids(rows: pl.DataFrame) -> pl.Series:
    """An id for each interaction from its user, item, behaviour, time, value and text: equal rows, equal ids.

    72 bits of BLAKE2b as twelve URL-safe characters.
    """
    bits = pl.Series(VALUE, rows[VALUE].to_numpy().astype(np.float64).view(np.int64))  # exact, however floats print
    value = pl.when(pl.col(VALUE).is_not_null()).then(bits.cast(pl.String))
    time = pl.col(TIMESTAMP).dt.epoch("us").cast(pl.String)
    parts = [pl.col(USER), pl.col(ITEM), pl.col(BEHAVIOUR), time, value, pl.col(TEXT)]
    keys = rows.select(pl.concat_str([part.fill_null("\0") for part in parts], separator="\x1f")).to_series()
    slices = (keys.slice(start, 1_000_000) for start in range(0, max(len(keys), 1), 1_000_000))
    return pl.concat([pl.Series(EVENT, [_digest(key) for key in part], pl.String) for part in slices])


def _digest(key: str) -> str:
    return base64.urlsafe_b64encode(hashlib.blake2b(key.encode(), digest_size=9).digest()).decode()


def _check_file(path: Path) -> None:
    if path.is_file() and path.stat().st_size:
        return
    if path.is_file():
        raise SourceError(f"{path} is empty (0 bytes); give a file with at least one row")
    there = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    found = "is a folder, not a file" if path.is_dir() else "does not exist"
    raise SourceError(f"{path} {found}; correct `file` in params.yaml: the folder holds {_listed(there)}")


def _read(raw: RawFile, path: Path, settings: TableSettings) -> ReadTable:
    given = _given_columns(raw, path, settings)
    values, faults = [], {}
    for name, dtype in settings.table.items():
        if name not in given:
            values.append(pl.lit([] if dtype.is_nested() else None, dtype).alias(name))
            continue
        try:
            value = parse(*given[name], dtype, settings.time_unit, settings.separator)
        except WrongType as error:
            theirs = (settings.columns or {}).get(name, name)
            raise SourceError(f"{path}: column '{theirs}', mapped to {name}, {error}; map another column") from None
        if dtype.is_numeric():
            faults[f"{name} is NaN or infinite"] = value.is_not_null() & ~value.is_finite()
        if dtype.is_numeric() or dtype.is_temporal():
            wanted = "a number" if dtype.is_numeric() else f"a time (time_unit: {settings.time_unit})"
            faults[f"{name} is not {wanted}"] = value.is_null() & text(*given[name]).is_not_null()
            value = pl.when(value.is_finite()).then(value) if dtype.is_numeric() else value
        values.append(value.cast(dtype).alias(name))
    if settings.attributes:
        values[-1] = pairs({name: given[f"attribute {name}"] for name in settings.attributes}).alias(ATTRIBUTES)
    marks = [mark.alias(f"{FAULT}{reason}") for reason, mark in faults.items()]
    numbered = pl.col(ROW_NUMBER).cast(pl.Int64).alias(ROW)
    rows = raw.rows.select(numbered, *values, FAULT, *marks).collect(engine="streaming")
    if rows.is_empty():
        raise SourceError(f"{path} has no rows; give a file with at least one, or leave out a table not needed")
    return _marked(raw, path, settings, rows, list(faults))


def _marked(raw: RawFile, path: Path, settings: TableSettings, rows: pl.DataFrame, faults: list[str]) -> ReadTable:
    """Where the table is strict, faults become the rows' reasons, else findings."""
    findings, reasons = list(raw.findings), [pl.col(FAULT)]
    for fault in faults:
        if settings.strict:
            reasons.append(pl.when(f"{FAULT}{fault}").then(pl.lit(fault)))
        elif count := rows[f"{FAULT}{fault}"].sum():
            findings.append(Finding(f"{fault}: left empty", int(count), of=rows.height))
    rows = rows.select(ROW, *settings.table, pl.coalesce(reasons).alias(REASON))
    if EVENT in settings.table:
        rows = rows.with_columns(pl.coalesce(EVENT, event_ids(rows)).alias(EVENT))
    content = pl.struct(printable(name, dtype) for name, dtype in raw.columns.items()).struct.json_encode()
    given = raw.rows.select(pl.col(ROW_NUMBER).cast(pl.Int64).alias(ROW), content.alias("content"))
    return ReadTable(str(path), rows, given, findings)


def _given_columns(raw: RawFile, path: Path, settings: TableSettings) -> dict[str, Given]:
    """The file's column or the constant behind each of our columns, and behind each `attribute NAME`."""
    if any("\0" in name or "\ufffd" in name for name in raw.columns):
        raise SourceError(f"{path} is not UTF-8 text; save it as UTF-8, or set `format` if it is another kind of file")
    columns = settings.columns
    if columns is None:
        columns = {name: name for name in settings.table if name in raw.columns and name not in settings.constants}
    wanted = {**columns, **{f"attribute {name}": theirs for name, theirs in settings.attributes.items()}}
    for name, theirs in wanted.items():
        if theirs not in raw.columns:
            raise SourceError(f"{path}: no column '{theirs}' for {name}; the file has {_listed(raw.columns)}")
    given: dict[str, Given] = {name: (pl.col(theirs), raw.columns[theirs]) for name, theirs in wanted.items()}
    given |= {name: (pl.lit(str(value)), pl.String()) for name, value in settings.constants.items()}
    for name in settings.required:
        if name not in given:
            raise SourceError(
                f"{path}: nothing is mapped to {name}, which is required; name its column under columns or "
                f"give a value under constants; the file has {_listed(raw.columns)}"
            )
    return given


def _listed(names: Iterable[str]) -> str:
    known = [repr(name) for name in names]
    return ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "") or "nothing"
