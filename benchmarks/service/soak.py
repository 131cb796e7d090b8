"""A mixed load while releases are swapped, the encoder is killed, and the journal's server is stopped and started."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
import polars as pl
import psutil

from benchmarks.evidence.files import Row
from benchmarks.serve import serving
from benchmarks.service.faults import MARKS, marked, workers
from strata.data.schema import ITEM, USER
from strata.online.opening import open_journal
from strata.release.layout import Part
from strata.release.registry import Registry
from tests.online.servers import RedisServer

CLIENTS: Final = 8
SWAPS, KILLS, OUTAGES = 20, 5, 3
OUTAGE: Final = 3.0
"""Seconds for which the journal's server is down."""
GRACE: Final = 3.0
"""Seconds after an outage in which what it broke may still show."""
MB: Final = 1 << 20


@dataclass
class Seen:
    """What clients saw."""

    statuses: Counter[tuple[str, int, bool]] = field(default_factory=Counter)
    """By path, status and whether the journal was down."""
    acknowledged: list[str] = field(default_factory=list)
    mixed: int = 0
    without_retry: int = 0
    releases: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[float]] = field(default_factory=dict)


class Soak:
    """One run."""

    def __init__(self, release: Path, seconds: float) -> None:
        self.seconds = seconds
        self.users = pl.read_parquet(release / Part.USERS)[USER].to_list()
        self.items = pl.read_parquet(release / Part.ITEMS)[ITEM].to_list()
        self.release = release
        self.seen = Seen()
        self.down_until = 0.0

    def run(self, folder: Path) -> list[Row]:
        """Run it in a folder; the rows."""
        ids = []
        store = Registry(folder / "releases")
        for place, mark in enumerate(MARKS):
            ids.append(marked(self.release, mark, folder / str(place)))
            store.add(folder / str(place) / "release")
        self.marks = dict(zip(ids, MARKS, strict=True))
        store.promote(ids[0])
        redis = RedisServer(folder / "redis")
        try:
            settings = {
                "STRATA_RELEASES": str(folder / "releases"), "STRATA_JOURNAL": redis.url, "STRATA_POLL_SECONDS": "0.5",
                "STRATA_RATE": "1000000/second",
            }  # fmt: skip
            with serving("services.recommender:Recommender", self.release, settings=settings) as url:
                asyncio.run(self._all(url, store, ids, redis))
            journal = open_journal(redis.url)
            kept = Counter(each.record.id for each in journal.of_kind(["event"]))
            journal.close()
        finally:
            redis.stop()
        return self._rows(kept)

    async def _all(self, url: str, store: Registry, ids: list[str], redis: RedisServer) -> None:
        self.end = time.monotonic() + self.seconds
        server = _server_of(url)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            await asyncio.gather(
                *(self._client(session, url, number) for number in range(CLIENTS)),
                self._swap(store, ids), self._kill(server), self._stop(redis), self._watch(server),
            )  # fmt: skip

    async def _client(self, session: aiohttp.ClientSession, url: str, number: int) -> None:
        luck, count = random.Random(number), 0
        while time.monotonic() < self.end:
            user, count = luck.choice(self.users), count + 1
            path, body = luck.choice(["/recommend", "/recommend", "/interests", "/events", "/search"]), {}
            if path == "/events":
                event = f"{number}-{count}"
                sent = {"user_id": user, "item_id": luck.choice(self.items), "behaviour": "view", "event_id": event}
                body = {"events": [sent]}
            elif path == "/search":
                body = {"text": f"film number {number} {count}", "k": 3}
            else:
                body = {"user_id": user}
            began_down = self._down()
            try:
                async with session.post(url + path, json=body) as answer:
                    content = await answer.json()
                    down = began_down or self._down()
                    self.seen.statuses[path, answer.status, down] += 1
                    self._look(path, answer, content, body)
            except (TimeoutError, aiohttp.ClientError):
                self.seen.statuses[path, 599, began_down or self._down()] += 1

    def _look(self, path: str, answer: aiohttp.ClientResponse, content: Any, body: Any) -> None:
        if answer.status == 503 and "Retry-After" not in answer.headers:
            self.seen.without_retry += 1
        if answer.status != 200:
            return
        if path == "/events":
            self.seen.acknowledged.append(body["events"][0]["event_id"])
        elif "items" in content:
            marks = {item["title"][:1] for item in content["items"]}
            self.seen.releases[content["release"]] += 1
            self.seen.mixed += bool(marks) and marks != {self.marks[content["release"]]}

    def _down(self) -> bool:
        return time.monotonic() < self.down_until + GRACE

    async def _swap(self, store: Registry, ids: list[str]) -> None:
        for turn in range(1, SWAPS + 1):
            await asyncio.sleep(self.seconds / (SWAPS + 1))
            await asyncio.to_thread(store.promote, ids[turn % 2])
            self.seen.faults["swaps"] += 1

    async def _kill(self, server: int) -> None:
        for _ in range(KILLS):
            await asyncio.sleep(self.seconds / (KILLS + 1))
            for process in workers(server, "encoder"):
                process.kill()
                self.seen.faults["encoders killed"] += 1

    async def _stop(self, redis: RedisServer) -> None:
        for _ in range(OUTAGES):
            await asyncio.sleep(self.seconds / (OUTAGES + 1) - OUTAGE)
            self.down_until = time.monotonic() + OUTAGE + 60
            await asyncio.to_thread(redis.kill)
            await asyncio.sleep(OUTAGE)
            await asyncio.to_thread(redis.start)
            self.down_until = time.monotonic()
            self.seen.faults["outages"] += 1

    async def _watch(self, server: int) -> None:
        while time.monotonic() < self.end:
            for process in workers(server, "recommender"):
                used = process.memory_info().rss / MB
                self.seen.memory.setdefault(str(process.pid), []).append(used)
            await asyncio.sleep(5)

    def _rows(self, kept: Counter[str]) -> list[Row]:
        seen = self.seen
        fired = ", ".join(f"{count} {what}" for what, count in seen.faults.items())
        refused = sum(count for (_, status, down), count in seen.statuses.items() if down and status == 503)
        said = f"{sum(seen.statuses.values()):,} requests of {CLIENTS} clients in {self.seconds:g} s; {fired}"
        lost = sum(1 for event in seen.acknowledged if kept[event] != 1)
        sound = {key: count for key, count in seen.statuses.items() if not key[2]}
        good = sum(count for (_, status, _), count in sound.items() if 200 <= status < 300)
        total = sum(sound.values())
        quarters = [np.array_split(used, 4) for used in seen.memory.values() if len(used) > 8]
        grown = max((float(parts[3].min() / parts[1].min()) for parts in quarters), default=1.0)
        answers = sum(seen.releases.values())
        return [
            _row("soak-lost", f"Acknowledged events that the journal has not exactly once; {said}.", lost, "events",
                 len(seen.acknowledged)),
            _row("soak-ok", f"Share of requests answered 2xx outside outages of the journal; {refused} answered 503 in "
                 f"them, {seen.without_retry} without Retry-After.", good / max(total, 1), "share", total),
            _row("soak-mixed", "Lists with titles of another release than they name.", seen.mixed, "lists", answers),
            _row("soak-memory",
                 "Memory of an API process in the last quarter over that in the second, the least in each, "
                 "as two releases lie in memory while one follows the other: the largest.",
                 grown, "times", len(seen.memory)),
        ]  # fmt: skip


def _row(id: str, what: str, value: float, unit: str, n: int) -> Row:
    return Row(id, what, float(value), float(value), float(value), unit, n)


def _server_of(url: str) -> int:
    """The process that serves on the port of an address."""
    port = int(url.rsplit(":", 1)[1])
    for each in psutil.process_iter(["pid", "cmdline"]):
        words = each.info["cmdline"] or []
        if "serve" in words and str(port) in words:
            return int(each.info["pid"])
    raise SystemExit(f"nothing serves on port {port}")


def rows(release: Path, seconds: float) -> list[Row]:
    """Rows soak-lost, soak-ok, soak-mixed and soak-memory."""
    with tempfile.TemporaryDirectory(prefix="strata-soak-") as folder:
        return Soak(release, seconds).run(Path(folder))
