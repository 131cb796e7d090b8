"""Limits on requests: what kind of body, how many bytes, seconds to send it, requests in flight."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import ApiError
from services.paths import PUBLIC
from services.settings import ServiceSettings

ALWAYS = PUBLIC | {"/metrics"}
UNREAD = {"Connection": "close"}
"""The rest of the body stays unread, so the connection cannot be used again."""


class Limits:
    """Reads and counts each body before the API sees it, as chunked bodies do not state their length."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings | None = None) -> None:
        self.app = app
        self.settings = settings or ServiceSettings.from_environment()
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 408, 413 or 429, or pass on."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            return await self.app(scope, receive, send)
        if self._in_flight >= self.settings.concurrency:
            busy = ApiError(429, f"{self._in_flight:,} requests are being answered already")
            return await busy.response()(scope, receive, send)
        self._in_flight += 1
        try:
            check_media_type(scope)
            body = await self._body(receive)
        except ApiError as error:
            return await error.response()(scope, receive, send)
        else:
            return await self.app(scope, _replay(body, receive), send)
        finally:
            self._in_flight -= 1

    async def _body(self, receive: Receive) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.time_out):
                while True:
                    message = await receive()
                    body += message.get("body", b"")
                    if len(body) > self.settings.body_limit:
                        raise ApiError(
                            413, f"the body is larger than {self.settings.body_limit:,} bytes", headers=UNREAD
                        )
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            late = f"the body took longer than {self.settings.time_out:g} s to arrive"
            raise ApiError(408, late, headers=UNREAD) from None


def check_media_type(scope: Scope) -> None:
    """Raise ApiError 415 for a body that is not plain JSON; a request without a body needs no type."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0":
        return
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding != b"identity":
        raise ApiError(415, f"the body is compressed ({coding.decode('latin-1')})")
    kind, *parameters = headers.get(b"content-type", b"").lower().replace(b" ", b"").split(b";")
    charsets = {each for each in parameters if each.startswith(b"charset=")}
    if kind != b"application/json" or charsets - {b"charset=utf-8", b'charset="utf-8"'}:
        told = headers.get(b"content-type", b"none").decode("latin-1")
        raise ApiError(415, f"the body's Content-Type is {told}")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Deliver the body once; later calls pass on connection messages."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
