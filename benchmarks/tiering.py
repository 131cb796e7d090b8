"""How fast, and in how much memory, all users' interests are found and sorted into tiers: python -m benchmarks.tiering.

Simulated users over the workspace's own catalogue go through the very pass of the stage `tier`, shard by shard, each
number of users in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row, write_evidence
from benchmarks.simulate import SimulationSettings, simulate
from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import CATEGORIES
from strata.embeddings.space import InterestSpace
from strata.interests.profiling import Profiler
from strata.interests.settings import tier_settings
from strata.interests.shards import merge, profile_shards
from strata.interests.themes import Themes

NOW = 1_500_000_000.0
PER_SHARD = 2_000
DISTINCT = 4
"""Shards that are simulated; their users come again under other ids, for it is tiering that is timed."""
EVENTS = 100
"""Latest events of each user."""
USERS: Final = (10_000, 100_000, 1_000_000)
REPORTS: Final = 20
"""Times a run says how far it is."""
console = Console(stderr=True, highlight=False)


class OwnMemory:
    """Largest memory of this process so far in MB, looked at ten times a second.

    Pages of mapped files are left out: the system takes them back whenever it needs them.
    """

    def __init__(self) -> None:
        self.peak_mb = 0.0

    def look(self) -> None:
        """Take what the process holds now into account."""
        held = psutil.Process().memory_info()
        self.peak_mb = max(self.peak_mb, (held.rss - held.shared) / 2**20)


@contextmanager
def own_memory() -> Iterator[OwnMemory]:
    """Watch the memory of this process from another thread."""
    memory, done = OwnMemory(), threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            memory.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()
        memory.look()


def latest(history: History, events: int) -> History:
    """The last `events` of each user."""
    return history.keep(history.age_in_events() < events)


def measure(users: int, workspace: Path) -> dict[str, float]:
    """Profile so many users; points, seconds, users per second and the most memory held, in MB."""
    artifacts = workspace / "artifacts"
    catalogue = Catalogue.read(artifacts / "tables" / "items.parquet")
    live = artifacts / "models" / "live"
    space, themes = InterestSpace.read(live / "space"), Themes.read(live / "themes")
    groups = catalogue.items[CATEGORIES].list.first().rank("dense").fill_null(0).cast(pl.Int64).to_numpy() - 1
    settings = tier_settings(workspace / "params.yaml")
    simulation = SimulationSettings(users=PER_SHARD)
    drawn = [
        latest(simulate(groups, np.ones(len(catalogue)), simulation, time=NOW, shard=k).history, EVENTS)
        for k in range(min(DISTINCT, -(-users // PER_SHARD)))
    ]
    ids = np.arange(users).astype(f"U{len(str(users))}")
    profiler = Profiler.of(catalogue, space, themes, settings)

    def histories() -> Iterator[tuple[int, History]]:
        for first in range(0, users, PER_SHARD):
            yield first, drawn[first // PER_SHARD % DISTINCT].of_users(0, min(PER_SHARD, users - first))

    with tempfile.TemporaryDirectory(prefix="strata-tiering-") as scratch, own_memory() as memory:
        start = time.perf_counter()
        parts = []
        for part in profile_shards(histories(), profiler, NOW, ids, Path(scratch) / "parts"):
            parts.append(part)
            done = min(len(parts) * PER_SHARD, users)
            if done * REPORTS // users > (done - PER_SHARD) * REPORTS // users:
                seconds = time.perf_counter() - start
                console.print(f"{done:,} of {users:,} users in {seconds:,.0f} s, {memory.peak_mb:,.0f} MB")
        summary = merge(parts, Path(scratch) / "profiles")
        seconds = time.perf_counter() - start
    return {
        "users": users,
        "points": float(str(summary["points"])),
        "seconds": seconds,
        "rate": users / seconds,
        "peak_mb": memory.peak_mb,
    }


def evidence(found: Sequence[dict[str, Any]]) -> list[Row]:
    """Memory and speed of each run as evidence; memory is held against that of the fewest users."""
    fewest = found[0]
    one_run = f"{EVENTS} events a user, simulated; one run, so without an interval."
    rows = []
    for run in found:
        users, peak, rate = run["users"], run["peak_mb"], run["rate"]
        against: dict[str, Any] = {}
        if run is not fewest:
            against = {"reference": fewest["peak_mb"], "reference_name": f"{fewest['users']:,} users"}
        more = peak - against.get("reference", 0)
        memory = f"Most memory that a process held, mapped files left out, which tiered all users: {one_run}"
        speed = f"Users found, named, tiered and written per second: {one_run}"
        rows.append(Row(f"tiering-memory-{users}", memory, peak, more, more, "MB", users, **against))
        rows.append(Row(f"tiering-rate-{users}", speed, rate, rate, rate, "users per second", users))
    return rows


def main() -> None:
    """Print the table, one row for each number of users, and write it where an output is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiering", description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=USERS)
    parser.add_argument("--workspace", type=Path, default=Path(), help="of a catalogue (default: this one)")
    parser.add_argument("--output", type=Path, help="folder of the evidence files, such as docs/evidence")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(options.one, options.workspace)))
        return
    table = Table("users", "points", "seconds", "users/s", "peak memory, MB", title=f"{EVENTS} events a user")
    found = []
    for users in sorted(options.users):
        command = [sys.executable, "-m", "benchmarks.tiering", "--one", str(users), "--workspace", options.workspace]
        run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        found.append(run)
        table.add_row(
            f"{users:,}", f"{run['points']:,.0f}", f"{run['seconds']:.1f}", f"{run['rate']:,.0f}",
            f"{run['peak_mb']:,.0f}",
        )  # fmt: skip
    Console().print(table)
    if options.output:
        write_evidence(
            "evidence", "tiering", evidence(found), Context.read(options.workspace, console.print).split, options.output
        )


if __name__ == "__main__":
    main()
