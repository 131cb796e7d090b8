"""Text files of any encoding and packing as plain UTF-8 files that polars scans, in bounded memory."""

import atexit
import bz2
import fnmatch
import gzip
import io
import itertools
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from strata.data.sources.grammar import DELIMITED, PACKED, FileSettings, listed
from strata.data.sources.objects import alone, records_in, rows
from strata.errors import SourceError

LINES = 1 << 22
"""Characters of whole lines that are held at once."""
UNIT = "\x1f"
"""Stands between columns where the file's own delimiter is longer than what polars takes."""
MARKS = (b"\xff\xfe", b"\xfe\xff")
"""What UTF-16 begins with."""
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, pa.ArrowException)


def as_plain(path: Path, settings: FileSettings, first: int | None = None) -> Path:
    """The file as polars and the csv module read it: UTF-8, one-byte delimiter, an object a line where it is JSON.

    The file itself where it is so already; else a copy that lasts as long as the process. `first`: no more than so many
    rows. Raises SourceError when it cannot be unpacked or decoded.
    """
    delimited = settings.form in DELIMITED
    with opened(path, settings) as start:
        head = start.read(6)
    if head[:2] in MARKS and settings.encoding is None:
        raise SourceError(f"{path} is not UTF-8 text: it begins as UTF-16 does; set `encoding: utf-16`")
    listed_json = not delimited and (settings.records is not None or _begins_array(path, settings))
    odd = delimited and (
        settings.skip_lines or settings.comment or settings.escape or len(settings.between.encode()) > 1
    )
    odd = odd or head.startswith(b"\xef\xbb\xbf\xef\xbb\xbf")
    packed = path.suffix.lower() in PACKED
    if not (packed or settings.encoding or odd or listed_json or first is not None):
        return path
    copy = _folder() / f"{next(_numbers())}-{path.name}.txt"
    try:
        with (
            _text(path, settings) as text,
            copy.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
        ):
            pieces = _lines(text, settings) if delimited else text
            pieces = rows(path, text, settings.records) if listed_json else pieces
            out.writelines(pieces if first is None else _first(pieces, first + 1, settings))
    except _UNREADABLE as error:
        raise SourceError(f"{path} cannot be unpacked ({error}); fetch or pack it again") from None
    except UnicodeError as error:
        raise SourceError(f"{path} is not {settings.encoding} text ({error}); correct `encoding`") from None
    return copy


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="strata-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _numbers() -> Iterator[int]:
    return itertools.count()


@contextmanager
def opened(path: Path, settings: FileSettings) -> Iterator[Any]:
    """The bytes of a file without what they are packed in."""
    try:
        match path.suffix.lower():
            case ".gz":
                with gzip.open(path) as file:
                    yield file
            case ".bz2":
                with bz2.open(path) as file:
                    yield file
            case ".zst":
                with pa.input_stream(str(path), compression="zstd") as file:
                    yield file
            case ".zip":
                with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive, settings)) as file:
                    yield file
            case _:
                with path.open("rb") as file:
                    yield file
    except _UNREADABLE as error:
        raise SourceError(f"{path} cannot be unpacked ({error}); fetch or pack it again") from None


def _member(path: Path, archive: zipfile.ZipFile, settings: FileSettings) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
    found = [name for name in names if fnmatch.fnmatch(name, settings.member or "*")]
    if len(found) != 1:
        raise SourceError(f"{path}: {len(found)} of its files fit; set `member` to one of {listed(names)}")
    return found[0]


@contextmanager
def _text(path: Path, settings: FileSettings) -> Iterator[TextIO]:
    with opened(path, settings) as raw:
        # Damaged UTF-8 goes through as it is; in other encodings it becomes U+FFFD. Both are counted where it is read.
        encoding, errors = (settings.encoding, "replace") if settings.encoding else ("utf-8", "surrogateescape")
        with io.TextIOWrapper(raw, encoding, errors, newline="") as text:
            yield text


def _lines(text: TextIO, settings: FileSettings) -> Iterator[str]:
    """Lines with the delimiter and escapes that polars knows, without marks, comments and lines to skip."""
    above = True
    for lines in iter(lambda: text.readlines(LINES), []):
        if above:
            lines[0] = lines[0].lstrip("\ufeff")
            del lines[: settings.skip_lines]
            above = False
        if settings.comment:
            lines = [line for line in lines if not line.startswith(settings.comment)]
        if settings.escape:
            escaped = re.compile(re.escape(settings.escape) + "(.)")
            lines = [escaped.sub(lambda found: '""' if found[1] == '"' else found[1], line) for line in lines]
        if len(settings.between.encode()) > 1:
            lines = [line.replace(settings.between, UNIT) for line in lines]
        yield from lines


def _first(pieces: Iterator[str] | TextIO, rows: int, settings: FileSettings) -> Iterator[str]:
    """So many lines, and those until a quotation mark that is open is closed."""
    marks = 0
    for number, piece in enumerate(pieces, start=1):
        yield piece
        marks += piece.count('"') if settings.quoted and settings.form in DELIMITED else 0
        if (number >= rows and marks % 2 == 0) or number >= rows + 1_000:
            return


def _begins_array(path: Path, settings: FileSettings) -> bool:
    with _text(path, settings) as text:
        return text.read(1 << 12).lstrip("\ufeff \t\r\n").startswith("[")


def records_of(path: Path, settings: FileSettings) -> str | None:
    """Of a file that is one JSON object: where in it an array of objects stands, as `records` says it; else null."""
    with _text(path, settings) as text:
        if not alone(text):
            return None
    with _text(path, settings) as text:  # again: packed streams do not all go back
        return records_in(path, text)
