"""Any CSV, TSV, Parquet or JSONL file as a lazy frame of values as given, rows numbered, no line lost."""

import csv
import json
import mmap
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from strata.data.sources.finding import Finding
from strata.errors import SourceError

Format = Literal["csv", "tsv", "parquet", "jsonl"]
ENDINGS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
ROW_NUMBER, FAULT, REST = "\x1frow", "\x1ffault", "(rest of the line)"
"""Columns added to those of the file; no file has the first two names by accident."""

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class RawFile:
    """`rows`: ROW_NUMBER, FAULT (null, or why the line cannot be read) and the file's columns.

    CSV, TSV and JSONL give strings (JSON lists and objects as JSON), Parquet its own types.
    """

    rows: pl.LazyFrame
    columns: dict[str, pl.DataType]
    findings: list[Finding] = field(default_factory=list)


def file_format(path: Path, stated: Format | None) -> Format:
    """The stated format, else the one of the ending. Raises SourceError for an unknown ending."""
    found = stated or ENDINGS.get(path.suffix.lower())
    if found is None:
        raise SourceError(
            f"{path}: the ending '{path.suffix}' names no format; set `format` to csv, tsv, parquet or jsonl"
        )
    return found


def open_quickly(path: Path, form: Format, *, quoted: bool) -> RawFile:
    """Scan with polars, which refuses malformed lines and bytes only when the rows are collected."""
    if form == "parquet":
        scan = pl.scan_parquet(path, glob=False)
    elif form == "jsonl":
        scan = pl.scan_ndjson(path, schema=dict.fromkeys(_json_keys(path), pl.String))
    else:
        quote = '"' if quoted else None
        scan = pl.scan_csv(path, separator=_separator(form), quote_char=quote, infer_schema=False, glob=False)
    columns = dict(scan.collect_schema())
    if form in ("csv", "tsv"):
        scan = scan.filter(~pl.all_horizontal(pl.all().is_null()))  # a blank line is no row
    rows = scan.with_row_index(ROW_NUMBER, offset=1)
    return RawFile(rows.with_columns(pl.lit(None, pl.String).alias(FAULT)), columns)


def open_patiently(path: Path, form: Format, *, quoted: bool) -> RawFile:
    """Read line by line what polars refused: a bad line becomes a row with its fault, bad bytes U+FFFD."""
    lines = _json_lines(path) if form == "jsonl" else _csv_lines(path, _separator(form), quoted)
    columns: dict[str, list[str | None]] = {}
    numbers: list[int] = []
    faults: list[str | None] = []
    replaced = 0
    for number, (record, fault) in enumerate(lines, start=1):
        replaced += any(value is not None and _SURROGATE.search(value) is not None for value in record.values())
        for name in record:
            if name not in columns:
                columns[name] = [None] * len(numbers)
        for name, values in columns.items():
            values.append(_valid(record.get(name)))
        numbers.append(number)
        faults.append(fault)
    if form == "jsonl" and all(faults):
        raise SourceError(f"{path}: no line is a JSON object; write one object a line, without an array around")
    frame = pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in columns.items()})
    added = [pl.Series(ROW_NUMBER, numbers, pl.UInt32), pl.Series(FAULT, faults, pl.String)]
    damaged = "rows with bytes that are not valid text, replaced by U+FFFD"
    findings = [Finding(damaged, replaced, of=len(numbers))] if replaced else []
    return RawFile(frame.with_columns(added).lazy(), dict(frame.schema), findings)


def may_hold_surrogates(path: Path) -> bool:
    """Whether a JSONL file holds escaped surrogates (half characters); polars joins lone ones wrongly."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _ESCAPED_SURROGATE.search(content) is not None


def _separator(form: Format) -> str:
    return "\t" if form == "tsv" else ","


def _json_keys(path: Path) -> list[str]:
    """All keys of the file: a key may turn up for the first time in the last line."""
    return list(pl.scan_ndjson(path, infer_schema_length=None).collect_schema())


def _csv_lines(path: Path, separator: str, quoted: bool) -> Iterator[tuple[dict[str, str | None], str | None]]:
    quoting: Literal[0, 3] = 0 if quoted else 3  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
    longest = csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, delimiter=separator, quoting=quoting, strict=True)
            header = [_valid(name) or "" for name in next(reader, [])]
            for cells in filter(any, reader):
                record: dict[str, str | None] = {n: cell or None for n, cell in zip(header, cells, strict=False)}
                if rest := cells[len(header) :]:
                    record[REST] = json.dumps([_valid(cell) for cell in rest], ensure_ascii=False)
                yield record, "the line has more fields than the header" if rest else None
    except csv.Error as error:
        raise SourceError(
            f"{path}: line {reader.line_num}: a quotation mark is not closed or out of place ({error}); "
            'double the marks that belong to the text, or set `quoted: false` if " means nothing in this file'
        ) from None
    finally:
        csv.field_size_limit(longest)


def _json_lines(path: Path) -> Iterator[tuple[dict[str, str | None], str | None]]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for line in filter(str.strip, file):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                yield {str(_valid(key)): _as_text(value) for key, value in record.items()}, None
            else:
                yield {REST: line.strip()}, "the line is not a JSON object"


def _as_text(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # as polars writes it
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _valid(value: str | None) -> str | None:
    """Replace surrogates, which UTF-8 cannot hold."""
    return value if value is None else _SURROGATE.sub("\ufffd", value)
