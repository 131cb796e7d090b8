"""What was taken from a database: Parquet files and a record of what was asked, so that DVC can fix the version.

A database changes under its readers. `take` copies its tables once into the source's folder; the pipeline reads these
files alone. The same rows give the same files, byte for byte, so nothing runs again when nothing changed.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from strata.data.sources.databases.connections import Connection, clear_errors, connected
from strata.data.sources.finding import Finding
from strata.data.sources.origin import Origin
from strata.errors import SettingsError, SourceError
from strata.storage import read_json, replacing, write_json

RECORD: Final = "snapshot.json"
REPEATED_NAMES: Final = "rows that repeat the column names: left out"
Told = Callable[[str, int], None]
"""Called with a table's name and its rows so far."""


@dataclass(frozen=True)
class Taken:
    """A table as it was taken: its file, rows, columns with their types, and whether it is other than before."""

    name: str
    file: Path
    rows: int
    columns: dict[str, str]
    findings: list[Finding]
    changed: bool


def take(
    folder: Path, database: str | None, origins: Mapping[str, Origin | None], told: Told = lambda *_: None
) -> list[Taken]:
    """Copy the tables of `origins` that the database holds into `folder`, whole or not at all, with bounded memory.

    Raises SettingsError where no database or no table of one is named, and SourceError, without passwords, when the
    database cannot be reached or refuses, a table is empty, or a file would be overwritten that no snapshot wrote.
    """
    asked = {name: origin for name, origin in origins.items() if origin is not None and origin.asked}
    if database is None or not asked:
        raise SettingsError("source: nothing to take; set source.database, and `table` or `query` of its tables")
    before = _record(folder) if (folder / RECORD).exists() else {}
    for name in asked:
        if (folder / f"{name}.parquet").exists() and name not in before.get("tables", {}):
            raise SourceError(
                f"{folder / name}.parquet is from no snapshot; move it, or set source.folder to a new one"
            )
    with _beside(folder) as parts, connected(database) as connection:
        records = {}
        for name, origin in asked.items():
            with clear_errors(database, f"source.{name}"):
                records[name] = _copy(connection, origin, parts / name, partial(told, name))
        for name in asked:
            (parts / name / "whole.parquet").replace(folder / f"{name}.parquet")
    record = {"database": database, "tables": records}
    known = {key: value for key, value in before.items() if key != "taken_at"}
    if record != known:  # else the folder stays as it is, byte for byte
        write_json({**record, "taken_at": datetime.now(UTC).isoformat(timespec="seconds")}, folder / RECORD)
    old = before.get("tables", {})
    return [
        Taken(
            name, folder / f"{name}.parquet", each["rows"], each["columns"], _findings(each), each != old.get(name)
        )
        for name, each in records.items()
    ]  # fmt: skip


def snapshot_of(folder: Path, database: str | None, name: str, origin: Origin) -> list[Finding]:
    """What was found when table `name` was taken into `folder`.

    Raises SettingsError without a database, and SourceError unless the snapshot is of what is asked now.
    """
    if database is None:
        raise SettingsError(f"source.{name}: `table` and `query` ask a database; set source.database to its URL")
    record = _record(folder)
    of_table = record.get("tables", {}).get(name, {})
    if record.get("database") != database or of_table.get("asked") != origin.asked:
        raise SourceError(
            f"{folder / RECORD} is of another database or query than source.{name} names now; "
            "take a new snapshot: strata data pull"
        )
    return _findings(of_table)


def _record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    if not path.exists():
        raise SourceError(f"{path} is missing: nothing was taken from the database yet; take it: strata data pull")
    record: dict[str, Any] = read_json(path)
    return record


def _findings(record: Mapping[str, Any]) -> list[Finding]:
    return [Finding(**facts) for facts in record.get("findings", ())]


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder for parts, gone afterwards."""
    parts = folder.with_name(f".{folder.name}.pull")
    shutil.rmtree(parts, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    parts.mkdir()
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _copy(connection: Connection, origin: Origin, folder: Path, told: Callable[[int], None]) -> dict[str, Any]:
    """Write the rows of one table to `whole.parquet` in `folder`; what the record says of it."""
    query = origin.query if origin.from_table is None else connection.all_of(origin.from_table)
    assert query is not None
    folder.mkdir()
    schemas, rows, repeated = [], 0, 0
    for number, frame in enumerate(connection.frames(query)):
        kept = frame.filter(~repeats_names(frame))
        kept.write_parquet(folder / f"{number:06}.parquet")
        schemas.append(kept.schema)
        rows, repeated = rows + kept.height, repeated + frame.height - kept.height
        told(rows)
    if not rows:
        raise SourceError(f"{origin.asked} gives no rows; correct it, or leave the table out")
    columns = {column: common_type([schema[column] for schema in schemas]) for column in schemas[0]}
    cast = [pl.col(column).cast(dtype) for column, dtype in columns.items()]
    parts = [pl.scan_parquet(path).select(cast) for path in sorted(folder.glob("*.parquet"))]
    whole = folder / "whole.parquet"
    with replacing(whole) as temporary:
        pl.concat(parts).sink_parquet(temporary, compression="zstd")
    findings = [Finding(REPEATED_NAMES, repeated, of=rows + repeated)] if repeated else []
    return {
        "asked": origin.asked,
        "rows": rows,
        "columns": {column: str(dtype) for column, dtype in columns.items()},
        "sha256": _digest(whole),
        "findings": [finding.facts() for finding in findings],
    }


def repeats_names(frame: pl.DataFrame) -> pl.Expr:
    """Whether a row is a file's header that was loaded as data."""
    if not frame.width or any(dtype != pl.String for dtype in frame.dtypes):
        return pl.lit(value=False)
    return pl.all_horizontal(
        pl.col(name).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "") == re.sub(r"[\W_]", "", name.lower())
        for name in frame.columns
    ).fill_null(value=False)


def common_type(dtypes: list[pl.DataType]) -> pl.DataType:
    """The type that holds the values of all parts: text where they have nothing else in common."""
    kinds = [dtype for dtype in dict.fromkeys(dtypes) if dtype != pl.Null]
    if len(kinds) == 1:
        return kinds[0]
    return pl.Float64() if kinds and all(kind in (pl.Int64, pl.Float64) for kind in kinds) else pl.String()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
