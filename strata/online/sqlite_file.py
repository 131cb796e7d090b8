"""The journal's SQLite file: made private, opened durable, of a known form; its failures are the journal's errors."""

import errno
import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from strata.errors import StoreFull, StoreUnavailable

VERSION: Final = 1
APPLICATION: Final = 0x53745261
"""Marks the file as a journal of Strata (SQLite's application_id)."""
FULL: Final = 2
"""`synchronous` of a connection whose commits are on the disk when they return."""
UNLIMITED: Final = 0xFFFFFFFE
"""SQLite's own limit on the pages of a file."""
WAL_KEPT: Final = 64 << 20
"""Bytes to which the write-ahead log is cut after a burst."""
WAL_PAGES: Final = 8_000
"""Pages after which the log is brought into the file: batches change the same pages of the indices again and again."""
CACHE: Final = 32 << 10
"""KiB of pages that a connection keeps."""
OPENING: Final = 2.0
"""Seconds for which opening waits for other processes that open it."""
RETRY: Final = 0.0005
"""Seconds between two tries for the lock on writing: SQLite's own waiting grows to 100 ms, a commit takes some 1–5."""
NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

SCHEMA: Final = """
create table facts (name text not null, began real not null, drained integer not null default 0,
    removed integer not null default 0, merged integer not null default 0, swept integer not null default 0,
    checked real) strict;
create table records (place integer primary key autoincrement, kind text, at real, id text, user_id text, body text,
    digest blob, id_key blob, user_key blob) strict;
create unique index by_id on records (id_key) where id_key is not null;
create index by_user on records (user_key, kind, place) where user_key is not null;
create index by_kind on records (kind, place) where kind is not null;
"""
"""A forgotten record is a row of nulls. Indices hold keyed hashes, never ids: SQLite moves their entries between pages
and leaves copies behind that it does not know, so that deleting an entry would not delete all of it.
`removed` counts removals, `merged` is the last of them that deleted rows, `swept` the last that left no trace."""


class Connection(sqlite3.Connection):
    """A connection that can be referred to weakly and closes with the thread that has it."""

    def __del__(self) -> None:
        self.close()


