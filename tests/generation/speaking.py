"""A real HTTP server of the OpenAI protocol, whose answers and faults a test scripts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

Answering = Callable[[dict[str, Any]], Response | str]
"""The body of a call → a text, or a whole response."""


@dataclass
class Speaker:
    """`turns`: what the next calls get, in order; the last one stays. `bodies`, `keys`: of the calls so far."""

    turns: list[Answering]
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""

    def answer(self, body: dict[str, Any], key: str | None) -> Response:
        self.bodies.append(body)
        self.keys.append(key)
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        said = turn(body)
        return said if isinstance(said, Response) else JSONResponse(completion(said))


def completion(text: str, reason: str = "stop", tokens: int = 5) -> dict[str, Any]:
    """An answer of the protocol."""
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens},
    }


@contextmanager
def speaking(*turns: Answering) -> Iterator[Speaker]:
    """Serve the turns on a free port."""
    speaker, app = Speaker(list(turns)), FastAPI()

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body, key = await request.json(), request.headers.get("authorization")
        import asyncio

        return await asyncio.to_thread(speaker.answer, body, key)

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    speaker.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield speaker
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join()
