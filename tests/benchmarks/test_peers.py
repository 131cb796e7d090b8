"""Peers learn from what comes before the test, see none of its items, and what they rank comes back under its ids."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers import environment as peers_environment
from benchmarks.peers.__main__ import main
from benchmarks.peers.environment import FOLDER, environment, ready
from benchmarks.peers.grids import LENGTH, PEERS, PLACES, SEEDS
from benchmarks.peers.split import PARTS, Split
from strata.errors import FetchError, SourceError

START = datetime(2020, 1, 1, tzinfo=UTC)


def events(sequences: dict[str, list[str]], start: int = 0) -> pl.DataFrame:
    """Each user's items, a second apart."""
    rows = [
        (user, item, START + timedelta(seconds=start + k), 1.0)
        for user, items in sequences.items()
        for k, item in enumerate(items)
    ]
    columns = ["user_id", "item_id", "timestamp", "value"]
    schema = dict(zip(columns, [pl.String, pl.String, pl.Datetime("us", "UTC"), pl.Float64], strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


def leave_two(sequences: dict[str, list[str]]) -> dict[str, pl.DataFrame]:
    """All but the last two events, the last but one, the last."""
    cuts = {"train": slice(None, -2), "validation": slice(-2, -1), "test": slice(-1, None)}
    return {
        part: events({user: items[cut] for user, items in sequences.items()}, start=1_000 * PARTS.index(part))
        for part, cut in cuts.items()
    }


def write(parts: dict[str, pl.DataFrame], folder: Path) -> Path:
    for part, table in parts.items():
        table.write_parquet(folder / f"{part}.parquet")
    return folder


def walks(users: int = 60) -> dict[str, list[str]]:
    """Users who walk through 40 items in one direction, ids with what would break a line."""
    rng = np.random.default_rng(0)
    starts, lengths = rng.integers(0, 40, users), rng.integers(5, 25, users)
    return {
        f"user {user}": [f"item\t{(start + k) % 40}" for k in range(length)]
        for user, (start, length) in enumerate(zip(starts, lengths, strict=True))
    }


@given(st.lists(st.integers(3, 130), min_size=1, max_size=6), st.integers(0, 1_000))
def test_every_event_but_a_users_first_is_learned_from_and_no_later_one(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sequences = {f"u{user}": [str(item) for item in rng.permutation(130)[:n]] for user, n in enumerate(lengths)}
    split = Split.of(leave_two(sequences))
    windows: dict[int, list[tuple[list[int], int]]] = {}
    for user, items, following in split.windows():
        windows.setdefault(user, []).append((items, following))
    for user, name in enumerate(split.users):
        learned = [split.items.to_list().index(item) for item in sequences[name][:-2]]
        reads = windows.get(user, [])
        targets = [target for items, following in reads for target in [*items[1:], following]]
        assert sorted(targets) == sorted(learned[1:])
        for items, following in reads:
            assert len(items) <= LENGTH
            end = learned.index(following)
            assert items == learned[end - len(items) : end]


def test_peers_are_asked_about_known_users_and_told_nothing_of_the_test(tmp_path: Path) -> None:
    parts = leave_two(
        {"a": ["1", "2", "3", "4", "5"], "b": ["2", "3", "4", "1", "9"], "late": ["3", "4"], "new": ["5"]}
    )
    Split.read(write(parts, tmp_path)).write(tmp_path)
    asked = json.loads((tmp_path / "queries.json").read_text())
    users, items = ["a", "b", "late"], ["1", "2", "3", "4"]
    named = {phase: [users[user] for user in asked[phase]["user"]] for phase in ("validation", "test")}
    assert named == {"validation": ["a", "b"], "test": ["a", "b"]}
    assert [[items[item] for item in row] for row in asked["validation"]["history"]] == [
        ["1", "2", "3"],
        ["2", "3", "4"],
    ]
    assert [[items[item] for item in row] for row in asked["validation"]["relevant"]] == [["4"], ["1"]]
    assert [[items[item] for item in row] for row in asked["test"]["history"]] == [
        ["1", "2", "3", "4"],
        ["2", "3", "4", "1"],
    ]
    assert set(asked["test"]) == {"user", "history"}
    assert asked["items"] == len(items)


def test_rankings_come_back_under_their_ids_without_empty_places() -> None:
    split = Split.of(leave_two({"b": ["x", "y", "z", "w"], "a": ["y", "x", "w", "z"]}))
    ranked = split.rankings(np.array([1, 0]), np.array([[2, 0, -1], [1, -1, -1]]))
    assert ranked.rows() == [("b", "y", 1), ("b", "w", 2), ("a", "x", 1)]


def test_times_may_be_seconds(tmp_path: Path) -> None:
    parts = leave_two(walks())
    seconds = {part: table.with_columns(pl.col("timestamp").dt.epoch("s").cast(float)) for part, table in parts.items()}
    (tmp_path / "dates").mkdir()
    (tmp_path / "seconds").mkdir()
    dates = Split.read(write(parts, tmp_path / "dates"))
    again = Split.read(write(seconds, tmp_path / "seconds"))
    assert all(dates.parts[part].equals(again.parts[part]) for part in PARTS)


def test_a_split_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    parts = leave_two(walks())
    with pytest.raises(SourceError, match=r"train\.parquet does not exist; name a folder"):
        Split.read(tmp_path)
    write(parts, tmp_path)
    parts["validation"].drop("item_id").write_parquet(tmp_path / "validation.parquet")
    with pytest.raises(SourceError, match=r"validation\.parquet has no column item_id"):
        Split.read(tmp_path)
    write(parts, tmp_path)
    parts["test"].with_columns(user_id=None).write_parquet(tmp_path / "test.parquet")
    with pytest.raises(SourceError, match=r"test\.parquet: 60 rows lack an id or a time \(first: row 1\)"):
        Split.read(tmp_path)
    write(parts, tmp_path)
    parts["train"].reverse().write_parquet(tmp_path / "train.parquet")
    with pytest.raises(SourceError, match=r"come before the event above them .*sort each user's rows by time"):
        Split.read(tmp_path)
    stranger = parts | {"test": events({"stranger": ["item"]})}
    with pytest.raises(SourceError, match=r"no user of test\.parquet is known from train\.parquet"):
        Split.of(stranger).write(tmp_path)


def test_all_peers_that_learn_have_the_same_number_of_settings() -> None:
    numbers = {name: len(peer.settings()) for name, peer in PEERS.items()}
    assert numbers == {"SASRec": 4, "LightGCN": 4, "BPR": 4, "Pop": 1}


@pytest.mark.slow
def test_the_environment_is_ready_only_with_what_is_pinned_now(tmp_path: Path, monkeypatch) -> None:
    pinned = tmp_path / "requirements.txt"
    monkeypatch.setattr(peers_environment, "REQUIREMENTS", pinned)
    pinned.write_text(f"{tmp_path}/missing\n")
    with pytest.raises(FetchError, match="run it again, or delete the folder"):
        environment(tmp_path / "env", say=lambda message: None)
    assert not ready(tmp_path / "env")
    pinned.write_text("")
    assert environment(tmp_path / "env", say=lambda message: None).samefile(sys.executable)
    said: list[str] = []
    environment(tmp_path / "env", say=said.append)
    assert not said
    pinned.write_text("# another")
    assert not ready(tmp_path / "env")


@pytest.mark.slow
@pytest.mark.skipif(not ready(FOLDER), reason="the peers' environment is not there; make peers builds it")
def test_peers_rank_what_is_new_to_the_users_they_know(tmp_path: Path) -> None:
    """Users walk through the items in order: who reads sequences finds the next one, who counts does not."""
    sequences = walks(120) | {"cold": ["item\t1"]}
    write(leave_two(sequences), tmp_path)
    main(tmp_path, tmp_path / "out")
    found = {}
    for name in PEERS:
        ranked = pl.read_parquet(tmp_path / "out" / f"{name}.parquet")
        assert ranked.columns == ["user_id", "item_id", "place"]
        assert set(ranked["user_id"]) == set(sequences) - {"cold"}
        for (user,), rows in ranked.group_by("user_id"):
            assert rows["place"].to_list() == list(range(1, len(rows) + 1))
            assert len(rows) == min(PLACES, 40 - len(set(sequences[user][:-1])))
            assert not set(rows["item_id"]) & set(sequences[user][:-1])
        first = dict(ranked.filter(place=1).select("user_id", "item_id").iter_rows())
        found[name] = np.mean([first[user] == items[-1] for user, items in sequences.items() if user in first])
    assert found["SASRec"] > 0.5 > found["Pop"]
    report = json.loads((tmp_path / "out" / "peers.json").read_text())
    assert set(report["peers"]) == set(PEERS)
    assert [seed["seed"] for seed in report["peers"]["SASRec"]["seeds"]] == list(SEEDS)
    assert (tmp_path / "out" / f"seed-{SEEDS[-1]}" / "BPR.parquet").exists()
