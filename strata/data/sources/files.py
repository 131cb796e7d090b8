"""Opens any file that settings describe as a lazy frame of values as given, rows numbered, no line lost."""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from strata.data.sources import patient, workbook
from strata.data.sources.finding import Finding
from strata.data.sources.grammar import FileSettings, Format, files
from strata.data.sources.headers import column_names, first_records, separator
from strata.data.sources.patient import FAULT
from strata.data.sources.streams import UNIT, as_plain
from strata.errors import SourceError

ROW_NUMBER = "\x1frow"
"""Column added to those of the file, as FAULT is; no file has these names by accident."""
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What polars raises, once rows are collected, for lines and bytes that it refuses."""

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class RawFile:
    """`rows`: ROW_NUMBER, FAULT (null, or why the line cannot be read) and the file's columns.

    Text files and workbooks give strings (JSON lists and objects as JSON), Parquet its own types.
    """

    rows: pl.LazyFrame
    columns: dict[str, pl.DataType]
    findings: list[Finding] = field(default_factory=list)


def openings(folder: Path, settings: FileSettings, first: int | None = None) -> Iterator[RawFile]:
    """The file, or all files of the pattern as one, opened in one way and, should that be UNREADABLE, in the next.

    First as polars scans it; then, for text, line by line: a bad line becomes a row with its fault, bad bytes U+FFFD.
    `first`: about so many rows of each file, read without the rest. Raises SourceError when it cannot be opened.
    """
    form, paths = settings.form, files(folder, settings)
    if form in ("parquet", "xlsx"):
        yield _as_one(paths, [_table(path, form, settings, first) for path in paths])
        return
    plain = [as_plain(path, settings, first) for path in paths]
    pairs = list(zip(paths, plain, strict=True))
    json_lines = form in ("jsonl", "json")
    if not (json_lines and any(map(_may_hold_surrogates, plain))):
        try:
            scans = [_scan_json(copy) if json_lines else _scan_text(path, copy, settings) for path, copy in pairs]
            yield _as_one(paths, scans)
        except UNREADABLE:
            pass  # what polars refuses is read, or told, by the next way
    rows = patient.read_json if json_lines else patient.read_text
    yield _as_one(paths, [rows(path, copy, settings).lazy() for path, copy in pairs])


def sample(folder: Path, settings: FileSettings, rows: int = 1_000) -> pl.DataFrame:
    """About the first `rows` rows of the file, or of each of several, as given, in the time that takes."""
    fault: Exception | None = None
    for raw in openings(folder, settings, rows):
        try:
            return raw.rows.drop(ROW_NUMBER, FAULT).collect()
        except UNREADABLE as error:
            fault = error
    raise unreadable(folder, settings, fault)


def unreadable(folder: Path, settings: FileSettings, fault: Exception | None) -> SourceError:
    """What to say when no way of opening gave rows."""
    cause = str(fault).splitlines()[0] if str(fault) else "it holds nothing"
    kind = {"parquet": "Parquet file", "xlsx": "workbook"}.get(settings.form, "text file")
    return SourceError(f"{folder / settings.file} is not a readable {kind} ({cause}); write it again")


def _as_one(paths: list[Path], scans: list[pl.LazyFrame]) -> RawFile:
    columns = dict(scans[0].collect_schema())
    for path, scan in zip(paths[1:], scans[1:], strict=True):
        if others := sorted(columns.keys() ^ scan.collect_schema().names()):
            raise SourceError(f"{path} has other columns than {paths[0].name}: {', '.join(others)}; read them apart")
    rows = scans[0] if len(scans) == 1 else pl.concat(scans, how="diagonal_relaxed")
    if FAULT not in columns:
        rows = rows.with_columns(pl.lit(None, pl.String).alias(FAULT))
    if len(scans) > 1:
        columns = dict(rows.collect_schema())
    columns.pop(FAULT, None)
    return RawFile(rows.with_row_index(ROW_NUMBER, offset=1), columns)


def _table(path: Path, form: Format, settings: FileSettings, first: int | None) -> pl.LazyFrame:
    if form == "xlsx":
        return workbook.read(path, settings, first).lazy()
    scan = pl.scan_parquet(path, glob=False)
    try:
        scan.collect_schema()
    except UNREADABLE as error:
        raise unreadable(path.parent, settings, error) from None
    return scan if first is None else scan.head(first)


def _scan_json(plain: Path) -> pl.LazyFrame:
    # All keys of the file: a key may turn up for the first time in the last line.
    keys = pl.scan_ndjson(plain, infer_schema_length=None).collect_schema().names()
    return pl.scan_ndjson(plain, schema=dict.fromkeys(keys, pl.String))


def _scan_text(path: Path, plain: Path, settings: FileSettings) -> pl.LazyFrame:
    names = column_names(path, first_records(plain, settings), settings)
    scan = pl.scan_csv(
        plain,
        separator=separator(settings),
        quote_char='"' if settings.quoted else None,
        infer_schema=False,
        glob=False,
        has_header=settings.header in (None, True),
        new_columns=names,
    )
    scan = scan.filter(~pl.all_horizontal(pl.all().is_null()))  # a blank line is no row
    if separator(settings) == UNIT:  # within quotation marks it stood for itself
        scan = scan.with_columns(pl.all().str.replace_all(UNIT, settings.between, literal=True))
    return scan


def _may_hold_surrogates(path: Path) -> bool:
    """Whether a JSONL file holds escaped surrogates (half characters); polars joins lone ones wrongly."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _ESCAPED_SURROGATE.search(content) is not None
