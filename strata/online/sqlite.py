"""The journal in one SQLite file, shared by the threads and processes of one machine."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from strata.errors import StoreError, StoreUnavailable
from strata.online import sqlite_file
from strata.online.erasures import erased
from strata.online.journal import JournalFacts
from strata.online.keeping import PASSING, conflict, id_key, user_key
from strata.online.records import KINDS, STATE, Accepted, Kept, Kind, Record

COLUMNS: Final = "place, kind, id, user_id, at, body"
VOID: Final = """kind = null, at = null, id = null, user_id = null, body = null, digest = null, id_key = null,
    user_key = null"""
INSERT: Final = """insert into records (kind, at, id, user_id, body, digest, id_key, user_key)
    values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"""
LATEST: Final = "select max(place) as place from records where user_key = ? and kind = ?"
LAST: Final = f"select max(place) from ({' union all '.join([LATEST] * len(STATE))})"
AT_ONCE: Final = 20_000
"""Places that `retain` looks through in one transaction, so that others can append in between."""
PROBE: Final = 1 << 16
"""Bytes that `check` must find room for."""
Row = tuple[Any, ...]


class SqliteJournal:
    """Keeps the contract of `Journal` (see journal.py) in a file.

    A commit waits for the disk. A forgotten record is overwritten where it stands and its place stays empty until
    `retain` removes old records, which writes the file anew: appending waits meanwhile.

    `most_bytes`: what the file may grow to, its write-ahead log not counted (some 32 MB, 64 after bursts); None:
    what the disk holds. `now`: the time, for `began`. `patience`: seconds to wait for other processes.
    """

    local = True

    def __init__(
        self,
        file: Path | str,
        *,
        most_bytes: int | None = None,
        now: Callable[[], float] = time.time,
        patience: float = 2.0,
    ) -> None:
        self.file, self.most_bytes, self.patience = Path(file).absolute(), most_bytes, patience
        self._turn = threading.Lock()
        self._local = threading.local()
        self._readers: WeakSet[sqlite_file.Connection] = WeakSet()
        self._closed = False
        with sqlite_file.failures(self.file):
            sqlite_file.create(self.file, now(), patience)
            self._identity = self._stat()
            self._writer = self._open(timeout=0)
            self._name, self._began = self._writer.execute("select name, began from facts").fetchone()
        with suppress(StoreError):  # of another process' forgetting; whoever asks `swept` is told
            self.swept()

    def append(self, records: Sequence[Record]) -> list[Accepted]:
        """See Journal."""
        rows = [self._row(record) for record in records]
        with self._writing() as store:
            found = [self._insert(store, row) for row in rows]
            accepted = [each for each in found if each is not None]
            if len(accepted) < len(records):
                raise conflict([record.id for record, each in zip(records, found, strict=True) if each is None])
        return accepted

    def of_user(self, user_id: str, after: int = 0, kinds: Collection[Kind] = ()) -> list[Kept]:
        """See Journal."""
        return self._walked(
            "user_key = ? and kind = ?",
            [(user_key(user_id, self._name), kind) for kind in dict.fromkeys(kinds or KINDS)],
            after,
        )

    def of_kind(self, kinds: Collection[Kind], after: int = 0, most: int | None = None) -> list[Kept]:
        """See Journal; no kinds, no records."""
        return self._walked("kind = ?", [(kind,) for kind in dict.fromkeys(kinds)], after, most) if kinds else []

    def last(self, user_id: str) -> int:
        """See Journal."""
        key = user_key(user_id, self._name)
        return self._number(LAST, tuple(value for kind in STATE for value in (key, kind)))

    def last_of_kind(self, kind: Kind) -> int:
        """See Journal."""
        return self._number("select max(place) from records where kind = ?", (kind,))

    def position(self) -> int:
        """See Journal."""
        return self._number("select place from records where +kind is not null order by place desc limit 1")

    def facts(self) -> JournalFacts:
        """See Journal."""
        return JournalFacts(self._name, self._began, self._number("select drained from facts"))

    def drain(self, place: int) -> None:
        """See Journal."""
        with self._writing() as store:
            store.execute("update facts set drained = max(drained, ?)", (place,))

    def forget(self, user_id: str, at: float) -> int:
        """See Journal; StoreUnavailable where all is done but others still read the old content: call it again."""
        erasure = self._row(Record("erasure", erased(user_id, self._name), None, at))
        with self._writing(beyond=True) as store:
            gone = store.execute(
                f"update records set {VOID} where user_key = ?", (user_key(user_id, self._name),)
            ).rowcount
            store.execute("update facts set removed = removed + 1")
            # Forgotten once more: a release of in between may have them, and goes by the place of the erasure.
            store.execute(f"update records set {VOID} where id_key = ?", (erasure[-2],))
            self._insert(store, erasure)
        with self._in_turn() as store:
            self._sweep(store)
        return gone

    def retain(self, since: float) -> int:
        """See Journal."""
        gone, first = 0, self._number("select min(place) from records")
        for start in range(first, self.position() + 1, AT_ONCE):
            places = (start, start + AT_ONCE - 1)
            with self._writing(beyond=True) as store:
                old = f"kind in ({_marks(PASSING)}) and at < ?"
                removed = store.execute(
                    f"delete from records where place between ? and ? and {old}", (*places, *PASSING, since)
                ).rowcount
                void = store.execute(
                    "delete from records where place between ? and ? and +kind is null", places
                ).rowcount
                if removed or void:
                    store.execute("update facts set removed = removed + 1, merged = removed + 1")
            gone += removed
        with self._in_turn() as store:
            self._sweep(store)
        return gone

    def swept(self) -> bool:
        """See Journal."""
        with self._in_turn() as store:
            self._sweep(store)
        return True

    def check(self) -> None:
        """See Journal."""
        with self._writing() as store:
            store.execute("savepoint probe")
            store.execute("insert into records (body) values (?)", (" " * PROBE,))
            store.execute("rollback to probe")
            store.execute("update facts set checked = ?", (time.time(),))

    def close(self) -> None:
        """See Journal."""
        with self._turn:
            self._closed = True
            self._writer.close()
            for reader in list(self._readers):
                reader.close()

    def _sweep(self, store: sqlite3.Connection) -> None:
        """Leave nothing of what was removed in the files; what a crash interrupted is done at the next opening.

        Deleting rows merges pages, and copies of rows that stay are left between them: only a new file has none.
        """
        removed, merged, swept = store.execute("select removed, merged, swept from facts").fetchone()
        if swept == removed:
            return
        if merged > swept:
            with self._unlimited(store):
                sqlite_file.patiently(store, "vacuum", self.patience)
        sqlite_file.empty_log(store, self.file, self.patience)
        sqlite_file.patiently(store, f"update facts set swept = max(swept, {removed})", self.patience)

    def _insert(self, store: sqlite3.Connection, row: Row) -> Accepted | None:
        """Insert a row unless it is there; None where its id is there with other content."""
        done = store.execute(INSERT, row)
        if done.rowcount:
            return Accepted(done.lastrowid or 0, True)
        place, digest = store.execute("select place, digest from records where id_key = ?", (row[-2],)).fetchone()
        return Accepted(place, False) if digest == row[-3] else None

    def _row(self, record: Record) -> Row:
        user = None if record.user_id is None else user_key(record.user_id, self._name)
        key = id_key(record.kind, record.id, self._name)
        return record.kind, record.at, record.id, record.user_id, record.text, record.digest, key, user

    def _walked(self, where: str, found_by: Sequence[Row], after: int, most: int | None = None) -> list[Kept]:
        """One sorted walk for each key, merged: sorting would read all that come after, however few are wanted."""
        walk = f"select {COLUMNS} from records where {where} and place > ?"
        question = f"{' union all '.join([walk] * len(found_by))} order by place limit ?"
        values = [value for each in found_by for value in (*each, after)]
        with sqlite_file.failures(self.file):
            rows = self._reader().execute(question, (*values, -1 if most is None else most)).fetchall()
        return [Kept(place, Record(kind, id, user, at, json.loads(body))) for place, kind, id, user, at, body in rows]

    def _number(self, question: str, values: Row = ()) -> int:
        with sqlite_file.failures(self.file):
            row = self._reader().execute(question, values).fetchone()
        return (row and row[0]) or 0

    def _reader(self) -> sqlite3.Connection:
        """The connection of this thread."""
        reader: sqlite_file.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._open(self.patience)
            self._readers.add(reader)
        return reader

    def _open(self, timeout: float) -> sqlite_file.Connection:
        if self._closed:
            raise StoreUnavailable(f"{self.file}: this journal is closed")
        store = sqlite_file.connect(self.file, most_bytes=self.most_bytes, timeout=timeout)
        self._in_place()
        return store

    @contextmanager
    def _in_turn(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, one thread at a time."""
        if not self._turn.acquire(timeout=self.patience):
            raise StoreUnavailable(f"{self.file}: another thread has written for longer than {self.patience:g} s")
        try:
            with sqlite_file.failures(self.file):
                yield self._writer
        finally:
            self._turn.release()

    @contextmanager
    def _writing(self, *, beyond: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when it ends, or nothing; `beyond`: whatever the file may grow to."""
        with self._in_turn() as store:
            self._in_place()
            with self._unlimited(store) if beyond else nullcontext():
                sqlite_file.patiently(store, "begin immediate", self.patience)
                try:
                    yield store
                    store.execute("commit")
                finally:
                    if store.in_transaction:
                        store.execute("rollback")

    @contextmanager
    def _unlimited(self, store: sqlite3.Connection) -> Iterator[None]:
        """What removes may need a page first, where none is left."""
        sqlite_file.limit(store, None)
        try:
            yield
        finally:
            sqlite_file.limit(store, self.most_bytes)

    def _stat(self) -> tuple[int, int]:
        found = os.stat(self.file)
        return found.st_dev, found.st_ino

    def _in_place(self) -> None:
        """Raise where the file was removed or replaced: SQLite would go on writing to one that nobody finds again."""
        if self._stat() != self._identity:
            raise StoreUnavailable(f"{self.file} was replaced while in use; put it back, or start anew")


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))
