"""Names of a file's columns, and whether its first line is a header at all."""

import csv
import re
import sys
from pathlib import Path
from typing import Literal

from strata.data.sources.grammar import FileSettings, listed
from strata.data.sources.streams import UNIT
from strata.errors import SourceError

LOOKED_AT = 20
"""Rows below the header whose kinds are compared with it."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?")
_DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?")
_DELIMITERS = ("::", ";", "\t", "|", ",")


def separator(settings: FileSettings) -> str:
    """What stands between columns once the file is plain."""
    return settings.between if len(settings.between.encode()) == 1 else UNIT


def first_records(plain: Path, settings: FileSettings, rows: int = LOOKED_AT) -> list[list[str]]:
    """The first records of a plain file, its header among them; bytes that are not valid text as U+FFFD."""
    longest = csv.field_size_limit(sys.maxsize)
    try:
        with plain.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=separator(settings), quoting=quoting(settings))
            return [cells for cells, _ in zip(filter(any, reader), range(rows + 1), strict=False)]
    except csv.Error:
        return []  # what is wrong with the file is said where its rows are read
    finally:
        csv.field_size_limit(longest)


def quoting(settings: FileSettings) -> Literal[0, 3]:
    """As the csv module has it."""
    return 0 if settings.quoted else 3  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE


def column_names(path: Path, records: list[list[str]], settings: FileSettings) -> list[str]:
    """Names of the columns of `records`, the first of which may be a header; columns without a name get one.

    Raises SourceError for a name that stands there twice, a first line that looks like data, and too few names.
    """
    first = records[0] if records else []
    if isinstance(settings.header, list):
        if len(settings.header) < len(first):
            raise SourceError(f"{path}: `header` has {len(settings.header)} names, the file {len(first)} columns")
        _unique(path, settings.header)
        return settings.header
    if settings.header is False:
        return [str(position) for position in range(1, len(first) + 1)]
    if "\0" in "".join(first):
        kind = settings.encoding or "UTF-8"
        raise SourceError(f"{path} is not {kind} text; set `encoding`, or `format` if it is another kind of file")
    names = [name or f"(column {position})" for position, name in enumerate(first, start=1)]
    _unique(path, names)
    if settings.header is None and _is_data(first, records[1:]):
        raise SourceError(
            f"{path}: the first line looks like data, not like names of columns: {listed(first)}; "
            "set `header` to false (columns are then called 1, 2, 3), to a list of names, or to true if these are names"
        )
    return names


def other_delimiter(names: list[str]) -> str:
    """A hint, where all the names are one that holds what separates columns elsewhere."""
    found = [mark for mark in _DELIMITERS if len(names) == 1 and mark in names[0]]
    return f"; its columns look divided by {found[0]!r}: set `delimiter`" if found else ""


def _unique(path: Path, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            places = " and ".join(str(place) for place, other in enumerate(names, start=1) if other == name)
            raise SourceError(
                f"{path}: the name {name!r} stands at columns {places}; rename one, or skip the header "
                "(`skip_lines: 1`) and name all columns in `header`"
            )


def _is_data(first: list[str], below: list[list[str]]) -> bool:
    """Whether cells are numbers or days where those below are too, and no cell is of another kind."""
    kinds = [_kind(cell) for cell in first]
    if not below or not any(kinds):
        return False
    return all(len(row) == len(first) and [_kind(cell) or "" for cell in row] == kinds for row in below)


def _kind(cell: str) -> str:
    text = cell.strip()
    return "number" if _NUMBER.fullmatch(text) else "day" if _DAY.fullmatch(text) else ""
