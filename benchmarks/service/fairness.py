"""Whether requests that cost much make others wait: two clients ask for the longest there is, beside four others."""

import asyncio
import itertools
import random
import time
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.serve import serving
from strata.data.schema import ITEM, USER
from strata.release.layout import Part

SECONDS: Final = 20.0
NORMAL, HEAVY = 4, 2
"""Clients of each kind."""
PAUSE: Final = 0.05
"""Seconds between two requests of a client that asks for ten items."""
LONGEST: Final = 1_000
"""Choices of a history and places of a list: as many as a request may have."""


class Load:
    """What clients saw in one run."""

    def __init__(self, url: str, release: Path) -> None:
        self.url = url
        self.users = pl.read_parquet(release / Part.USERS)[USER].to_list()
        self.items = pl.read_parquet(release / Part.ITEMS)[ITEM].to_list()
        self.took: list[float] = []
        self.fallbacks = 0
        self.heavy: list[tuple[int, bool]] = []

    async def run(self, *, heavy: bool) -> None:
        """Ask for SECONDS."""
        end = time.monotonic() + SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            beside = (self._heavy(session, number, end) for number in range(HEAVY if heavy else 0))
            await asyncio.gather(*(self._normal(session, number, end) for number in range(NORMAL)), *beside)

    async def _normal(self, session: aiohttp.ClientSession, number: int, end: float) -> None:
        users = random.Random(number).sample(self.users, len(self.users))
        for turn, user in enumerate(itertools.cycle(users)):
            if time.monotonic() > end:
                return
            body = {"user_id": user, "k": 10, "offset": turn // len(users)}  # nothing is answered from memory
            began = time.perf_counter()
            content = await self._post(session, body)
            self.took.append(time.perf_counter() - began)
            self.fallbacks += content[1]
            if content[0] != 200:
                raise SystemExit(f"a request for ten items was answered {content[0]}")
            await asyncio.sleep(PAUSE)

    async def _heavy(self, session: aiohttp.ClientSession, number: int, end: float) -> None:
        luck = random.Random(f"heavy {number}")
        while time.monotonic() < end:
            history = luck.choices(self.items, k=LONGEST)
            self.heavy.append(await self._post(session, {"history": history, "k": LONGEST, "exclude_seen": False}))

    async def _post(self, session: aiohttp.ClientSession, body: dict[str, Any]) -> tuple[int, bool]:
        async with session.post(f"{self.url}/recommend", json=body) as answer:
            content = await answer.json()
            return answer.status, bool(content.get("fallback"))


def rows(release: Path) -> list[Row]:
    """Row fair-share."""
    with serving("services.recommender:Recommender", release, settings={"STRATA_WORKERS": "2"}) as url:
        warming, alone, beside = (Load(url, release) for _ in range(3))
        asyncio.run(warming.run(heavy=True))
        asyncio.run(alone.run(heavy=False))
        asyncio.run(beside.run(heavy=True))
    if alone.fallbacks or beside.fallbacks:
        raise SystemExit(f"{alone.fallbacks} and {beside.fallbacks} requests for ten items fell back")
    p95s = [1e3 * float(np.quantile(load.took, 0.95)) for load in (alone, beside)]
    good = sum(status == 200 and not fallback for status, fallback in beside.heavy)
    what = (
        f"95th percentile of requests for ten items of {NORMAL} clients while {HEAVY} others ask for {LONGEST:,} items "
        f"by a history of {LONGEST:,}, over that without these ({p95s[1]:.0f} against {p95s[0]:.0f} ms; no fallback; "
        f"{good} of {len(beside.heavy)} long ones were answered in full)."
    )
    return [Row("fair-share", what, *[p95s[1] / p95s[0]] * 3, "times", len(beside.took))]
