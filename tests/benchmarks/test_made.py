"""Made data of any size: planted, worded, the same for a seed, in bounded memory; and what each stage takes on it."""

import hashlib
import json
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psutil
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks.made.catalogue import make_items
from benchmarks.made.dataset import SOURCE, TIME, MadeSettings, make
from benchmarks.made.scale import MAKE, as_table, changed, row, stages
from benchmarks.memory import OverLimit, Usage, measured
from benchmarks.workspaces import ROOT
from strata.data.cleaning import CleaningSettings, clean
from strata.data.schema import BEHAVIOURS
from strata.data.sources.adapters import SourceSettings, read_source
from strata.errors import SettingsError, StrataError
from strata.settings import read_settings

SMALL = MadeSettings(users=600, items=400, events=12_000, block=200)
Tables = dict[str, pl.DataFrame]


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("made")
    make(made, SMALL)
    return made


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    return {file.stem: pl.read_parquet(file) for file in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(folder: Path, tmp_path: Path) -> None:
    make(tmp_path / "again", SMALL)
    make(tmp_path / "other", SMALL.model_copy(update={"seed": 8}))
    assert digests(tmp_path / "again") == digests(folder)
    assert not set(digests(tmp_path / "other").values()) & set(digests(folder).values())


def test_there_is_as_much_as_asked_for_in_blocks_of_users(folder: Path, tables: Tables, tmp_path: Path) -> None:
    sizes = {name: tables[name].height for name in ("users", "items", "interactions")}
    assert sizes == {"users": SMALL.users, "items": SMALL.items, "interactions": SMALL.events}
    assert pq.ParquetFile(folder / "interactions.parquet").num_row_groups == SMALL.users // SMALL.block
    uneven: list[int] = []
    make(tmp_path, MadeSettings(users=7, items=400, events=101, block=3), uneven.append)
    assert uneven == [3, 3, 1]
    assert pl.read_parquet(tmp_path / "interactions.parquet").height == 101
    assert pl.read_parquet(tmp_path / "users.parquet")["user_id"].n_unique() == 7


def test_strata_reads_it_and_refuses_no_row(folder: Path) -> None:
    source = read_source(SourceSettings.model_validate(SOURCE | {"folder": str(folder)}))
    cleaned = clean(
        source, read_settings(CleaningSettings, "cleaning", ROOT / "params.yaml"), datetime.fromtimestamp(TIME, UTC)
    )
    assert cleaned.quarantine.is_empty()
    assert cleaned.interactions.height == SMALL.events
    assert set(cleaned.items["language"]) == {"en"}


def test_nobody_chooses_what_is_not_there(tables: Tables) -> None:
    events = tables["interactions"].join(tables["items"], on="item_id").join(tables["users"], on="user_id")
    assert events.height == SMALL.events
    assert (events["created_at"] < events["timestamp"]).all()
    assert (events["timestamp"] < events["removed_at"].fill_null(events["timestamp"].max() + pl.duration(days=1))).all()
    assert events["timestamp"].max() < datetime.fromtimestamp(TIME, UTC)
    assert set(events["behaviour"]) <= set(BEHAVIOURS)
    assert {"view", "click", "purchase", "hide", "dislike"} == set(events["behaviour"])


def test_some_users_and_items_are_cold_and_activity_and_popularity_are_skewed(tables: Tables) -> None:
    for name, least, heavy in (("user", 0.02, 0.5), ("item", 0.01, 0.3)):
        counts = tables["interactions"].group_by(f"{name}_id").len()["len"].sort(descending=True)
        everyone = tables[f"{name}s"].height
        assert least < 1 - len(counts) / everyone < 0.4
        assert counts.head(everyone // 5).sum() > heavy * SMALL.events


def test_texts_are_of_the_words_of_their_topic(tables: Tables) -> None:
    vocabulary = yaml.safe_load((ROOT / "benchmarks" / "made" / "vocabulary.yaml").read_text(encoding="utf-8"))
    for title, description, (department, topic), tags in tables["items"][
        ["title", "description", "categories", "tags"]
    ].iter_rows():
        words = vocabulary[department][topic]
        assert tags[0] in words
        assert tags[0] in title
        assert topic in description
        assert sum(word in description for word in words) >= 2


def test_what_is_planted_is_what_users_do(tables: Tables) -> None:
    topics = tables["items"].select("item_id", topic=pl.col("categories").list.last())
    events = tables["interactions"].join(topics, on="item_id")
    planted = tables["planted"].with_row_index("interest")
    assert planted["events"].sum() / SMALL.events == pytest.approx(0.8, abs=0.05)
    within = planted.join(events, on=["user_id", "topic"]).filter(
        pl.col("timestamp").is_between(pl.col("onset") - pl.duration(seconds=1), pl.col("end"))
    )
    seen = planted.join(within.group_by("interest").len(), on="interest", how="left")["len"].fill_null(0)
    assert (seen >= planted["events"]).all()
    by_chance = (seen - planted["events"]).sum() / (SMALL.events - planted["events"].sum())
    assert by_chance < 0.4  # of the events without an interest: a user has some eight among the twenty topics


def test_thinning_leaves_core_interests_more_weeks_than_stable_ones(tables: Tables) -> None:
    topics = tables["items"].select("item_id", topic=pl.col("categories").list.last())
    weeks = tables["interactions"].join(topics, on="item_id").with_columns(week=pl.col("timestamp").dt.week())
    active = weeks.group_by("user_id").agg(active=pl.col("week").n_unique()).filter(pl.col("active") >= 8)
    of_topic = weeks.group_by("user_id", "topic").agg(weeks=pl.col("week").n_unique())
    planted = tables["planted"].join(active, on="user_id").join(of_topic, on=["user_id", "topic"], how="left")
    share = planted.group_by("tier").agg((pl.col("weeks").fill_null(0) / pl.col("active")).mean())
    found = dict(share.iter_rows())
    assert found["core"] > 2 * found["stable"] > 0.1


def test_memory_is_that_of_a_block_however_many_there_are(tmp_path: Path) -> None:
    def peak(users: int) -> int:
        tracemalloc.start()
        make(tmp_path, MadeSettings(users=users, items=400, events=20 * users, block=50))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(400) < 1.2 * peak(100)


def test_what_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="100 items are too few for 13 interests a user; make 260 or more"):
        make_items(100, 7, TIME)
    with pytest.raises(SettingsError, match="90,000 events of 10 users are more than their year holds"):
        make(tmp_path, MadeSettings(users=10, items=400, events=90_000))
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_the_same_and_says_what_to_put_into_params(tmp_path: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.made", str(tmp_path), "--users=200", "--items=400", "--events=4000"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert yaml.safe_load(said[said.index("source:") :])["source"]["items"] == {"file": "items.parquet"}
    assert digests(tmp_path)["items.parquet"] == digests(folder)["items.parquet"]
    assert pl.read_parquet(tmp_path / "interactions.parquet").height == 4000


HOLD = "import time; held = bytearray(400_000_000); held[::4096] = b'x' * len(held[::4096]); time.sleep({seconds})"


def usage_of(child: str) -> Usage:
    """Measured from a small process: the kernel's peak of a child starts at its parent's, so a shell stands between."""
    code = "import json, sys; from dataclasses import asdict; from benchmarks.memory import measured; "
    code += f"print(json.dumps(asdict(measured([sys.executable, '-c', {child!r}], limit=2e9))))"
    command = ["sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return Usage(**json.loads(said))


def test_memory_of_a_child_of_a_child_counts() -> None:
    usage = usage_of(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD.format(seconds=1)!r}])")
    assert 4e8 < usage.peak < 6e8
    assert 1 < usage.seconds < 30


def test_a_short_peak_between_two_looks_is_what_the_kernel_kept() -> None:
    assert 4e8 < usage_of(HOLD.format(seconds=0)).peak < 6e8


def test_a_large_parents_own_peak_is_not_its_childs() -> None:
    held = bytearray(700_000_000)
    held[::4096] = b"x" * len(held[::4096])
    assert measured([sys.executable, "-c", "pass"], limit=2e9).peak < 3e8


def test_what_goes_over_the_limit_is_ended_with_all_it_started() -> None:
    seconds = 600.125  # by which these processes are told from those of tests that run beside this one
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD.format(seconds=seconds)!r}])"
    with pytest.raises(OverLimit, match=r"held 0\.\d GB, the limit is 0\.2 GB"):
        measured([sys.executable, "-c", child], limit=2e8)
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(seconds) in " ".join(p.info["cmdline"] or [])]


