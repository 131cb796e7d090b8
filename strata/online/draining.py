"""Draining: what a journal kept since the last time becomes files of the data set, once, whatever breaks off."""

import fcntl
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq

from strata.data.journal_folder import FOLDER, LIST, SCHEMAS, Erasure, JournalFolder, Kept
from strata.data.schema import BEHAVIOUR, DWELL, EVENT, ITEM, TEXT, TIMESTAMP, USER, VALUE
from strata.errors import SourceError
from strata.interests.correction_file import Correction, append, forget, parsed
from strata.online.changes import as_change
from strata.online.erasures import erased
from strata.online.journal import Journal
from strata.online.records import Kept as KeptRecord
from strata.online.records import Kind
from strata.online.rewriting import without_users
from strata.storage import replacing

PAGE: Final = 20_000
"""Records in memory at once."""
KINDS: Final[Mapping[Kept, tuple[Kind, ...]]] = {
    "events": ("event",), "items": ("item",), "lists": ("shown", "satisfied"),
}  # fmt: skip
DRAINED: Final[tuple[Kind, ...]] = ("event", "item", "correction", "erasure")
"""Kinds that make a new data version; lists that were shown go along with them."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Drained:
    """What became of a journal's records after a place, up to another: rows of each file, lines, tombstones.

    `forgotten`: rows of earlier files that are gone with their users; `again_from`: the place from which records were
    drained again, since this data set lacks what another version has; null where it lacks nothing.
    """

    journal: str
    after: int
    place: int
    events: int
    items: int
    lists: int
    corrections: int
    erasures: int
    forgotten: int
    again_from: int | None = None


def drain(journal: Journal, source: Path, corrections: Path) -> Drained | None:
    """Write what the journal kept since the data set at `source` has it; None where there is nothing new.

    A break at any point leaves a data set that is whole, and the next call makes up for it. `corrections`: the file
    that corrections go into. Once the result is safe, `journal.drain(place)` lets the journal know. Memory holds a page
    of records, and the tombstones. Raises StoreUnavailable, SourceError.
    """
    if not source.is_dir():
        raise SourceError(f"{source} is no folder; correct source.folder in params.yaml, or fetch the data first")
    with _alone(source):
        facts, there = journal.facts(), JournalFolder.read(source)
        after = 0 if there is None else there.places.get(facts.name, 0)
        last = max(journal.last_of_kind(kind) for kind in DRAINED)
        if last <= after:
            return None
        folder = JournalFolder.made(source, facts.name)
        _clear(folder)
        tombstones = [_erasure(kept, facts.name) for kept in records(journal, ["erasure"], after, last)]
        folder.bury(tombstones)
        gone = {each.user: each.place for each in tombstones}
        forgotten = without_users(folder, gone, facts.name)
        rows = {
            kind: _write(folder.file(kind, facts.name, after + 1, last), kind, journal, after, last, gone)
            for kind in KINDS
        }
        lines = _correct(journal, after, last, gone, corrections)
        JournalFolder(folder.path, {**folder.places, facts.name: last}).settle()
        again = after if facts.drained > after else None
        return Drained(facts.name, after, last, **rows, corrections=lines, erasures=len(tombstones),
                       forgotten=forgotten, again_from=again)  # fmt: skip


def place_of(journal: Journal, source: Path) -> int:
    """The place up to which a data set has the journal's records."""
    folder = JournalFolder.read(source)
    return 0 if folder is None else folder.places.get(journal.facts().name, 0)


def _clear(folder: JournalFolder) -> None:
    """Remove what an interrupted drain left: it is written anew, by what the journal has now."""
    for file in folder.files(settled=False):
        file.path.unlink()
    for path in folder.path.glob(".*.tmp"):
        path.unlink()


def records(journal: Journal, kinds: Collection[Kind], after: int, last: int) -> Iterator[KeptRecord]:
    """The records of some kinds after a place up to another, in order, a page of them in memory at once."""
    while page := journal.of_kind(kinds, after, PAGE):
        yield from (kept for kept in page if kept.place <= last)
        after = page[-1].place
        if after >= last:
            return


def _erasure(kept: KeptRecord, journal: str) -> Erasure:
    return Erasure(journal, kept.record.id, kept.place, kept.record.at)


def _write(path: Path, kind: Kept, journal: Journal, after: int, last: int, gone: Mapping[str, int]) -> int:
    """Write the records of a kind as a Parquet file; none are no file. Returns how many."""
    name = journal.facts().name
    wanted = (
        kept
        for kept in records(journal, KINDS[kind], after, last)
        # Read before its user was forgotten, perhaps.
        if kept.record.user_id is None or kept.place > gone.get(erased(kept.record.user_id, name), 0)
    )
    frames = (pl.DataFrame([ROWS[kind](kept) for kept in page], SCHEMAS[kind]) for page in _pages(wanted))
    first, rows = next(frames, None), 0
    if first is None:
        return 0
    schema = first.to_arrow().schema
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for frame in chain([first], frames):
            writer.write_table(frame.to_arrow())
            rows += frame.height
    return rows


def _pages(kept_records: Iterator[KeptRecord]) -> Iterator[list[KeptRecord]]:
    page: list[KeptRecord] = []
    for kept in kept_records:
        page.append(kept)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _event(kept: KeptRecord) -> Row:
    record = kept.record
    body = record.body
    numbers = {name: None if body.get(name) is None else float(body[name]) for name in (VALUE, DWELL)}
    said = {name: body.get(name) for name in (ITEM, BEHAVIOUR, TEXT, LIST)}
    return {USER: record.user_id, TIMESTAMP: _time(record.at), EVENT: record.id, "place": kept.place, **said, **numbers}


def _list(kept: KeptRecord) -> Row:
    record = kept.record
    return {"kind": record.kind, "id": record.id, USER: record.user_id, "at": _time(record.at), "body": record.text,
            "place": kept.place}  # fmt: skip


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


ROWS: Final[Mapping[Kept, Callable[[KeptRecord], Row]]] = {"events": _event, "items": as_change, "lists": _list}


def _correct(journal: Journal, after: int, last: int, gone: Mapping[str, int], path: Path) -> int:
    """Add corrections to their file, each once, and remove those of forgotten users; returns how many are new."""
    name = journal.facts().name
    there = [line for _, line in parsed(path)]
    for user in {line.user_id for line in there} if gone else ():
        if erased(user, name) in gone:
            forget(user, path)
    known = {line.model_dump_json() for _, line in parsed(path)}
    new = 0
    for kept in records(journal, ["correction"], after, last):
        line = Correction.model_validate_json(kept.record.text)
        if (said := line.model_dump_json()) not in known:
            append(line, path)
            known.add(said)
            new += 1
    return new


@contextmanager
def _alone(source: Path) -> Iterator[None]:
    """One process drains into a data set at a time; what it wrote is on the disk afterwards, names too."""
    with _opened(source) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
        if (source / FOLDER).exists():
            with _opened(source / FOLDER) as inner:
                os.fsync(inner)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
