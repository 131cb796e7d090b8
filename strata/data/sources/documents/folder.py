"""The documents of a folder as one frame, in the order of their paths, with all that was guessed."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl
from rich.console import Console
from rich.progress import track

from strata.data.schema import ATTRIBUTE_MAP, DESCRIPTION, ITEM
from strata.data.sources.documents.fields import Fields, date_in, fields_of
from strata.data.sources.documents.formats import READERS, Document, Note, read_documents
from strata.data.sources.documents.settings import DocumentsSettings
from strata.data.sources.finding import Finding
from strata.data.sources.values import time
from strata.errors import SourceError

BATCH = 10_000
"""Documents held as Python objects at once."""
LISTS = pl.List(pl.String)
SCHEMA: Final = pl.Schema(
    {
        "document": pl.String(),
        "title": pl.String(),
        "authors": LISTS,
        "date": pl.String(),
        "categories": LISTS,
        "tags": LISTS,
        "language": pl.String(),
        "_text": pl.String(),
        "_more": ATTRIBUTE_MAP,
        "_fault": pl.String(),
    }
)
TIME: Final = "_time"
UNDATED: Final = Note("no date: left empty", "name its field in documents.fields, or set documents.undated")
KINDS: Final = ", ".join(READERS)


@dataclass
class Notes:
    """How often each note was made, with its first example."""

    counts: Counter[Note] = field(default_factory=Counter)
    examples: dict[Note, str] = field(default_factory=dict)

    def add(self, note: Note, example: str) -> None:
        """Make one."""
        self.counts[note] += 1
        self.examples.setdefault(note, example)

    def findings(self, of: int) -> list[Finding]:
        """One for each note, of so many documents."""
        counted = sorted(self.counts.items(), key=lambda pair: pair[0].what)
        return [
            Finding(note.what, count, of=of, example=self.examples[note], remedy=note.remedy) for note, count in counted
        ]


def read_folder(
    folder: Path, settings: DocumentsSettings, without: Collection[Path] = ()
) -> tuple[pl.DataFrame, list[Finding]]:
    """One row of SCHEMA, with its time, for each document below `folder`, and what was found; files `without` are none.

    A document that cannot be read has its `_fault`. Raises SourceError where there are none, or a package is missing.
    """
    notes = Notes()
    files = _files(folder, settings, set(without), notes)
    console = Console(stderr=True)
    shown = track(files, f"reading {folder}", console=console, transient=True, disable=not console.is_terminal)
    rows = chain.from_iterable(_rows(path, folder, settings, notes) for path in shown)
    frame = pl.concat([pl.DataFrame(batch, SCHEMA, orient="row") for batch in _batches(rows)], rechunk=True)
    units = dict.fromkeys((settings.time_unit, "iso"))  # dates of PDFs and of names are ISO's, whatever JSON has
    frame = frame.with_columns(pl.coalesce(time(pl.col("date"), pl.String(), unit) for unit in units).alias(TIME))
    note = Note(f"date is not a time (time_unit: {settings.time_unit}): left empty", "set documents.time_unit")
    for value in frame.filter(pl.col("date").is_not_null() & pl.col(TIME).is_null())["date"]:
        notes.add(note, value)
    return frame, notes.findings(frame.height)


def _files(folder: Path, settings: DocumentsSettings, without: Collection[Path], notes: Notes) -> list[Path]:
    below = sorted(folder.glob(settings.pattern), key=lambda path: path.relative_to(folder).as_posix())
    files = [path for path in below if path.is_file() and path not in without]
    documents = []
    for path in files:
        inside = path.relative_to(folder)
        if path.suffix.lower() not in READERS or any(part.startswith(".") for part in inside.parts):
            notes.add(Note("files of other kinds: left out", f"documents are {KINDS}"), inside.as_posix())
        else:
            documents.append(path)
    if not documents:
        raise SourceError(
            f"{folder} holds no document ({KINDS}) by documents.pattern ({settings.pattern}); correct the pattern"
        )
    return documents


def _rows(path: Path, folder: Path, settings: DocumentsSettings, notes: Notes) -> Iterator[list[Any]]:
    for document in read_documents(path, settings.encoding):
        yield _row(document, path, path.relative_to(folder), settings, notes)


def _row(document: Document, path: Path, inside: Path, settings: DocumentsSettings, notes: Notes) -> list[Any]:
    fields = fields_of(document.said, settings.fields)
    listed = document.line is not None
    own_id = fields.id if listed or ITEM in settings.fields else None
    name = own_id or (f"{inside.as_posix()}:{document.line}" if listed else inside.as_posix())
    text = fields.text if listed or DESCRIPTION in settings.fields else document.text
    fault = document.fault or (None if text or fields.title else "the document holds no text")
    if fault is not None:
        return [name, None, [], None, [], [], None, None, [], fault]
    for note in document.notes:
        notes.add(note, name)
    folders = list(inside.parts[:-1])
    return [
        name,
        fields.title or document.heading or (None if listed else _title(path, name, notes)),
        fields.authors or (folders[:1] if settings.folders == "authors" else []),
        _date(fields, path, inside, settings, notes),
        fields.categories or (folders if settings.folders == "categories" else []),
        fields.tags,
        fields.language,
        text,
        [{"key": key, "value": value} for key, value in sorted(fields.more.items())],
        None,
    ]


def _title(path: Path, name: str, notes: Notes) -> str:
    notes.add(Note("no title: the file's name stands for it"), name)
    return " ".join(path.stem.replace("_", " ").replace("-", " ").split())


def _date(fields: Fields, path: Path, inside: Path, settings: DocumentsSettings, notes: Notes) -> str | None:
    if fields.date is not None:
        return fields.date
    if (day := date_in(inside.as_posix())) is not None:
        notes.add(Note("no date: the day in the file's name taken"), inside.as_posix())
        return day
    if settings.undated == "file":
        notes.add(Note("no date: the time of the file taken", "set documents.undated to empty"), inside.as_posix())
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    notes.add(UNDATED, inside.as_posix())
    return None


def _batches(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    batch: list[list[Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
