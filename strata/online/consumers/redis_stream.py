"""Events from a stream in Redis, read by a group of consumers that stand in for each other."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import redis

from strata.online.consumers.consuming import Entry, Refused, StreamError
from strata.online.redis_server import connect, place_of

FIELD: Final = b"event"
"""Of an entry, which holds the JSON."""
AT_ONCE: Final = 1_000
ASIDE: Final = 100_000
"""Refused messages that are kept, about; older ones make room."""
PATIENCE: Final = 10.0
"""Seconds after which a silent server is given up: no request waits for it."""


class RedisStream:
    """The stream `name` at `url`, read as one of `group`.

    An entry that another consumer took and did not settle within `idle` seconds is taken over. Refused messages go to
    the stream `name:refused`, with the fields entry, reason and event.
    """

    def __init__(
        self, url: str, name: str, *, group: str = "strata", consumer: str | None = None, idle: float = 30.0
    ) -> None:
        self._client: Any = connect(url, PATIENCE)
        self._where = f"the stream {name!r} in {place_of(self._client)}"
        self.name, self.group, self.idle = name, group, idle
        self.aside = f"{name}:refused"
        self.consumer = consumer or f"{socket.gethostname()}-{os.getpid()}"
        self._again = True  # what a consumer of this name took before it ended
        self._looked = float("-inf")
        with self._failures():
            self._join()

    def take(self, wait: float) -> list[Entry]:
        """See Stream."""
        with self._failures():
            if self._again:
                if own := self._read("0", None):
                    return own
                self._again = False
            if time.monotonic() - self._looked > self.idle / 2:
                if left := self._left_by_others():
                    return left
                self._looked = time.monotonic()
            return self._read(">", max(1, int(1_000 * wait)))

    def settle(self, entries: Sequence[Entry], refused: Sequence[Refused]) -> None:
        """See Stream."""
        if not entries:
            return
        with self._failures():
            self._again = True  # unless the next lines confirm them
            pipeline = self._client.pipeline()
            for each in refused:
                fields = {"entry": each.entry.place, "reason": each.reason, FIELD: each.entry.message}
                pipeline.xadd(self.aside, fields, maxlen=ASIDE, approximate=True)
            pipeline.xack(self.name, self.group, *(entry.place for entry in entries))
            pipeline.execute()
            self._again = False

    def give_back(self, entries: Sequence[Entry]) -> None:  # noqa: ARG002
        """See Stream: they are still this consumer's, and read again."""
        self._again = True

    def close(self) -> None:
        """See Stream; a consumer that settled all it took leaves the group."""
        try:
            own = self._client.xpending_range(self.name, self.group, "-", "+", 1, consumername=self.consumer)
            if not own:
                self._client.xgroup_delconsumer(self.name, self.group, self.consumer)
        except redis.RedisError:
            pass
        self._client.close()

    def _join(self) -> None:
        try:
            self._client.xgroup_create(self.name, self.group, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # the group is there
                raise

    def _read(self, after: str, wait: int | None) -> list[Entry]:
        try:
            found = self._client.xreadgroup(self.group, self.consumer, {self.name: after}, count=AT_ONCE, block=wait)
        except redis.exceptions.ResponseError as error:
            if not str(error).startswith("NOGROUP"):  # the server was emptied
                raise
            self._join()
            return []
        return [self._entry(place, fields) for _, each in found for place, fields in each]

    def _left_by_others(self) -> list[Entry]:
        """Entries whose consumers have not settled them for too long."""
        start: Any = "0-0"
        while True:
            start, found, gone = self._client.xautoclaim(
                self.name, self.group, self.consumer, int(1_000 * self.idle), start, count=AT_ONCE
            )
            entries = [self._entry(place, fields) for place, fields in [*found, *((place, None) for place in gone)]]
            if entries or start in (b"0-0", "0-0"):
                return entries

    def _entry(self, place: bytes, fields: Any) -> Entry:
        """An entry that was trimmed from the stream before it was settled has no message."""
        return Entry(f"{self.name}/{place.decode()}", (fields or {}).get(FIELD, b""), place)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise StreamError(f"{self._where}: {error}") from error
