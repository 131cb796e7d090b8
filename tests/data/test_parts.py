"""Large tables: read and cleaned in parts, a small block at a time, they come out as they do in one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from strata.data import parts, suspicious
from strata.data.cleaning import Cleaned, CleaningSettings, clean
from strata.data.schema import USER
from strata.data.sources import tables
from strata.data.sources.adapters import SourceSettings, read_source
from tests.data.test_cleaning import RULES

NOW = datetime(2024, 6, 1, tzinfo=UTC)
START = 1_700_000_000


def log(folder: Path, rng: np.random.Generator, *, ids: bool) -> Path:
    """People, machines, copies, a flood, faults of all kinds, and events that stand twice; shuffled."""
    rows: list[dict[str, Any]] = []
    for user in range(240):
        first = START + 3_000 * user
        items = [f"i{item}" for item in rng.choice(60, rng.integers(1, 30), replace=False)]
        times = first + np.cumsum(rng.exponential(4_000, len(items)))
        if 100 <= user < 140:
            items[0], times[0] = "i60", first
        kinds = rng.choice(["view", "purchase", "rate", "search", "Like"], len(items))
        rows += [
            {"user_id": f"u{user}", "item_id": item, "behaviour": kind, "timestamp": int(time), "value": int(value)}
            for item, kind, time, value in zip(items, kinds, times, rng.integers(-1, 7, len(items)), strict=True)
        ]
    for user in ("m1", "m2"):
        rows += [
            {"user_id": user, "item_id": f"i{n % 50}", "behaviour": "view", "timestamp": START + n // 4}
            for n in range(420)
        ]
    rows += [
        {
            "user_id": f"c{user}",
            "item_id": f"i{n}",
            "behaviour": "view",
            "timestamp": START + 90_000 * user + 61 * n * n,
        }
        for user in range(7)
        for n in range(20)
    ]
    rows += [rows[place] for place in rng.choice(len(rows), 60)]
    for fault in ({"user_id": None}, {"item_id": "ghost"}, {"timestamp": 0}, {"behaviour": "stare"}):
        rows += [rows[place] | fault for place in rng.choice(len(rows), 5)]
    rows += [
        rows[place] | {"behaviour": "search", "item_id": None, "text": "<b>sea</b> &amp; sand"} for place in range(9)
    ]
    rows = [rows[place] for place in rng.permutation(len(rows))]
    if ids:
        rows = [row | {"event_id": f"event number {n % (len(rows) - 40)}"} for n, row in enumerate(rows)]
    pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / "events.csv")
    pl.DataFrame({"item_id": [f"i{n}" for n in range(61)], "title": "A film"}).write_csv(folder / "items.csv")
    return folder


@contextmanager
def small_parts(rows: int) -> Iterator[None]:
    """No more than `rows` rows at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "IN_MEMORY", rows)
        patch.setattr(parts, "AT_ONCE", rows)
        patch.setattr(parts, "HASHES", rows)
        patch.setattr(tables, "BLOCK", rows)
        patch.setattr(suspicious, "RUNS", rows)
        yield


def result(folder: Path, rules: CleaningSettings) -> Cleaned:
    tables = {"interactions": {"file": "events.csv", "time_unit": "s"}, "items": {"file": "items.csv"}}
    return clean(read_source(SourceSettings.model_validate({"folder": folder, **tables})), rules, NOW)


CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"repeated_purchases": "sum", "returns": "against", "orphans": "keep", "longest_text": 6},
    {"suspicious": "keep", "unrated": "refuse", "repeated_purchases": "drop"},
    {"amounts": {"purchase": {"by": "value"}}, "rating": {"lowest": 0, "neutral": 2, "highest": 5}},
)


@pytest.mark.parametrize("ids", [False, True], ids=["made ids", "given ids"])
@pytest.mark.parametrize("change", CHANGES, ids=["plain", "sums", "kept", "amounts"])
def test_parts_come_out_as_one(tmp_path: Path, change: dict[str, Any], ids: bool) -> None:  # noqa: FBT001
    folder = log(tmp_path, np.random.default_rng(5), ids=ids)
    rules = CleaningSettings.model_validate(RULES.model_dump() | change)
    whole = result(folder, rules)
    with small_parts(300):
        apart = result(folder, rules)
        assert len(whole.events.frames) == 1
        assert len(apart.events.frames) > 5
        for name in ("interactions", "items", "users", "quarantine", "words", "suspicious"):
            assert getattr(apart, name).equals(getattr(whole, name)), name
        assert apart.suspicious["sign"].n_unique() == 4
        for name, counts in whole.counts.items():
            assert (apart.counts[name].read, apart.counts[name].refusals) == (counts.read, counts.refusals)
            assert sorted(map(str, apart.counts[name].findings)) == sorted(map(str, counts.findings))
        apart.events.write(tmp_path / "apart.parquet")
        assert pl.read_parquet(tmp_path / "apart.parquet").equals(whole.interactions)


def test_files_of_parts_are_gone_with_them(tmp_path: Path) -> None:
    with small_parts(10):
        store = parts.Store()
        store.add(pl.DataFrame({USER: [f"u{n}" for n in range(20)]}))
        table = store.parts()
        assert table.folder is not None
        folder = table.folder.path
        assert table.height == 20
        assert list(folder.iterdir())
    del store, table
    assert not folder.exists()


def test_ranges_follow_one_another_and_no_value_is_in_two() -> None:
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({USER: [f"u{n}" for n in rng.integers(0, 90, 1_000)]}).with_row_index("row")
    found = parts.apart([frame.head(400), frame.tail(600)], USER, parts.bounds(parts.Parts.of(frame), USER, 100))
    frames = list(found)
    assert len(frames) == 10
    assert sum(each.height for each in frames) == 1_000
    for before, after in zip(frames, frames[1:], strict=False):
        assert before[USER].max() < after[USER].min()  # type: ignore[operator]
        assert before["row"].is_sorted()
