"""An endpoint that answers with a list it was given, and one that keeps an event by one insert: the peers of ours."""

import os
import sqlite3
from pathlib import Path
from threading import Lock
from typing import Any

import bentoml
from fastapi import FastAPI, Request, Response

app = FastAPI()


@bentoml.service(name="peer", workers=int(os.environ.get("STRATA_WORKERS", "2")))
@bentoml.asgi_app(app)
class Peer:
    """Does what nothing that answers or keeps can do without."""

    def __init__(self) -> None:
        self.body = Path(os.environ["PEER_BODY"]).read_bytes()
        self.store = sqlite3.connect(
            os.environ["PEER_STORE"], isolation_level=None, check_same_thread=False, timeout=30
        )
        self.store.execute("pragma journal_mode = wal")
        self.store.execute("pragma synchronous = full")
        self.store.execute("create table if not exists events (id integer primary key, body text)")
        self.turn = Lock()

    @app.post("/list")
    async def list(self, request: dict[str, Any]) -> Response:
        """A list of the same size as ours."""
        return Response(self.body, media_type="application/json")

    @app.post("/insert")
    async def insert(self, request: Request) -> dict[str, int]:
        """One insert that waits for the disk."""
        body = await request.body()
        with self.turn:
            self.store.execute("insert into events (body) values (?)", (body.decode(),))
        return {"new": 1}
