"""Answers that were given before: sent again while the release, the user and the request are the same."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.logs import note, noted
from services.metrics import CACHE
from strata.errors import StoreError

PATHS: Final = frozenset({"/recommend", "/rank", "/interests", "/similar_items", "/search", "/hot_topics", "/brands"})
"""What may be answered from memory: an answer depends on the request, its user and the release alone."""
MOST_BYTES: Final = 64_000_000
MOST_REQUEST: Final = 10_000
"""Bytes of a request that is worth keeping."""
JSON: Final = (b"content-type", b"application/json")


@dataclass
class Ticket:
    """What an answer under way depends on, told by whoever computes it; None: it must not be kept."""

    user_id: str | None = None
    state: Any = None


TICKET: ContextVar[Ticket | None] = ContextVar("ticket", default=None)
"""Of the request that is being answered."""


@dataclass(frozen=True)
class Kept:
    """An answer, and what it holds for."""

    user_id: str | None
    state: Any
    until: float
    body: bytes
    release: str


@dataclass
class Answers:
    """Of one process. `state` gives what an answer about a user (None: about nobody) depends on just now.

    `seconds`: how long an answer is kept, as items come and go by the clock. `local`: whether `state` takes
    microseconds, or asks another machine.
    """

    state: Callable[[str | None], Any] = lambda _: None
    seconds: float = 60.0
    local: bool = True
    most_bytes: int = MOST_BYTES
    _kept: OrderedDict[tuple[str, bytes], Kept] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def __contains__(self, key: tuple[str, bytes]) -> bool:
        return key in self._kept

    def find(self, path: str, request: bytes) -> bytes | None:
        """The answer to a request, if it still holds."""
        kept = self._kept.get((path, request))
        if kept is None:
            return None
        if kept.until < time.monotonic() or kept.state != self.state(kept.user_id):
            self._drop((path, request))
            return None
        self._kept.move_to_end((path, request))
        note(release=kept.release)
        return kept.body

    def keep(self, path: str, request: bytes, ticket: Ticket, body: bytes) -> None:
        """Keep an answer; the ones longest unused make room."""
        key = path, request
        if key in self._kept:
            self._drop(key)
        release = noted("release")
        self._kept[key] = Kept(ticket.user_id, ticket.state, time.monotonic() + self.seconds, body, release)
        self._bytes += len(body) + len(request)
        while self._bytes > self.most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, bytes]) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.body) + len(key[1])


ANSWERS: Final = Answers()
"""Of this process: the service says what answers depend on."""


class Remembered:
    """Answers from memory what it may, and keeps what was computed; a body must have arrived before (see Limits)."""

    def __init__(self, app: ASGIApp, answers: Answers = ANSWERS) -> None:
        self.app = app
        self.answers = answers
        self._under_way: dict[tuple[str, bytes], asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in PATHS:
            return await self.app(scope, receive, send)
        message = await receive()
        request, path = message.get("body", b""), scope["path"]
        waiting: list[Message] = [message]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        if len(request) > MOST_REQUEST or message.get("more_body") or not self.answers.seconds:
            return await self.app(scope, replay, send)
        found = await self._found(path, request)
        under_way = self._under_way.get((path, request))
        if found is None and under_way is not None:  # somebody asks the same just now: once is enough
            await under_way.wait()
            found = await self._found(path, request)
        CACHE.labels("miss" if found is None else "hit").inc()
        if found is not None:
            headers = [JSON, (b"content-length", str(len(found)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            return await send({"type": "http.response.body", "body": found})
        if under_way is not None:  # its answer was of no use, so nobody waits for another
            return await self._kept(path, request, scope, replay, send)
        under_way = self._under_way[path, request] = asyncio.Event()
        try:
            return await self._kept(path, request, scope, replay, send)
        finally:
            del self._under_way[path, request]
            under_way.set()

    async def _found(self, path: str, request: bytes) -> bytes | None:
        if (path, request) not in self.answers:
            return None
        try:
            if self.answers.local:
                return self.answers.find(path, request)
            return await asyncio.to_thread(self.answers.find, path, request)
        except StoreError:  # the endpoint says so
            return None

    async def _kept(self, path: str, request: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and keep the answer if its ticket was filled in."""
        ticket, good, parts = Ticket(), False, bytearray()
        token = TICKET.set(ticket)

        async def watched(message: Message) -> None:
            nonlocal good
            if message["type"] == "http.response.start":
                good = message["status"] == 200
            elif good:
                parts.extend(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            TICKET.reset(token)
        if good and ticket.state is not None:
            self.answers.keep(path, request, ticket, bytes(parts))
