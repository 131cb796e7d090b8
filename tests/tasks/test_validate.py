"""The stages validate and split as programs: tables, results and messages as a person meets them."""

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from strata.data.cleaning import Cleaned, CleaningSettings, Counts
from strata.data.parts import Parts
from strata.data.schema import INTERACTIONS, ITEMS, QUARANTINE, SUSPICIOUS, USERS, WORDS
from tests.places import ROOT

PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
INTERACTION_LINES = [
    f"u{n % 5},i{n % 4},{('view', 'rate', 'purchase')[n % 3]},2024-01-{n % 28 + 1:02},{n % 5 + 1}," for n in range(60)
]
ITEM_LINES = [
    "i0,三体：地球往事,科幻",
    "i1,The old man and the sea: a story,Drama",
    "i2,<b>Cats</b> &amp; dogs,Pets",
    "i3,,Pets",
]


def workspace(
    folder: Path,
    interactions: list[str] = INTERACTION_LINES,
    items: list[str] = ITEM_LINES,
    users: list[str] | None = None,
    **cleaning: Any,
) -> Path:
    """A folder with params.yaml and data as a person would set it up."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    source: dict[str, Any] = {"folder": "data", "interactions": {"file": "i.csv"}, "items": {"file": "t.csv"}}
    (data / "i.csv").write_text(
        "\n".join(["user_id,item_id,behaviour,timestamp,value,text", *interactions]), encoding="utf-8"
    )
    (data / "t.csv").write_text("\n".join(["item_id,title,categories", *items]), encoding="utf-8")
    if users is not None:
        source["users"] = {"file": "u.csv"}
        (data / "u.csv").write_text("\n".join(["user_id,profile_text", *users]), encoding="utf-8")
    params = {**PARAMS, "source": source, "cleaning": {**PARAMS["cleaning"], **cleaning}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return folder


def stage(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def files(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where validate has run on sixty good interactions and three bad ones."""
    bad = ["u1,ghost,view,2024-01-01,,", "u1,i1,view,1970-01-01,,", "u1,i1,view,2999-01-01,,"]
    folder = workspace(tmp_path_factory.mktemp("finished"), [*INTERACTION_LINES, *bad])
    done = stage(folder, "tasks.validate")
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_tables_conform_and_results_are_written(finished: Path) -> None:
    tables = finished / "artifacts" / "tables"
    schemas = {
        "interactions": INTERACTIONS, "items": ITEMS, "users": USERS, "quarantine": QUARANTINE,
        "suspicious": SUSPICIOUS, "words": WORDS,
    }  # fmt: skip
    assert {path.stem: pl.read_parquet_schema(path) for path in tables.iterdir()} == {
        name: dict(schema) for name, schema in schemas.items()
    }
    titles = pl.read_parquet(tables / "items.parquet").select("title", "language").rows()
    assert titles == [
        ("三体：地球往事", "zh"),
        ("The old man and the sea: a story", "en"),
        ("Cats & dogs", "en"),
        (None, None),
    ]
    validation = finished / "artifacts" / "validation"
    assert sorted(path.name for path in validation.iterdir()) == [
        "interactions.json",
        "items.json",
        "summary.json",
        "users.json",
    ]
    summary = json.loads((validation / "summary.json").read_text())
    assert summary["rows"] == {"interactions": 60, "items": 4, "users": 5}
    assert summary["tables"]["interactions"]["reasons"] == {
        "item_id is not in items": 1,
        "timestamp is zero": 1,
        "timestamp lies in the future": 1,
    }
    assert {"63", "60", "3"} <= set((finished / "said.txt").read_text().replace("│", " ").split())


@pytest.mark.parametrize("repeats", [False, True])
def test_that_people_buy_the_same_again_is_told_where_lists_leave_it_out(tmp_path: Path, repeats: bool) -> None:
    folder = workspace(tmp_path, [f"u{n % 5},i{n % 3},purchase,2024-02-{n // 5 + 1:02},," for n in range(100)])
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["recommend"]["repeats"] = repeats
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    said = stage(folder, "tasks.validate").stdout
    assert ("purchases of later days are of what the user had before" in said) is not repeats
    assert ("set recommend.repeats: true" in said) is not repeats


