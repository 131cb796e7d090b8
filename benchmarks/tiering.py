"""How fast, and in how much memory, all users' interests are found and sorted into tiers: python -m benchmarks.tiering.

Simulated users over the workspace's own catalogue go through the very pass of the stage `tier`, shard by shard, each
number of users in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from strata.history import History
from strata.interests import spread
from strata.phrases import Phrases
from strata.profiles import Naming
from strata.schema import CATEGORIES
from strata.settings import read_settings
from strata.shards import merge, profile_shards
from strata.simulate import SimulationSettings, simulate
from strata.storage import read_array
from strata.themes import Themes
from strata.tiers import TierSettings

NOW = 1_500_000_000.0
PER_SHARD = 2_000
DISTINCT = 4
"""Shards that are simulated; their users come again under other ids, for it is tiering that is timed."""
EVENTS = 100
"""Latest events of each user."""


def latest(history: History, events: int) -> History:
    """The last `events` of each user."""
    return history.keep(history.age_in_events() < events)


def measure(users: int, artifacts: Path) -> dict[str, float]:
    """Profile so many users; seconds, users per second and the largest resident set in MB."""
    items = pl.read_parquet(artifacts / "tables" / "items.parquet")
    vectors, themes = read_array(artifacts / "vectors" / "items.npy"), Themes.read(artifacts / "models/live/themes")
    groups = items[CATEGORIES].list.first().rank("dense").fill_null(0).cast(pl.Int64).to_numpy() - 1
    settings = read_settings(TierSettings, "tier")
    simulation = SimulationSettings(users=PER_SHARD)
    drawn = [
        latest(simulate(groups, np.ones(len(items)), simulation, time=NOW, shard=k).history, EVENTS)
        for k in range(DISTINCT)
    ]
    naming = Naming(Phrases(items), themes, np.arange(users).astype(str), items["item_id"].to_numpy())

    def histories() -> Iterator[tuple[int, History]]:
        for first in range(0, users, PER_SHARD):
            yield first, drawn[first // PER_SHARD % DISTINCT].of_users(0, min(PER_SHARD, users - first))

    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        height = settings.cut * spread(vectors)
        parts = list(profile_shards(histories(), vectors, NOW, naming, settings, height, Path(scratch) / "parts"))
        summary = merge(parts, Path(scratch) / "profiles")
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"users": users, "points": summary["points"], "seconds": seconds, "rate": users / seconds, "peak_mb": peak}


def main() -> None:
    """Print the table, one row for each number of users."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiering", description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="of a catalogue (default: artifacts)")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(options.one, options.artifacts)))
        return
    table = Table("users", "points", "seconds", "users/s", "peak memory, MB", title=f"{EVENTS} events a user")
    for users in options.users:
        command = [sys.executable, "-m", "benchmarks.tiering", "--one", str(users), "--artifacts", options.artifacts]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        table.add_row(
            f"{users:,}", f"{found['points']:,}", f"{found['seconds']:.1f}", f"{found['rate']:,.0f}",
            f"{found['peak_mb']:,.0f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
