"""Conversations between turns: one SQLite file that all workers share; they expire and can be forgotten."""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from strata.errors import StrataError

ID_BYTES: Final = 16
TABLE: Final = """
create table if not exists sessions (
    id text primary key, turn integer not null, state text not null, used_at real not null
) strict, without rowid
"""


class UnknownSession(StrataError):
    """No such conversation: it never was, has expired, or was forgotten."""


class TurnTaken(StrataError):
    """Another turn of the same conversation was answered meanwhile."""


@dataclass(frozen=True)
class Sessions:
    """Conversations by id. `lasts`: seconds after the last turn until one is over; `most`: conversations kept.

    The file may be deleted at any time the service is down: all conversations are over then.
    """

    file: Path
    lasts: float = 3600.0
    most: int = 100_000
    now: Callable[[], float] = time.time

    def start(self, state: dict[str, Any]) -> str:
        """Keep a new conversation after its first turn, and give its id; the longest unused ones make room."""
        id = secrets.token_urlsafe(ID_BYTES)
        with self._open() as store:
            self._expire(store)
            store.execute("insert into sessions values (?, 1, ?, ?)", (id, json.dumps(state), self.now()))
        return id

    def read(self, id: str) -> tuple[int, dict[str, Any]]:
        """Turns so far, and the state after them. Raises UnknownSession."""
        with self._open() as store:
            row = store.execute("select turn, state, used_at from sessions where id = ?", (id,)).fetchone()
        if row is None or row[2] < self.now() - self.lasts:
            raise UnknownSession("no such conversation: it has expired or was forgotten; start one without session_id")
        return row[0], json.loads(row[1])

    def go_on(self, id: str, after: int, state: dict[str, Any]) -> int:
        """Keep the state of the turn that follows turn `after`. Raises TurnTaken where that one was taken."""
        with self._open() as store:
            done = store.execute(
                "update sessions set turn = ?, state = ?, used_at = ? where id = ? and turn = ?",
                (after + 1, json.dumps(state), self.now(), id, after),
            )
            if done.rowcount != 1:
                raise TurnTaken("another turn of this conversation was answered meanwhile; send this one again")
        return after + 1

    def forget(self, id: str) -> bool:
        """Forget a conversation; whether there was one."""
        with self._open() as store:
            return store.execute("delete from sessions where id = ?", (id,)).rowcount == 1

    def forget_user(self, user_id: str) -> int:
        """Forget all conversations of a user; how many there were."""
        with self._open() as store:
            gone = "delete from sessions where json_extract(state, '$.user') = ?"
            return store.execute(gone, (user_id,)).rowcount

    def _expire(self, store: sqlite3.Connection) -> None:
        store.execute("delete from sessions where used_at < ?", (self.now() - self.lasts,))
        (count,) = store.execute("select count(*) from sessions").fetchone()
        if count >= self.most:
            oldest = "select id from sessions order by used_at limit ?"
            store.execute(f"delete from sessions where id in ({oldest})", (count - self.most + 1,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction: written as a whole or not at all, and forgotten rows leave no trace in the file."""
        new = not self.file.exists()
        if new:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.file, timeout=5, isolation_level=None)) as store:
            if new:
                self.file.chmod(0o600)
            store.execute("pragma journal_mode = wal")
            store.execute("pragma synchronous = normal")
            store.execute("pragma secure_delete = on")
            store.execute(TABLE)
            store.execute("begin immediate")
            try:
                yield store
                store.execute("commit")
            except BaseException:
                store.execute("rollback")
                raise