def test_results_hold_nothing_of_the_run_and_the_machine(finished: Path) -> None:
    for path in (finished / "artifacts" / "validation").iterdir():
        text = path.read_text()
        assert f"{datetime.now(UTC):%Y-%m}" not in text
        assert str(finished) not in text
        assert not re.search(r"run_id|batch_id|run_time|ge_load_time|0x[0-9a-f]+", text)


def test_a_second_run_gives_the_same_bytes_and_leaves_nothing_else(finished: Path) -> None:
    before = files(finished)
    assert stage(finished, "tasks.validate").returncode == 0
    assert files(finished) == before
    assert {name.split("/")[0] for name in before} == {"artifacts", "data", "params.yaml", "said.txt"}


def test_data_docs_are_linked_pages_that_load_nothing(finished: Path, tmp_path: Path) -> None:
    done = stage(finished, "tasks.validate", "--docs", str(tmp_path / "docs"))
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "docs" / "index.html").read_text()
    for name in ("interactions", "items", "users"):
        assert f'href="{name}.html"' in index
        page = (tmp_path / "docs" / f"{name}.html").read_text()
        assert "must never be null" in page or "values must not be null" in page
        assert not re.search(r"<(script|img|link)[^>]*https?:|url\('https?:", page)


def test_data_docs_without_a_run_say_what_to_do(tmp_path: Path) -> None:
    done = stage(tmp_path, "tasks.validate", "--docs")
    assert done.returncode == 1
    assert "interactions.json does not exist; run the stage validate first" in done.stderr


def test_split_windows_every_event_once(finished: Path) -> None:
    done = stage(finished, "tasks.split")
    assert done.returncode == 0, done.stderr
    history = pl.read_parquet(finished / "artifacts" / "history" / "interactions.parquet")
    assert history.height == 60
    assert history.equals(history.sort("user_row", "timestamp", "item_row", "event_id"))
    cuts = list(json.loads((finished / "artifacts" / "history" / "cut_offs.json").read_text()).values())
    assert cuts == sorted(set(cuts))
    assert "early stopping" in done.stdout
    for path in (finished / "artifacts" / "history").iterdir():
        path.unlink()
    (finished / "artifacts" / "history").rmdir()


def test_one_user_and_one_item_pass_validate_but_leave_no_windows(tmp_path: Path) -> None:
    workspace(tmp_path, ["u,i,view,2024-01-01,,"], ["i,Only,One"], ["u,<p>I read &amp; sail</p>"])
    done = stage(tmp_path, "tasks.validate")
    assert done.returncode == 0, done.stderr
    assert "warning: interactions: timestamp" in done.stdout
    assert pl.read_parquet(tmp_path / "artifacts/tables/users.parquet")["profile_text"].to_list() == ["I read & sail"]
    done = stage(tmp_path, "tasks.split")
    assert done.returncode == 1
    assert "1 interactions from" in done.stderr
    assert "bring interactions at more times" in done.stderr


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"interactions": []}, ["i.csv has no rows"]),
        ({"items": []}, ["t.csv has no rows"]),
        (
            {"interactions": ["u1,ghost,view,2024-01-01,,"] * 3},
            ["3 of 3 interactions were refused", "item_id is not in items (3 of 3, 100.0%", "no interactions are left"],
        ),
        (
            {"interactions": [*INTERACTION_LINES, *["u1,i1,view,soon,,"] * 9]},
            ["9 of 69 interactions were refused", "timestamp is not a time (time_unit: iso) (9 of 69, 13.0%"],
        ),
        ({"users": ["u0,x"]}, ["48 of 60 interactions", "user_id is not in users (48 of 60, 80.0%"]),
        ({"quarantine_at_most": 2}, ["cleaning.quarantine_at_most"]),
    ],
)  # fmt: skip
def test_what_cannot_pass_is_one_clear_line(tmp_path: Path, change: dict[str, Any], messages: list[str]) -> None:
    done = stage(workspace(tmp_path, **change), "tasks.validate")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    for message in messages:
        assert message in done.stderr
    assert not (tmp_path / "artifacts" / "tables" / "interactions.parquet").exists()


