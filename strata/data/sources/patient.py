"""Reads text files line by line where polars refuses them: no line is lost, a bad one keeps its fault."""

import ast
import csv
import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from strata.data.sources.grammar import FileSettings
from strata.data.sources.headers import column_names, first_records, quoting, separator
from strata.data.sources.streams import UNIT, records_of
from strata.errors import SourceError

FAULT, REST = "\x1ffault", "(rest of the line)"
"""Columns added to those of the file: why a line cannot be read, and what of it has no column."""
BATCH = 50_000
"""Lines held as Python objects at once."""

_SURROGATE = re.compile("[\ud800-\udfff]")
Record = dict[str, str | None]
Lines = Iterator[tuple[Record, str | None]]
"""Cells by column, and the line's fault."""


def read_text(path: Path, plain: Path, settings: FileSettings) -> pl.DataFrame:
    """Strings of a delimited file and FAULT; bytes that are not valid text become U+FFFD.

    Raises SourceError for a quotation mark that is not closed, which would swallow the rest of the file.
    """
    names = column_names(path, first_records(plain, settings), settings)
    return _frame(_csv_lines(path, plain, names, settings), names)


def read_json(path: Path, plain: Path, settings: FileSettings) -> pl.DataFrame:
    """Strings of a file of objects, one a line as JSON or as Python writes them, and FAULT.

    Raises SourceError when no line is one.
    """
    frame = _frame(_json_lines(plain), [])
    if frame.height and frame[FAULT].null_count() == 0:
        records = records_of(path, settings)
        mends = "write one object a line, or an array of objects" if records is None else f"set `records: {records}`"
        raise SourceError(f"{path}: no line is a JSON object; {mends}")
    return frame


def _frame(lines: Lines, names: list[str]) -> pl.DataFrame:
    frames = [pl.DataFrame(schema=dict.fromkeys([*names, FAULT], pl.String))]
    columns: dict[str, list[str | None]] = {}
    faults: list[str | None] = []
    height = 0
    for record, fault in lines:
        columns |= {name: [None] * height for name in record if name not in columns}
        for name, values in columns.items():
            values.append(_valid(record.get(name)))
        faults.append(fault)
        height += 1
        if height == BATCH:
            frames.append(_batch(columns, faults))
            columns, faults, height = {}, [], 0
    frames.append(_batch(columns, faults))
    return pl.concat(frames, how="diagonal")


def _batch(columns: dict[str, list[str | None]], faults: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({**columns, FAULT: faults}, schema=dict.fromkeys([*columns, FAULT], pl.String))


def _csv_lines(path: Path, plain: Path, names: list[str], settings: FileSettings) -> Lines:
    longest = csv.field_size_limit(sys.maxsize)
    try:
        with plain.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, delimiter=separator(settings), quoting=quoting(settings), strict=True)
            records = filter(any, reader)
            if settings.header in (None, True):
                next(records, None)
            for cells in records:
                if separator(settings) == UNIT:
                    cells = [cell.replace(UNIT, settings.between) for cell in cells]
                record: Record = {name: cell or None for name, cell in zip(names, cells, strict=False)}
                if rest := cells[len(names) :]:
                    record[REST] = json.dumps([_valid(cell) for cell in rest], ensure_ascii=False)
                yield record, "the line has more fields than the header" if rest else None
    except csv.Error as error:
        raise SourceError(
            f"{path}: line {reader.line_num}: a quotation mark is not closed or out of place ({error}); "
            "double the marks that belong to the text, name what stands before them in `escape`, or set "
            '`quoted: false` if " means nothing in this file'
        ) from None
    finally:
        csv.field_size_limit(longest)


def _json_lines(plain: Path) -> Lines:
    with plain.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for line in filter(str.strip, file):
            record = _object(line.strip())
            if isinstance(record, dict):
                yield {str(_valid(str(key))): _as_text(value) for key, value in record.items()}, None
            else:
                yield {REST: line.strip()}, "the line is not a JSON object"


def _object(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        if not line.startswith("{"):
            return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in their texts
        try:
            return ast.literal_eval(line)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None


def _as_text(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # as polars writes it
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _valid(value: str | None) -> str | None:
    """Replace surrogates, which UTF-8 cannot hold."""
    return value if value is None else _SURROGATE.sub("\ufffd", value)
