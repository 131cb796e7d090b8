"""Logs of one JSON object a line: what happened and where, never what was asked, said or sent."""

import asyncio
import json
import logging
import os
import re
import secrets
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import places
from services.paths import Paths

REQUEST_ID: Final = b"x-request-id"
ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""Ids of callers that may stand in the log; for others one is made."""
PROCESS: Final = os.getpid()
FLUSH_SECONDS: Final = 0.05
MOST_AT_ONCE: Final = 4_096
"""Bytes of a write that the system never mixes with those of another process (PIPE_BUF)."""

FACTS: ContextVar[dict[str, Any] | None] = ContextVar("facts", default=None)
"""What is known of the request that is being answered."""


def note(**facts: str) -> None:
    """Say something of the request that is being answered, for its line in the log: no text, no id of a user."""
    known = FACTS.get()
    if known is not None:
        known.update(facts)


def noted(name: str) -> str:
    """What was said of the request that is being answered, or nothing."""
    return str((FACTS.get() or {}).get(name, ""))


class Lines(logging.Formatter):
    """A record as JSON. Of an exception its type and where it was raised: its message may quote what was sent."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        facts = FACTS.get()
        if facts is not None:
            line["request_id"] = facts["request_id"]
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"error": type(record.exc_info[1]).__name__, "places": places(record.exc_info[1])}
        return json.dumps(line, ensure_ascii=False)


def configure() -> None:
    """Have all that BentoML, uvicorn and the libraries log come as such lines; other handlers stay as they are."""
    from bentoml._internal.log import TRACED_LOG_FORMAT

    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in ("bentoml", "uvicorn.error", "circus"))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if handler.formatter is not None and handler.formatter._fmt == TRACED_LOG_FORMAT:
            handler.setFormatter(Lines())
            logging.captureWarnings(capture=True)


def _time(seconds: float) -> str:
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1_000):03}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Writer:
    """Writes whole lines to the standard output, several at once, so that a line costs a request next to nothing."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def add(self, line: bytes) -> None:
        """Have a line written within FLUSH_SECONDS."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        self._waiting.append(line)

    def flush(self) -> None:
        """Write all lines that wait."""
        lines, self._waiting = self._waiting, []
        part = bytearray()
        try:
            for line in lines:
                if len(part) + len(line) > MOST_AT_ONCE:
                    os.write(sys.stdout.fileno(), part)
                    part.clear()
                part += line
            os.write(sys.stdout.fileno(), part)
        except (OSError, ValueError):  # nobody reads them any more
            pass


class Logged:
    """Gives each request an id, which its answer and its line in the log have."""

    def __init__(self, app: ASGIApp, paths: Paths, writer: Writer | None = None) -> None:
        """`writer`: where the lines go; None: there are none."""
        self.app, self.paths, self.writer = app, paths, writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        sent = next((value for name, value in scope["headers"] if name == REQUEST_ID), b"")
        id = sent if ID.fullmatch(sent) else secrets.token_hex(8).encode()
        facts: dict[str, Any] = {"request_id": id.decode()}
        FACTS.set(facts)
        status, began = 0, time.perf_counter()

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID, id)]
            await send(message)

        try:
            return await self.app(scope, receive, named)
        finally:
            if self.writer is not None:
                self.writer.add(_line(scope, self.paths.label(scope["path"]), status, began, facts))


def _line(scope: Scope, endpoint: str, status: int, began: float, facts: dict[str, Any]) -> bytes:
    """A request's line. Nothing in it needs escaping: labels, numbers, names and ids are of plain letters."""
    took = (time.perf_counter() - began) * 1_000
    told = "".join(f', "{name}": "{value}"' for name, value in facts.items())
    method = scope["method"] if scope["method"].isalpha() else "other"
    return (
        f'{{"time": "{_time(time.time())}", "level": "INFO", "logger": "strata.access", "process": {PROCESS}, '
        f'"message": "answered", "method": "{method}", "endpoint": "{endpoint}", "status": {status}, "ms": {took:.2f}'
        f"{told}}}\n"
    ).encode()