def test_a_command_that_fails_is_a_clear_error() -> None:
    with pytest.raises(StrataError, match="ended with 3"):
        measured([sys.executable, "-c", "raise SystemExit(3)"], limit=2e9)


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's own
def test_stages_come_after_what_they_need() -> None:
    order = stages(ROOT)
    described = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {name.partition("@")[0] for name in order} == set(described)
    place = {name: nth for nth, name in enumerate(order)}
    assert place["validate"] < place["split"] < place["finetune"] < place["embed"] < place["themes@live"]
    assert place["themes@live"] < place["tier@live"] < place["package"] == len(order) - 1
    assert place["tune@backtest"] < place["collaborate@live"]
    assert place["rank"] < place["evaluate"]


def test_the_table_and_the_row_name_the_stage_that_needs_most() -> None:
    taken = {MAKE: Usage(60, 50, 3 * 10**8), "split": Usage(9.6, 8, 2 * 10**9), "rank": Usage(1200, 2000, 11 * 10**9)}
    assert as_table(taken, ["split", "rank"]).splitlines()[2:] == [
        "| make the data | 60 | 50 | 0.30 |",
        "| split | 10 | 8 | 2.00 |",
        "| rank | 1,200 | 2,000 | 11.00 |",
        "| all | 1,270 | 2,058 | 11.00 |",
    ]
    found = row(taken, MadeSettings())
    assert (found.id, found.value, found.reference, found.low, found.n) == (
        "made-100k-memory",
        11.0,
        12.0,
        -1.0,
        100_000,
    )
    assert "rank" in found.what
    assert row(taken, MadeSettings(users=2000)).reference is None


def test_settings_are_given_by_their_path() -> None:
    given = ["finetune.steps=4", "rank.method=weighted-sum", "finetune.mix=0.5"]
    assert changed(given) == {"finetune": {"steps": 4, "mix": 0.5}, "rank": {"method": "weighted-sum"}}
    with pytest.raises(SettingsError, match=r"--set finetune.steps: give section.name=value"):
        changed(["finetune.steps"])


@pytest.mark.slow
def test_a_second_call_goes_on_and_measures_nothing_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.made.scale", "--users=300", "--items=300", "--events=6000"]
    command += ["--root", str(tmp_path), "--output", str(tmp_path / "out"), "--until"]
    first = subprocess.run([*command, "validate"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "| validate |" in first
    assert "| split |" not in first
    second = subprocess.run([*command, "split"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "Running stage 'split'" in second
    assert "Running stage 'validate'" not in second
    kept = [line for line in first.splitlines() if line.startswith(("| make", "| validate"))]
    assert set(kept) <= set(second.splitlines())
    assert not (tmp_path / "out").exists()
