"""Load on the loopback: latencies of the API under concurrent clients, beside those of an endpoint that does nothing.

python -m benchmarks.serve --release artifacts/release
"""

import argparse
import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import numpy as np
import polars as pl

from strata.data.schema import ITEM, USER
from strata.release.layout import Part

ROOT = Path(__file__).parent.parent
Call = tuple[str, dict[str, object]]
TEXTS = ("space films with robots", "a quiet drama about a family", "westerns", "something scary for the weekend")


def users(release: Path) -> Iterator[Call]:
    """Ten items for each known user in turn."""
    ids = pl.read_parquet(release / Part.USERS)[USER].to_list()
    yield from (("/recommend", {"user_id": user, "k": 10}) for user in itertools.cycle(ids))


def mixed(release: Path) -> Iterator[Call]:
    """Of ten requests eight for known users, one for a visitor's history, one for a text."""
    items = itertools.cycle(pl.read_parquet(release / Part.ITEMS)[ITEM].to_list())
    texts = (f"{text} {number}" for number, text in enumerate(itertools.cycle(TEXTS)))
    for number, call in enumerate(users(release)):
        if number % 10 == 4:
            yield "/recommend", {"history": list(itertools.islice(items, 3)), "k": 10}
        elif number % 10 == 9:
            yield "/recommend", {"text": next(texts), "k": 10}
        else:
            yield call


def nothing(_: Path) -> Iterator[Call]:
    """The endpoint that does nothing."""
    return itertools.repeat(("/nothing", {}))


LOADS: dict[str, tuple[str, Callable[[Path], Iterator[Call]]]] = {
    "empty endpoint": ("benchmarks.empty:Empty", nothing),
    "known users": ("services.recommender:Recommender", users),
    "mixed": ("services.recommender:Recommender", mixed),
}


@contextmanager
def serving(target: str, release: Path, code: Path = ROOT, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve `target` of the folder `code` on a free port of the loopback; gives its URL once it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="strata-load-") as home:
        environment = {
            "BENTOML_HOME": home,
            "BENTOML_DO_NOT_TRACK": "true",
            "PYTHONPATH": str(code),
            "STRATA_RELEASE": str(release.absolute()),
            "STRATA_JOURNAL": str(Path(home) / "journal.sqlite"),
            "STRATA_CLOCK": "data",
            "STRATA_OPEN": "true",
            **(settings or {}),
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "bentoml", "serve", target, "--host", "127.0.0.1", "--port", str(port)],
            cwd=code,
            # How many threads linear algebra has is the service's to say.
            env={name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def _wait(url: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5)  # noqa: S310
        except (urllib.error.URLError, OSError):
            if server.poll() is not None:
                raise SystemExit("the server ended; run its command by hand to see why") from None
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the server did not become ready within two minutes")


async def load(url: str, calls: Iterator[Call], clients: int, seconds: float) -> dict[str, float]:
    """Keep `clients` requests in flight for `seconds`; each starts when its client's last one is answered."""
    took: list[float] = []
    statuses: list[int] = []
    fallbacks = 0
    began = time.perf_counter()
    end = began + seconds

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal fallbacks
        while time.perf_counter() < end:
            path, request = next(calls)
            start = time.perf_counter()
            try:
                async with session.post(url + path, json=request) as answer:
                    body = await answer.read()
                    statuses.append(answer.status)
                    fallbacks += b'"fallback":true' in body
            except aiohttp.ClientError:
                statuses.append(599)
            took.append(time.perf_counter() - start)

    # aiohttp's client leaves more of the machine to the server than httpx's does.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=clients)) as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    lasted = time.perf_counter() - began  # until the last is answered
    p50, p95, p99 = (round(float(1_000 * each), 1) for each in np.quantile(took, (0.5, 0.95, 0.99)))
    return {
        "requests": len(took),
        "per_second": round(len(took) / lasted, 1),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "5xx": sum(status >= 500 for status in statuses),
        "4xx": sum(400 <= status < 500 for status in statuses),
        "fallbacks": fallbacks,
    }


def main() -> int:
    """Run all loads and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__.splitlines()[0])
    parser.add_argument("--release", type=Path, default=Path("artifacts/release"))
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    for name, (target, calls) in LOADS.items():
        with serving(target, options.release) as url:
            asyncio.run(load(url, calls(options.release), min(options.clients, 8), min(2, options.seconds)))  # warm
            found[name] = asyncio.run(load(url, calls(options.release), options.clients, options.seconds))
    for figures in found.values():
        figures["p50_to_empty"] = round(figures["p50_ms"] / found["empty endpoint"]["p50_ms"], 2)
    columns = list(next(iter(found.values())))
    print(f"{'':<16}" + "".join(f"{column:>14}" for column in columns))
    for name, figures in found.items():
        print(f"{name:<16}" + "".join(f"{figures[column]:>14,}" for column in columns))
    if options.json:
        about = {
            "clients": options.clients,
            "seconds": options.seconds,
            "cores": os.cpu_count(),
        }
        options.json.write_text(json.dumps({**about, "loads": found}, indent=2) + "\n", encoding="utf-8")
    return 1 if any(figures["5xx"] for figures in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