def create(file: Path, began: float, patience: float) -> None:
    """Make the file and its folder, readable by their owner alone, and bring it to this version's form.

    Raises StoreUnavailable where it is of a newer version or no journal at all.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):  # several processes may start at once
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _sync(file.parent)
    # Reading waits too: while another process turns the write-ahead log on, nobody may.
    store = sqlite3.connect(_rw(file), uri=True, timeout=patience, isolation_level=None)
    try:
        _recognise(store, file)  # before anything is written: it may be somebody else's
        if patiently(store, "pragma journal_mode = wal", patience) != ("wal",):
            raise StoreUnavailable(f"{file}: no write-ahead log on this file system; put it on a local disk")
        patiently(store, "begin immediate", patience)
        if not _recognise(store, file):
            _make(store, began)
        store.execute("commit")
    finally:
        store.close()


def connect(file: Path, *, most_bytes: int | None, timeout: float) -> Connection:
    """Open the file, which must exist, so that a commit is on the disk and what is deleted is overwritten.

    `timeout`: seconds for which statements wait for other processes, once it is open.
    """
    store = sqlite3.connect(
        _rw(file), uri=True, timeout=OPENING, isolation_level=None, check_same_thread=False, factory=Connection
    )
    store.execute("pragma synchronous = full")
    store.execute("pragma fullfsync = on")  # macOS; nothing elsewhere
    store.execute("pragma secure_delete = on")
    store.execute(f"pragma journal_size_limit = {WAL_KEPT}")
    store.execute(f"pragma wal_autocheckpoint = {WAL_PAGES}")
    store.execute(f"pragma cache_size = -{CACHE}")
    limit(store, most_bytes)
    if (level := _pragma(store, "synchronous")) != FULL:
        raise StoreUnavailable(f"{file}: SQLite keeps synchronous = {level}, so that events could be lost; use another")
    if _pragma(store, "secure_delete") != 1:
        raise StoreUnavailable(f"{file}: this SQLite cannot overwrite what is deleted; use another")
    store.execute(f"pragma busy_timeout = {int(1_000 * timeout)}")
    return store


def limit(store: sqlite3.Connection, most_bytes: int | None) -> None:
    """Let the file grow to so many bytes at most, or (None) without limit."""
    pages = UNLIMITED if most_bytes is None else max(1, most_bytes // int(_pragma(store, "page_size")))
    store.execute(f"pragma max_page_count = {pages}")


def patiently(store: sqlite3.Connection, statement: str, patience: float) -> Any:
    """Execute what needs the lock on writing, waiting for other processes for `patience` seconds; its first row."""
    end = time.monotonic() + patience
    while True:
        try:
            return store.execute(statement).fetchone()
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(RETRY)


def empty_log(store: sqlite3.Connection, file: Path, patience: float) -> None:
    """Bring all changes into the file and cut the write-ahead log to nothing, waiting for those who still read it."""
    end = time.monotonic() + patience
    while store.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
        if time.monotonic() > end:
            raise StoreUnavailable(
                f"{file}: done, but somebody reads its write-ahead log, where the old content still is; try again"
            )
        time.sleep(RETRY)


@contextmanager
def failures(file: Path) -> Iterator[None]:
    """Raise SQLite's errors as the journal's."""
    try:
        yield
    except sqlite3.Error as error:
        code, told = _code(error), f"{file}: {getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
        no_access = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        if code == sqlite3.SQLITE_FULL or (no_access and _no_room(file)):
            raise StoreFull(f"{told}; free space, allow the journal more, or keep events for less long") from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreUnavailable(f"{told}; another process has held it for too long") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise StoreUnavailable(f"{told}; it is damaged or no journal: restore it or name another file") from error
        raise StoreUnavailable(told) from error
    except OSError as error:
        kind = StoreFull if error.errno in NO_ROOM else StoreUnavailable
        raise kind(f"{file}: {error.strerror or error}") from error


def _recognise(store: sqlite3.Connection, file: Path) -> bool:
    """Whether the file is a journal; False where it is empty."""
    version, mark = _pragma(store, "user_version"), _pragma(store, "application_id")
    if version == 0 and mark == 0 and store.execute("select count(*) from sqlite_master").fetchone() == (0,):
        return False
    if mark != APPLICATION:
        raise StoreUnavailable(f"{file} is a database, but no journal of Strata; name another file")
    if version > VERSION:
        raise StoreUnavailable(
            f"{file} is of version {version}, and this Strata reads up to {VERSION}; install the newer one, or name"
            " another file"
        )
    return True


def _make(store: sqlite3.Connection, began: float) -> None:
    for statement in filter(str.strip, SCHEMA.split(";")):
        store.execute(statement)
    store.execute("insert into facts (name, began) values (?, ?)", (secrets.token_hex(16), began))
    store.execute(f"pragma application_id = {APPLICATION}")
    store.execute(f"pragma user_version = {VERSION}")


def _no_room(file: Path) -> bool:
    """Whether a disk error means that there is no room: SQLite tells a quota or a limit on files as any other error."""
    sizes = [each.stat().st_size for each in (file, file.with_name(f"{file.name}-wal")) if each.exists()]
    try:
        with tempfile.TemporaryFile(dir=file.parent) as probe:
            os.pwrite(probe.fileno(), bytes(1 << 16), max(sizes, default=0))
            os.fsync(probe.fileno())
    except OSError as error:
        return error.errno in NO_ROOM
    return False


def _rw(file: Path) -> str:
    return f"{file.absolute().as_uri()}?mode=rw"


def _pragma(store: sqlite3.Connection, name: str) -> int:
    return int(store.execute(f"pragma {name}").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
