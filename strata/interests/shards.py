"""All users' profiles, one shard of users at a time: memory is bounded, and a killed run can resume."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.format import open_memmap

from strata.data.history import History
from strata.data.schema import TIERS, USER_ROW
from strata.interests.corrections import Corrections
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.statements import NOTHING_STATED, Statements
from strata.storage import map_array, read_json, replacing, write_json

EVENTS_AT_ONCE = 200_000
"""Approximate events per shard; bounds memory whatever the number of users."""
TABLES = (("profiles.parquet", "points.npy"), ("dislikes.parquet", "dislikes.npy"))


def shards(history: History, events_at_once: int = EVENTS_AT_ONCE) -> Iterator[tuple[int, History]]:
    """Yield (row of the first user, history renumbered from 0) of consecutive users with about `events_at_once` events.

    A user's events are never split.
    """
    first = 0
    while first < history.n_users:
        full = np.searchsorted(history.offsets, history.offsets[first] + events_at_once, "right") - 1
        last = int(min(max(full, first + 1), history.n_users))
        yield first, history.of_users(first, last)
        first = last


def profile_shards(
    histories: Iterable[tuple[int, History]],
    profiler: Profiler,
    time: float,
    user_ids: np.ndarray,
    scratch: Path,
    statements: Statements = NOTHING_STATED,
    corrections: Corrections | None = None,
    progress: Callable[[int], None] = lambda users: None,
) -> Iterator[Path]:
    """Profiles of each shard as a folder under `scratch`; folders that a killed run left there are reused.

    `histories`: each shard's first user and events, as `shards` gives them; `user_ids` are those of all users.
    `scratch` must be specific to these inputs and this code (put a fingerprint of both in its name). `progress` is
    called with the number of users done.
    """
    for first, history in histories:
        last = first + history.n_users
        part = scratch / f"users-{first:09d}"
        if not part.exists():
            ids = user_ids[first:last]
            profiles, faded = profiler.profiles(history, time, ids, statements.of_users(first, last))
            if corrections is not None:
                profiles = corrections.apply(profiles, ids, profiler.themes, profiler.catalogue.ids)
            with replacing(part) as temporary:
                temporary.mkdir()
                _shifted(profiles, first).write(temporary)
                write_json({"faded": faded}, temporary / "faded.json")
        progress(last - first)
        yield part


def _shifted(profiles: Profiles, first: int) -> Profiles:
    """Profiles with `first` added to the user rows."""
    table = profiles.table.with_columns((pl.col(USER_ROW) + first).cast(pl.Int32))
    dislikes = None if profiles.dislikes is None else _shifted(profiles.dislikes, first)
    return Profiles(table, profiles.vectors, dislikes)


def merge(parts: list[Path], folder: Path) -> dict[str, object]:
    """Join the shards in `folder`, one at a time; returns counts for metrics.

    Users, their points and those of each tier: of who has events; `by_words`: users whose words alone are known.
    """
    for table, vectors in TABLES:
        _join_tables([part / table for part in parts], folder / table)
        _join_arrays([part / vectors for part in parts], folder / vectors)
    points = pl.scan_parquet(folder / "profiles.parquet")
    told, seen = (points.filter(pl.col("events").is_null() == alone) for alone in (True, False))
    by_tier = dict(seen.group_by("tier").len().collect().iter_rows())
    by_words, users = (part.select(pl.col(USER_ROW).n_unique()).collect().item() for part in (told, seen))
    n_points = sum(by_tier.values())
    return {
        "users": users,
        "by_words": by_words,
        "points": n_points,
        "points_per_user": round(n_points / max(users, 1), 3),
        **{tier: by_tier.get(tier, 0) for tier in TIERS},
        "shares": {tier: round(by_tier.get(tier, 0) / max(n_points, 1), 4) for tier in TIERS},
        "faded": sum(read_json(part / "faded.json")["faded"] for part in parts),
        "dislikes": pq.read_metadata(folder / "dislikes.parquet").num_rows,
    }


def discard(scratch: Path) -> None:
    """Remove the shards of this and earlier runs of the same stage."""
    shutil.rmtree(scratch.parent, ignore_errors=True)


def _join_tables(parts: list[Path], path: Path) -> None:
    schema = pq.read_schema(parts[0])
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for part in parts:
            table: pa.Table = pq.read_table(part)
            writer.write_table(table.cast(schema))


def _join_arrays(parts: list[Path], path: Path) -> None:
    rows = [len(map_array(part)) for part in parts]
    dimension = map_array(parts[0]).shape[1]
    with replacing(path) as temporary:
        whole = open_memmap(temporary, mode="w+", dtype=np.float32, shape=(sum(rows), dimension))
        start = 0
        for part, count in zip(parts, rows, strict=True):
            whole[start : start + count] = map_array(part)
            start += count
        whole.flush()
