"""Evidence names its commit and machine, keeps what other sections measured, and can be recomputed by anyone."""

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typer.testing import CliRunner

from benchmarks.evidence import files
from benchmarks.evidence.__main__ import SECTIONS, main
from benchmarks.evidence.files import Row, write_evidence
from benchmarks.evidence.intervals import pooled, share
from strata.data.sources.known import names
from strata.errors import StrataError, ValidationFailed
from strata.evaluation.metrics import Interval
from tests.benchmarks.test_evidence_context import write_workspace
from tests.tiny_project import git, write_project

COUNTS = np.array([[1, 2], [0, 1], [3, 3]])


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository in the place of ours, with what two sections depend on."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    return write_project(tmp_path)


def shares(name: str = "seen", **changes: object) -> Row:
    found = pooled(COUNTS, share)
    values = {"id": name, "what": "hits / cases.", "value": found.mean, "low": found.low, "high": found.high}
    table = pl.DataFrame(COUNTS, schema=["hits", "cases"])
    return Row(**{**values, "unit": "share", "n": 6, "seeds": (2,), "per_user": table, **changes})


def written(folder: Path, section: str = "planted", rows: list[Row] | None = None) -> dict:
    write_evidence("evidence", section, rows or [shares()], "abc", folder)
    return json.loads((folder / "evidence.json").read_text())


def test_a_row_says_what_it_is_of_how_many_and_where_its_values_lie(clone: Path) -> None:
    content = written(clone / "out")
    assert content["commit"] == git(clone, "rev-parse", "HEAD")
    assert content["split"] == "abc"
    assert content["machine"]["cores"] >= 1
    row = content["rows"][0]
    assert (row["id"], row["section"], row["n"], row["seeds"]) == ("seen", "planted", 6, [2])
    values = pl.read_parquet(clone / "out" / row["per_user"]).to_numpy()
    again = pooled(values, share)
    assert (row["value"], row["low"], row["high"]) == pytest.approx((again.mean, again.low, again.high), abs=1e-6)


def test_fractions_by_user_are_small_on_disk_and_true_to_single_precision(clone: Path) -> None:
    values = np.random.default_rng(1).random(1_000)
    written(clone / "out", rows=[shares(per_user=pl.DataFrame({"value": values}))])
    kept = pl.read_parquet(clone / "out" / "per_user" / "seen.parquet")["value"]
    assert kept.dtype == pl.Float32
    assert kept.to_numpy() == pytest.approx(values, abs=1e-7)


def test_evidence_is_of_a_clean_commit_or_says_that_it_is_not(clone: Path) -> None:
    assert not written(clone / "out")["dirty"]
    assert not written(clone / "out")["dirty"], "evidence written before is no change of what is measured"
    (clone / "strata" / "tiers.py").write_text("x = 2\n")
    assert written(clone / "out")["dirty"]
    assert "uncommitted" in (clone / "out" / "evidence.md").read_text()


def test_a_section_that_no_command_is_known_to_make_is_refused(clone: Path) -> None:
    with pytest.raises(StrataError, match=r"section 'magic' of evidence\.json: name its command"):
        written(clone / "out", "magic")


def test_outside_a_clone_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(StrataError, match="git clone"):
        written(tmp_path / "out")


def test_a_section_run_again_replaces_its_rows_and_keeps_those_of_others(clone: Path) -> None:
    out = clone / "out"
    written(out, "promise", [shares("kept")])
    written(out, "planted", [shares("old"), shares("same")])
    first = git(clone, "rev-parse", "HEAD")
    git(clone, "commit", "-qm", "Nothing", "--allow-empty")
    content = written(out, "planted", [shares("same"), shares("new")])
    assert [(row["section"], row["id"]) for row in content["rows"]] == [
        ("planted", "same"),
        ("planted", "new"),
        ("promise", "kept"),
    ]
    assert content["sections"]["promise"]["commit"] == first
    assert content["sections"]["planted"]["commit"] == content["commit"] == git(clone, "rev-parse", "HEAD")
    assert {path.stem for path in (out / "per_user").iterdir()} == {"kept", "same", "new"}


def test_the_order_of_sections_does_not_matter(clone: Path) -> None:
    read = []
    for order in (("promise", "planted"), ("planted", "promise")):
        for section in order:
            written(clone / "out", section, [shares(f"{section}-share")])
        read.append((clone / "out" / "evidence.json").read_bytes())
        shutil.rmtree(clone / "out")
    assert read[0] == read[1]


