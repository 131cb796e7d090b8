"""The services with one endpoint more, which tells what libraries hold threads in the process that answers."""

from typing import Any

from services.paths import NEEDED
from services.recommender import Recommender, app

NEEDED["GET /pools"] = "read"


@app.get("/pools")
def pools() -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    return threadpool_info()


__all__ = ["Recommender"]
