"""How fast the service answers and keeps, beside endpoints that only send or insert, under the same load in one run."""

import asyncio
import itertools
import json
import random
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.serve import Call, load, serving
from strata.data.schema import ITEM, USER
from strata.release.layout import Part

CLIENTS, SECONDS, WARMING = 32, 15.0, 5.0
SERVICE, PEER = "services.recommender:Recommender", "benchmarks.service.peer:Peer"
TIMES: Final = 10
"""Times that a user comes where users repeat; one request in twenty is an event then."""
TRIALS: Final = 10_000
BATCH: Final = 1_000


SETTINGS: Final = {"STRATA_WORKERS": "2", "STRATA_RATE": "1000000/second"}
"""Limits are not what is measured."""


def rows(release: Path) -> list[Row]:
    """Rows recommend-…, recommend-p99 and search-alone."""
    users, items = _ids(release)
    with serving(SERVICE, release, settings=SETTINGS) as url:
        body = _post(url, "/recommend", {"user_id": users[0], "k": 10})
        ours = {
            "recommend-once": _rate(url, _users(users)),
            "recommend-once-plain": _rate(url, _users(users, explain=False)),
            "recommend-warm": _rate(url, _repeating(users, items)),
        }
        found = [_search(url), _calm(url, users, ours["recommend-once"] / 2)]
    with _peer(release, body) as url:
        sending = _rate(url, (("/list", call) for _, call in _users(users)))
    told = f"Lists a second of {CLIENTS} clients over those of an endpoint that sends a list of the same size"
    what = {
        "recommend-once": "each user once, 10 items with reasons",
        "recommend-once-plain": "each user once, 10 items without reasons",
        "recommend-warm": f"each user {TIMES} times, one request in twenty an event",
    }
    for id, rate in ours.items():
        found.append(_row(id, f"{told}: {what[id]} ({rate:.0f} against {sending:.0f}).", rate / sending, "times", 1))
    return found


def event_rows(release: Path) -> list[Row]:
    """Rows event-visible, event-cost and event-batch."""
    users, items = _ids(release)
    with serving(SERVICE, release, settings=SETTINGS) as url:
        body = _post(url, "/recommend", {"user_id": users[0], "k": 10})
        keeping = asyncio.run(_one_by_one(url, (("/events", _event(users, items, n)) for n in range(1_000))))
        found = [_batches(url, users, items), _visible(url, users, items)]
    with _peer(release, body) as url:
        inserting = asyncio.run(_one_by_one(url, (("/insert", _event(users, items, n)) for n in range(1_000))))
        nothing = asyncio.run(_one_by_one(url, (("/list", _event(users, items, n)) for n in range(1_000))))
    cost = float(np.median(keeping)) / float(np.median(inserting))
    medians = ", ".join(f"{1e3 * float(np.median(each)):.2f}" for each in (keeping, inserting, nothing))
    compared = "Median time of /events over that of an endpoint that inserts and waits for the disk"
    what = f"{compared} (ours, its, one that does nothing: {medians} ms)."
    return [*found, _row("event-cost", what, cost, "times", 1_000)]


def _ids(release: Path) -> tuple[list[str], list[str]]:
    return (
        pl.read_parquet(release / Part.USERS)[USER].to_list(),
        pl.read_parquet(release / Part.ITEMS)[ITEM].to_list(),
    )


@contextmanager
def _peer(release: Path, body: bytes) -> Iterator[str]:
    """The address of the peer, which sends `body` and inserts."""
    with tempfile.TemporaryDirectory(prefix="strata-peer-") as folder:
        (Path(folder) / "body.json").write_bytes(body)
        files = {"PEER_BODY": f"{folder}/body.json", "PEER_STORE": f"{folder}/events.sqlite"}
        with serving(PEER, release, settings=SETTINGS | files) as url:
            yield url


def _row(id: str, what: str, value: float, unit: str, n: int) -> Row:
    return Row(id, what, float(value), float(value), float(value), unit, n)


def _users(users: list[str], **options: Any) -> Iterator[Call]:
    """Each user once, in an order of chance; more than all of them make another request of it."""
    order = random.Random(7).sample(users, len(users))
    for turn in itertools.count():
        yield from (("/recommend", {"user_id": user, "k": 10, "offset": 10 * turn, **options}) for user in order)


def _repeating(users: list[str], items: list[str]) -> Iterator[Call]:
    luck = random.Random(8)
    for number, user in enumerate(itertools.cycle(luck.sample(users, len(users)))):
        for _ in range(TIMES):
            yield "/recommend", {"user_id": user, "k": 10}
        if number % 2:
            yield "/events", _event(users, items, number, user)