def test_people_read_every_row_its_interval_and_its_doubts(clone: Path) -> None:
    compared = shares(
        "gain", value=0.5, low=-0.01, high=0.02, reference=0.49, reference_name="Ward | raw",
        excluded="2 without items.", inconclusive="6 users are too few", per_user=None,
    )  # fmt: skip
    content = written(clone / "out", rows=[shares(), compared])
    text = (clone / "out" / "evidence.md").read_text()
    assert "## Planted" in text
    assert "| seen | 0.6667 share |" in text
    line = next(line for line in text.splitlines() if line.startswith("| gain |"))
    for part in (
        "-0.01 … +0.02",
        r"0.49 (Ward \| raw)",
        "Left out: 2 without items.",
        "Inconclusive: 6 users are too few",
    ):
        assert part in line
    assert content["rows"][1]["per_user"] is None


def test_nothing_says_which_machine_or_folder_it_was(clone: Path) -> None:
    written(clone / "out")
    for path in (clone / "out").glob("evidence.*"):
        text = path.read_text()
        assert str(clone) not in text
        assert platform.node() not in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": "Seen It"}, "lower case"),
        ({"id": "../seen"}, "lower case"),
        ({"value": float("nan")}, "finite"),
        ({"high": float("inf")}, "finite"),
        ({"low": 2.0}, "low ≤ high"),
        ({"reference": 0.5}, "needs its name"),
        ({"reference_name": "Ward"}, "its figure"),
    ],
)
def test_a_row_that_cannot_be_true_is_refused(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationFailed, match=fault):
        shares(**changes)


@given(arrays(np.int64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.integers(0, 5)))
def test_an_interval_encloses_what_resampled_users_give(counts: np.ndarray) -> None:
    counts[:, 0] = np.minimum(counts[:, 0], counts[:, 1])
    found = pooled(counts, share)
    assert 0 <= found.low <= found.high <= 1
    assert found == pooled(counts, share)
    alike = pooled(np.tile(counts[:1], (len(counts), 1)), share)
    assert alike.low == alike.mean == alike.high


@pytest.mark.parametrize(
    ("found", "n", "more", "doubt"),
    [
        (Interval(0.2, 0.1, 0.3), 100, {}, ""),
        (Interval(0.2, -0.1, 0.3), 100, {}, ""),
        (Interval(0.2, -0.1, 0.3), 100, {"claim": 0}, "the interval holds 0."),
        (Interval(-0.2, -0.3, -0.1), 100, {"claim": 0}, ""),
        (
            Interval(0.1, -0.1, 0.3),
            100,
            {"value": 0.7, "reference": 0.6, "reference_name": "x"},
            "the interval holds 0.",
        ),
        (Interval(0.2, 0.1, 0.3), 29, {}, "29 are too few."),
    ],
)
def test_a_row_says_itself_that_nothing_follows(found: Interval, n: int, more: dict, doubt: str) -> None:
    row = Row.of("seen", "hits / cases.", found, "share", n, **more)
    assert row.inconclusive == doubt
    assert row.value == more.get("value", found.mean)
    assert (row.low, row.high) == (found.low, found.high)


def run_command(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    return f"{result.exit_code} {result.output}"


def test_the_command_measures_the_sections_asked_for_in_the_workspaces_given(clone: Path, tmp_path: Path) -> None:
    out, folder = clone / "out", write_workspace(tmp_path / "workspace")
    data = [f"--workspace={name}={folder}" for name in ("complete-journey", "stack-exchange")]
    said = run_command("--only=stability", *data, f"--output={out}")
    assert said.startswith("0"), said
    content = json.loads((out / "evidence.json").read_text())
    assert set(content["sections"]) == {"stability", "stability-stack-exchange"}
    ids = {row["id"] for row in content["rows"]}
    assert {"stability-core", "stability-core-stack-exchange"} <= ids
    assert "stability-core:" in said


def test_a_section_that_is_none_and_data_that_is_nowhere_are_named(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no section speeed" in run_command("--only=speeed")
    monkeypatch.chdir(clone)
    folder = f"--workspace=complete-journey={write_workspace(clone / 'workspace')}"
    assert "stack-exchange: left out" in run_command("--only=stability", folder, f"--output={clone / 'out'}")
    assert {name for section in SECTIONS.values() for name in section.data} <= set(names())
