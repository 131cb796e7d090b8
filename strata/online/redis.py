"""The journal in Redis, shared by the replicas of a service on several machines."""

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from strata.errors import SettingsError, StoreError, StoreUnavailable
from strata.online import redis_scripts as scripts
from strata.online.erasures import erased
from strata.online.journal import JournalFacts
from strata.online.keeping import PASSING, conflict, id_key, user_key
from strata.online.records import KINDS, Accepted, Kept, Kind, Record
from strata.online.redis_server import connect, failures, place_of, refuse_unless_durable, rewrite

VERSION: Final = 1
PAGE: Final = 1_000
"""Records that are read or looked at in one step: a server does nothing else meanwhile."""
Values = dict[bytes, Any]


class RedisJournal:
    """Keeps the contract of `Journal` (see journal.py) on a server of Redis 7 or Valkey.

    An append is a script that the server runs whole, and confirms once its append-only file is on the disk. What is
    forgotten is out of the server's memory at once, and out of that file when `swept` says so.

    `prefix`: of all keys, so that several journals share a server. `trusted`: whether the operator vouches for the
    settings that the server would otherwise be asked for. `patience`: seconds after which a silent server is given up.
    """

    local = False

    def __init__(
        self,
        url: str,
        prefix: str = "strata",
        *,
        trusted: bool = False,
        now: Callable[[], float] = time.time,
        patience: float = 1.0,
    ) -> None:
        if not prefix or "{" in prefix or "}" in prefix:
            raise SettingsError("journal: the prefix of keys must not be empty nor hold braces")
        self._open: Any = connect(url, patience)
        self._where, self._trusted, self._closed = place_of(self._open), trusted, False
        self._prefix = f"{{{prefix}}}:".encode()
        self._facts, self._records, self._ids, self._lasts = map(self._key, ("facts", "records", "ids", "last"))
        self._kinds = [self._kind(kind) for kind in KINDS]
        self._scripts: dict[str, Callable[..., Any]] = {}
        with failures(self._where):
            if not trusted:
                refuse_unless_durable(self._client, self._where)
            version, name, began = self._run(scripts.START, [self._facts], VERSION, secrets.token_hex(16), repr(now()))
        if int(version) > VERSION:
            raise StoreUnavailable(
                f"{self._where}: its journal is of version {int(version)}, and this Strata reads up to {VERSION};"
                " install the newer one, or name another prefix"
            )
        self._name, self._began = name.decode(), float(began)

    def append(self, records: Sequence[Record]) -> list[Accepted]:
        """See Journal."""
        if not records:
            return []
        keys = [self._facts, self._records, self._ids, self._lasts]
        numbers: dict[bytes | None, int] = {}
        given: list[Any] = []
        for record in records:
            user = None if record.user_id is None else self._user(record.user_id)
            for key in (self._kind(record.kind), user):
                if key is not None and key not in numbers:
                    keys.append(key)
                    numbers[key] = len(keys)
            given += [numbers[self._kind(record.kind)], numbers[user] if user else _PAST, self._value(record)]
        with failures(self._where):
            kept, found = self._run(scripts.APPEND, keys, self._name, *given)
        if not kept:
            raise conflict([records[n].id for n in found])
        return [Accepted(place, bool(new)) for place, new in zip(found[::2], found[1::2], strict=True)]

    def of_user(self, user_id: str, after: int = 0, kinds: Collection[Kind] = ()) -> list[Kept]:
        """See Journal."""
        return [kept for kept in self._read([self._user(user_id)], after) if not kinds or kept.record.kind in kinds]

    def of_kind(self, kinds: Collection[Kind], after: int = 0, most: int | None = None) -> list[Kept]:
        """See Journal; no kinds, no records."""
        return list(self._read([self._kind(kind) for kind in dict.fromkeys(kinds)], after, most)) if kinds else []

    def last(self, user_id: str) -> int:
        """See Journal."""
        with failures(self._where):
            key = user_key(user_id, self._name)
            return int(self._run(scripts.LAST, [self._facts, self._lasts], self._name, key))

    def last_of_kind(self, kind: Kind) -> int:
        """See Journal."""
        return self._last(self._kind(kind))

    def position(self) -> int:
        """See Journal."""
        return self._last(*self._kinds)

    def facts(self) -> JournalFacts:
        """See Journal."""
        return JournalFacts(self._name, self._began, self._counts("drained")[0])

    def drain(self, place: int) -> None:
        """See Journal."""
        self._raise("drained", place)

    def forget(self, user_id: str, at: float) -> int:
        """See Journal; out of the server's file when `swept`."""
        erasure = self._value(Record("erasure", erased(user_id, self._name), None, at))
        keys = [self._facts, self._records, self._ids, self._lasts, self._user(user_id), *self._kinds]
        user = user_key(user_id, self._name)
        with failures(self._where):
            gone = int(self._run(scripts.FORGET, keys, self._name, erasure, user, *KINDS))
        with suppress(StoreError):  # it is forgotten; whoever asks `swept` is told whether also on the disk
            self.swept()
        return gone

    def retain(self, since: float) -> int:
        """See Journal; out of the server's file when `swept`."""
        gone = 0
        for kind in PASSING:
            keys, place = [self._facts, self._records, self._ids, self._lasts, self._kind(kind)], 0
            while True:
                with failures(self._where):
                    given = (self._name, place, repr(since), PAGE, self._key("user:"))
                    last, removed = self._run(scripts.RETAIN, keys, *given)
                gone += removed
                if int(last) == place:
                    break
                place = int(last)
        with suppress(StoreError):
            self.swept()
        return gone

    def swept(self) -> bool:
        """See Journal. Where the server has yet to write its file anew, without what was removed, it is told to."""
        with failures(self._where):
            removed, swept, sweeping, before = self._counts("removed", "swept", "sweeping", "rewrites")
            if swept >= removed:
                return True
            now = {**self._client.info("persistence"), **self._client.info("server")}
            if now["aof_rewrite_in_progress"] or now["aof_rewrite_scheduled"]:
                return False
            of_run = self._client.hget(self._facts, "run") == now["run_id"].encode()
            if of_run and now["aof_rewrites"] > before and now["aof_last_bgrewrite_status"] == "ok":
                self._raise("swept", sweeping)
                if sweeping >= removed:
                    return True
            # The next rewriting starts after now, and so after what was removed by now.
            self._run(scripts.MARK, [self._facts], self._name, removed, now["aof_rewrites"], now["run_id"])
            rewrite(self._client)
        return False

    def check(self) -> None:
        """See Journal."""
        with failures(self._where):
            if not self._trusted:
                refuse_unless_durable(self._client, self._where)
            self._run(scripts.CHECK, [self._facts], self._name, repr(time.time()))

    def close(self) -> None:
        """See Journal."""
        self._closed = True
        self._open.close()

    @property
    def _client(self) -> Any:
        if self._closed:  # it would connect anew
            raise StoreUnavailable(f"{self._where}: this journal is closed")
        return self._open

    def _read(self, keys: list[bytes], after: int, most: int | None = None) -> Iterator[Kept]:
        left = most
        while left is None or left > 0:
            count = PAGE if left is None else min(PAGE, left)
            with failures(self._where):
                found = self._run(scripts.READ, [self._facts, self._records, *keys], self._name, after, count)
            yield from (_kept(int(place), value) for place, value in zip(found[::2], found[1::2], strict=True))
            if len(found) < 2 * count:
                return
            after = int(found[-2])
            left = None if left is None else left - count

    def _last(self, *keys: bytes) -> int:
        with failures(self._where):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.zrange(key, -1, -1)
            return max((int(place) for found in pipeline.execute() for place in found), default=0)

    def _counts(self, *fields: str) -> list[int]:
        with failures(self._where):
            return [int(each or 0) for each in self._client.hmget(self._facts, fields)]

    def _raise(self, field: str, number: int) -> None:
        with failures(self._where):
            self._run(scripts.RAISE, [self._facts], self._name, field, number)

    def _run(self, script: str, keys: list[bytes], *given: Any) -> Any:
        if script not in self._scripts:
            self._scripts[script] = self._client.register_script(script)
        return self._scripts[script](keys=keys, args=given, client=self._client)

    def _value(self, record: Record) -> bytes:
        user = scripts.NOBODY if record.user_id is None else user_key(record.user_id, self._name)
        key = id_key(record.kind, record.id, self._name)
        named = f"{record.kind}\n[{json.dumps(record.id)},{json.dumps(record.user_id)},{record.text}]"
        return scripts.HEADER.pack(key, user, record.digest, record.at) + named.encode()

    def _key(self, name: str) -> bytes:
        return self._prefix + name.encode()

    def _kind(self, kind: str) -> bytes:
        return self._key(f"kind:{kind}")

    def _user(self, user_id: str) -> bytes:
        return self._key("user:") + user_key(user_id, self._name)


_PAST: Final = 1 << 30
"""A key's number that no script has."""


def _kept(place: int, value: bytes) -> Kept:
    *_, at = scripts.HEADER.unpack_from(value)
    kind, content = value[scripts.HEADER.size :].split(b"\n", 1)
    id, user_id, body = json.loads(content)
    kind_: Any = kind.decode()
    return Kept(place, Record(kind_, id, user_id, at, body))
