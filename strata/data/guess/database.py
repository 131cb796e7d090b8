"""Looks into a database as into files: a sample of each table's beginning, middle and end, or of a query."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

import polars as pl

from strata.data.guess.joins import Join, joins
from strata.data.guess.sample import Sample, sampled
from strata.data.sources.databases import url
from strata.data.sources.databases.connections import Connection, clear_errors, connected
from strata.data.sources.databases.snapshot import common_type, repeats_names
from strata.errors import SettingsError, SourceError

ROWS = 10_000
"""Rows of one of the three parts that are read of a larger table."""
_URL = re.compile(r"[a-z][a-z0-9+]*://", re.IGNORECASE)
_QUERY = re.compile(r"\s*(select|with|from|values)\s", re.IGNORECASE)
_FILES = {"sqlite": (0, b"SQLite format 3\0"), "duckdb": (8, b"DUCK")}
"""Databases that are one file, where their mark stands in it, and that mark."""


def database(given: str) -> str | None:
    """The URL of a database, or of one that is a file; null for other files and for folders.

    Raises SettingsError, which never shows it, for a URL that holds a password or is none.
    """
    if _URL.match(given):
        try:
            return url.checked(given)
        except ValueError as error:
            raise SettingsError(f"{error}; with '' around the URL, so that the shell leaves ${{NAME}} alone") from None
    path = Path(given)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(16)
    kinds = [kind for kind, (start, mark) in _FILES.items() if head[start:].startswith(mark)]
    return f"{kinds[0]}:///{path}" if kinds else None


def name_of(database: str) -> str:
    """What to call the data of a database; nothing that the environment holds."""
    said = Path(re.split(r"[?#]", _URL.sub("", database))[0]).stem
    return "database" if url.PLACEHOLDER.search(said) or said in ("", ":memory:") else said


def samples(database: str, chosen: Mapping[str, str]) -> tuple[list[Sample], dict[str, str]]:
    """Samples of the tables of a database, and of tables that say together who did what; other tables with a reason.

    `chosen`: our table → a table or query that a person named; where interactions and items are, no other is looked at.
    Raises SourceError, without passwords, when the database cannot be reached, or lacks or refuses what is named.
    """
    named = list(chosen.values())
    looked, unused = [], {}
    with connected(database) as connection:
        others = [] if {"interactions", "items"} <= chosen.keys() else connection.tables()
    waiting = list(dict.fromkeys([*named, *others]))
    while waiting:
        with connected(database) as connection:  # after a refusal, some take nothing more in the same transaction
            for asked in iter(lambda: waiting.pop(0) if waiting else None, None):
                try:
                    with clear_errors(database, asked):
                        sample = _sample(connection, asked)
                except SourceError as error:
                    if asked in named:
                        raise
                    unused[asked] = str(error)
                    break
                looked += [sample] if sample else []
                unused |= {} if sample else {asked: "it has no rows"}
    if "interactions" not in chosen:
        with connected(database) as connection:
            looked += [each for join in joins(looked) if (each := _joined(connection, join)) is not None]
    return looked, unused


def _sample(connection: Connection, asked: str) -> Sample | None:
    """Of a table or of the rows of a query; null where there are none."""
    if _QUERY.match(asked):
        return _of("query", asked, "query", _beginning(connection, asked))
    query, parts = connection.all_of(asked), connection.parts(asked)
    rows = int(_beginning(connection, f"SELECT count(*) AS n FROM {connection.quoted(*parts)}")[0].item())
    frames = _beginning(connection, query)
    with suppress(SourceError):  # of a database that skips rows in other words: the beginning is enough
        for start in ((rows - ROWS) // 2, rows - ROWS) if rows > 3 * ROWS else (ROWS, 2 * ROWS):
            if start < rows:
                frames += connection.frames(f"{query} LIMIT {ROWS} OFFSET {start}", ROWS)
    return _of("table", asked, parts[-1], frames, rows)


def _joined(connection: Connection, join: Join) -> Sample | None:
    query = join.query(connection)
    sample = _of("query", query, join.lines.path.name, _beginning(connection, query))
    return sample and replace(sample, why=join.why, size=join.lines.size)


def _beginning(connection: Connection, query: str) -> list[pl.DataFrame]:
    return list(islice(connection.frames(query, ROWS), 1))


def _of(
    origin: Literal["table", "query"], asked: str, name: str, parts: list[pl.DataFrame], rows: int | None = None
) -> Sample | None:
    columns = {column: common_type([part.schema[column] for part in parts]) for column in parts[0].columns}
    frame = pl.concat([part.select(pl.col(column).cast(dtype) for column, dtype in columns.items()) for part in parts])
    frame = frame.filter(~repeats_names(frame))
    if frame.is_empty():
        return None
    whole = frame.height < ROWS if rows is None else rows <= 3 * ROWS
    size = int(frame.estimated_size()) * max(rows or 0, frame.height) // frame.height
    return sampled(origin, asked, name.replace("/", "_"), frame, size, whole=whole)
