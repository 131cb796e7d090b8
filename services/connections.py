"""What uvicorn leaves open: connections that do not send their headers in time, or too many of them, are closed."""

import json
from asyncio import Handle
from collections.abc import Callable
from typing import Any, ClassVar

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from services.errors import ApiError
from services.headers import SAFE
from services.settings import ServiceSettings


class Connection(HttpToolsProtocol):
    """An HTTP connection: each request's headers must be there, whole, in time; what no one answers is let go."""

    settings: ClassVar[ServiceSettings]
    _due: Handle | None = None
    _awaited = True
    """Whether the next bytes are headers."""
    _head = 0
    _messages = 0

    def connection_made(self, transport: Any) -> None:
        """The first request is due."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.settings.keep_alive  # type: ignore[assignment]
        self.access_log = False  # see logs.Logged
        self._expect(self._headers_late)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the end of the headers, as nothing else does."""
        before = self._messages
        if self._awaited and self._due is None:
            self._expect(self._headers_late)
        super().data_received(data)
        if self._awaited and self._messages == before:
            self._head += len(data)
            if self._head > self.settings.header_limit:
                self._refuse(431, f"the headers are larger than {self.settings.header_limit:,} bytes")

    def on_headers_complete(self) -> None:
        """The request is on its way; what its body may take is the limits' to say."""
        self._came()
        self._awaited = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next request may come."""
        self._came()
        self._awaited = True
        self._messages += 1
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A body that was refused unread must end: it is thrown away meanwhile."""
        super().on_response_complete()
        if not self._awaited and not self.transport.is_closing():
            self._expect(self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._came()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """Close; where an answer is not fetched, cut."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.settings.header_time_out, self.transport.abort)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """What cannot be read as HTTP is told in the shape of all errors."""
        self._refuse(400, "the request is not HTTP")

    def _expect(self, otherwise: Callable[[], None]) -> None:
        self._came()
        self._due = self.loop.call_later(self.settings.header_time_out, otherwise)

    def _came(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due, self._head = None, 0

    def _headers_late(self) -> None:
        if self._head:
            self._refuse(408, f"the headers took longer than {self.settings.header_time_out:g} s to arrive")
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps(ApiError(status, message).content).encode()
        head = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
        lines = (b"%b: %b\r\n" % line for line in (*head, (b"connection", b"close"), *SAFE))
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self.transport.close()


def install(settings: ServiceSettings) -> None:
    """Have uvicorn take these connections: BentoML makes its server itself and offers no setting for them."""
    Connection.settings = settings
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{Connection.__name__}"
