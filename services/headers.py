"""Headers that every answer has: nothing is guessed, framed, stored on the way, or told to other sites."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Of an answer that does not say otherwise: pages have a policy for what they load, files may be kept."""

PAGE: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'"
)
"""What the page at /docs may load: files of this server, and the lines of script that it is made of."""


class Safe:
    """Adds what is missing of these headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in SAFE if each[0] not in there)]
            await send(message)

        return await self.app(scope, receive, add)