def _event(users: list[str], items: list[str], number: int, user: str = "") -> dict[str, object]:
    luck = random.Random(number)
    event = {"user_id": user or luck.choice(users), "item_id": luck.choice(items), "behaviour": "view"}
    return {"events": [event]}


def _rate(url: str, calls: Iterator[Call]) -> float:
    """Requests a second, once the service is warm. Raises SystemExit where any failed."""
    asyncio.run(load(url, calls, CLIENTS, WARMING))
    found = asyncio.run(load(url, calls, CLIENTS, SECONDS))
    if found["5xx"] or found["4xx"] or found["fallbacks"]:
        raise SystemExit(f"requests failed or fell back, so that nothing can be said: {found}")
    return float(found["per_second"])


async def _one_by_one(url: str, calls: Iterator[Call]) -> list[float]:
    """Seconds of each of some requests of a single client."""
    took = []
    async with aiohttp.ClientSession() as session:
        for path, body in calls:
            start = time.perf_counter()
            async with session.post(url + path, json=body) as answer:
                await answer.read()
                if answer.status != 200:
                    raise SystemExit(f"{path}: {answer.status}")
            took.append(time.perf_counter() - start)
    return took


def _search(url: str) -> Row:
    """Searches of a single client, each of another text, a tenth of a second apart."""

    async def searched() -> list[float]:
        took: list[float] = []
        for number in range(60):
            took += await _one_by_one(url, iter([("/search", {"text": f"space ocean film {number}", "k": 3})]))
            await asyncio.sleep(0.1)
        return took

    took = asyncio.run(searched())
    p95 = 1e3 * float(np.quantile(took[5:], 0.95))
    return _row("search-alone", "95th percentile of /search, each text new, one client.", p95, "ms", len(took) - 5)


def _calm(url: str, users: list[str], rate: float) -> Row:
    """Lists at a rate, asked for at moments of chance; what waits for its turn waits from the moment it was due."""
    calls, took, luck = _users(users), [], random.Random(11)

    async def ask(session: aiohttp.ClientSession, call: Call, due: float) -> None:
        async with session.post(url + call[0], json=call[1]) as answer:
            await answer.read()
            if answer.status != 200:
                raise SystemExit(f"{call[0]}: {answer.status}")
        took.append(time.perf_counter() - due)

    async def asked() -> None:
        due = time.perf_counter()
        end = due + SECONDS
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            while due < end:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(ask(session, next(calls), due))
                due += luck.expovariate(rate)

    asyncio.run(asked())
    what = f"99th percentile of /recommend, 10 items with reasons, at half the highest load ({rate:.0f} a second)."
    return _row("recommend-p99", what, 1e3 * float(np.quantile(took, 0.99)), "ms", len(took))


def _visible(url: str, users: list[str], items: list[str]) -> Row:
    """An event hides an item; the next list of that user, of another connection and so of any worker, lacks it."""

    async def tried() -> int:
        seen, luck = 0, random.Random(9)
        for _ in range(TRIALS // 100):
            user = luck.choice(users)
            async with aiohttp.ClientSession() as writing, aiohttp.ClientSession() as reading:
                for item in luck.sample(items, 100):
                    event = {"user_id": user, "item_id": item, "behaviour": "hide"}
                    async with writing.post(f"{url}/events", json={"events": [event]}) as answer:
                        assert answer.status == 200, await answer.text()
                    async with reading.get(f"{url}/users/{user}") as answer:
                        since = (await answer.json())["since"]
                        seen += any(each.get("item_id") == item and each["kind"] == "event" for each in since)
        return seen

    seen = asyncio.run(tried())
    return _row("event-visible", "Events that the next request of another client sees.", seen / TRIALS, "share", TRIALS)


def _batches(url: str, users: list[str], items: list[str]) -> Row:
    """Events a second in batches, of four clients."""
    luck = random.Random(10)

    def batches(client: int) -> Iterator[Call]:
        for number in range(25):
            events = [
                {
                    "user_id": luck.choice(users), "item_id": luck.choice(items), "behaviour": "view",
                    "event_id": f"b{client}-{number}-{place}",
                }
                for place in range(BATCH)
            ]  # fmt: skip
            yield "/events", {"events": events}

    made = [list(batches(client)) for client in range(4)]

    async def all_of_them() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(_one_by_one(url, iter(calls)) for calls in made))
        return time.perf_counter() - start

    seconds = asyncio.run(all_of_them())
    n = 4 * 25 * BATCH
    return _row("event-batch", f"Events kept, in batches of {BATCH:,}, four clients.", n / seconds, "events/s", n)


def _post(url: str, path: str, body: Mapping[str, object]) -> bytes:
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())
