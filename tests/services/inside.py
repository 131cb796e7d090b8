"""The services with endpoints more: which process answers, the threads in it, and faults that quote what was sent."""

import logging
import os
from typing import Any

from fastapi import Request

from services.paths import NEEDED
from services.recommender import Recommender, app

NEEDED.update(dict.fromkeys(("GET /pools", "GET /process", "POST /raise", "POST /log"), "read"))


@app.get("/pools")
def pools() -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    return threadpool_info()


@app.get("/process")
async def process() -> int:
    return os.getpid()


@app.post("/raise")
async def raises(request: Request) -> None:
    raise ValueError(f"cannot do {(await request.body()).decode()}")


@app.post("/log")
async def logs(request: Request) -> None:
    try:
        raise ValueError(f"cannot do {(await request.body()).decode()}")
    except ValueError:
        logging.getLogger("bentoml.strata").exception("a fault was caught")


__all__ = ["Recommender"]