def test_refused_rows_can_be_read_after_a_failed_run(tmp_path: Path) -> None:
    stage(workspace(tmp_path, ["u1,ghost,view,2024-01-01,,"]), "tasks.validate")
    quarantine = pl.read_parquet(tmp_path / "artifacts" / "tables" / "quarantine.parquet")
    assert quarantine.select("table", "row", "reason").rows() == [("interactions", 1, "item_id is not in items")]
    assert json.loads(quarantine["content"][0])["item_id"] == "ghost"


def broken(**change: Any) -> Cleaned:
    """Tables as a faulty cleaning might leave them: the gate must not rely on the rules before it."""
    event = {
        "user_id": "u", "item_id": "i", "behaviour": "view", "timestamp": datetime(2024, 1, 1, tzinfo=UTC),
        "value": None, "dwell_s": None, "text": None, "weight": 0.2, "event_id": "e",
    }  # fmt: skip
    interactions = pl.DataFrame([event, {**event, "event_id": "f"} | change], schema=INTERACTIONS)
    items = pl.DataFrame([{"item_id": "i", "title": "t", "language": "en", "tags": ["x"]}], schema=ITEMS)
    users = pl.DataFrame([{"user_id": "u"}], schema=USERS)
    counts = {"interactions": Counts("i.csv", 2, 2), "items": Counts("t.csv", 1, 1)}
    return Cleaned(Parts.of(interactions), items, users, pl.DataFrame(schema=QUARANTINE), counts)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": None}, "user_id: column values to not be null"),
        ({"user_id": "v"}, "unknown_users: column max"),
        ({"item_id": "v"}, "unknown_items: column max"),
        ({"event_id": "e"}, "repeated_events: column max"),
        ({"behaviour": "zap"}, "behaviour: column values to be in set"),
        ({"weight": 9.0}, "weight: column values to be between"),
        ({"timestamp": datetime(1980, 1, 1, tzinfo=UTC)}, "timestamp: column values to be between"),
    ],
)
def test_the_gate_stops_what_cleaning_should_have(change: dict[str, Any], message: str) -> None:
    from tasks.expectations import CRITICAL, failures, validate_tables

    settings = CleaningSettings(**PARAMS["cleaning"])
    lines = failures(validate_tables(broken(**change), settings)["interactions"], CRITICAL)
    assert any(line.startswith(message) for line in lines), lines


@pytest.mark.filterwarnings("default")
def test_an_expectation_that_raises_is_a_failure_with_its_own_message() -> None:
    from tasks import expectations

    cleaned = broken()
    mixed = cleaned.interactions.with_columns(weight=pl.lit("heavy"))
    bad = Cleaned(Parts.of(mixed), cleaned.items, cleaned.users, cleaned.quarantine, cleaned.counts)
    result = expectations.validate_tables(bad, CleaningSettings(**PARAMS["cleaning"]))["interactions"]
    lines = expectations.failures(result, expectations.CRITICAL)
    assert any("weight" in line and "could not be checked" in line for line in lines), lines


@pytest.mark.filterwarnings("default")
def test_above_the_limit_a_fixed_sample_is_checked_with_counts_over_all_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tasks import expectations

    monkeypatch.setattr(expectations, "MOST_ROWS", 1)
    settings = CleaningSettings(**PARAMS["cleaning"])
    result = expectations.validate_tables(broken(item_id="v"), settings)["interactions"]
    assert (result["rows"], result["rows_checked"]) == (2, 1)
    assert any("unknown_items" in line for line in expectations.failures(result, expectations.CRITICAL))
