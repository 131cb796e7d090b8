"""The services with endpoints more: which process answers, and what libraries hold threads in it."""

import os
from typing import Any

from services.paths import NEEDED
from services.recommender import Recommender, app

NEEDED["GET /pools"] = NEEDED["GET /process"] = "read"


@app.get("/pools")
def pools() -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    return threadpool_info()


@app.get("/process")
async def process() -> int:
    return os.getpid()


__all__ = ["Recommender"]
