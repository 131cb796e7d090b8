"""The tiering benchmark says what a pass over all users holds in memory, and writes it down as evidence."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import tiering
from benchmarks.tiering import evidence, measure, own_memory
from tests.benchmarks.test_evidence_context import write_workspace


def test_own_memory_counts_what_is_held_and_not_what_is_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.ones(2**23))
    with own_memory() as before:
        pass
    with own_memory() as mapped:
        assert np.load(tmp_path / "large.npy", mmap_mode="r").sum() == 2**23
        mapped.look()
    with own_memory() as held:
        ones = np.ones(10 * 2**23)  # more than this process keeps of what other tests freed
        held.look()
    assert ones.nbytes == 10 * 2**26
    assert mapped.peak_mb < before.peak_mb + 32
    assert held.peak_mb > before.peak_mb + 600


def test_every_user_is_profiled_whatever_the_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_workspace(tmp_path)
    (folder / "artifacts" / "models" / "backtest").rename(folder / "artifacts" / "models" / "live")
    monkeypatch.setattr(tiering, "PER_SHARD", 10)
    once, more = (measure(users, folder) for users in (40, 85))
    assert once["users"] == 40
    assert 2 * once["points"] < more["points"] < 3 * once["points"], "the same four shards come again"
    assert more["rate"] == pytest.approx(85 / more["seconds"])


def test_memory_is_held_against_that_of_the_fewest_users() -> None:
    runs = [
        {"users": 10, "points": 30, "seconds": 2.0, "rate": 5.0, "peak_mb": 600.0},
        {"users": 100, "points": 300, "seconds": 10.0, "rate": 10.0, "peak_mb": 620.0},
    ]
    rows = {row.id: row for row in evidence(runs)}
    assert set(rows) == {"tiering-memory-10", "tiering-rate-10", "tiering-memory-100", "tiering-rate-100"}
    assert rows["tiering-memory-10"].reference is None
    assert (rows["tiering-memory-100"].reference, rows["tiering-memory-100"].low) == (600.0, 20.0)
    assert rows["tiering-rate-100"].value == 10.0
