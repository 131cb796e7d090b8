"""Workspaces: another data set runs through the same pipeline, and the main workspace never notices."""

import hashlib
import subprocess
from pathlib import Path

import polars as pl
import pytest
import yaml

from benchmarks.workspaces import ROOT, workspace
from strata.errors import FetchError, SettingsError

SITE = ROOT.parent / "shared" / "data" / "stackexchange-alcohol"


def state() -> list[str]:
    """Digests of what belongs to the main workspace alone."""
    files = [ROOT / name for name in ("params.yaml", "dvc.lock", "data.dvc", "dvc.yaml")]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = tmp_path / "dump"
    folder.mkdir()
    (folder / "Posts.xml").write_text("<posts />")
    return folder


def test_a_workspace_has_the_project_its_settings_and_its_data(tmp_path: Path, dump: Path) -> None:
    before = state()
    made = workspace("stack-exchange", data=dump, overrides={"finetune": {"steps": 3}}, root=tmp_path)
    assert state() == before
    params = yaml.safe_load((made / "params.yaml").read_text(encoding="utf-8"))
    assert params["source"] == {"adapter": "stack-exchange", "folder": "data/stack-exchange"}
    assert params["finetune"]["steps"] == 3
    assert (made / "data" / "stack-exchange" / "Posts.xml").read_text() == "<posts />"
    assert yaml.safe_load((made / "data.dvc").read_text())["outs"][0]["nfiles"] == 1
    for file in ("dvc.yaml", "strata/data/schema.py", "tasks/validate.py"):
        assert (made / file).read_bytes() == (ROOT / file).read_bytes()


def test_a_second_call_mends_what_differs_and_keeps_what_was_run(tmp_path: Path, dump: Path) -> None:
    made = workspace("stack-exchange", data=dump, root=tmp_path)
    kept = (made / "strata" / "data" / "schema.py").stat().st_mtime_ns
    (made / "strata" / "old.py").write_text("left the project")
    (made / "dvc.yaml").write_text("spoilt")
    (made / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    workspace("stack-exchange", root=tmp_path)  # the data is there already
    assert not (made / "strata" / "old.py").exists()
    assert (made / "dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()
    assert "stages: {}" in (made / "dvc.lock").read_text()
    assert (made / "strata" / "data" / "schema.py").stat().st_mtime_ns == kept


def test_what_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'netflix' is no preset"):
        workspace("netflix", root=tmp_path)
    with pytest.raises(FetchError, match="stack-exchange comes in no package; name the folder"):
        workspace("stack-exchange", root=tmp_path)


@pytest.mark.slow
def test_a_stage_that_fails_is_not_passed_over(tmp_path: Path, dump: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        workspace("stack-exchange", data=dump, stages=["validate"], root=tmp_path)
    assert "Posts.xml has no questions" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not SITE.exists(), reason="the site's dump is not there")
def test_stages_run_with_what_they_need_and_only_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = state()
    made = workspace("stack-exchange", data=SITE, stages=["split"], root=tmp_path)
    assert "Running stage 'validate'" in capfd.readouterr().out
    events = pl.read_parquet(made / "artifacts" / "history" / "interactions.parquet")
    assert set(events["behaviour"]) == {"ask", "answer", "comment", "edit", "favourite", "bounty"}
    workspace("stack-exchange", data=SITE, stages=["split"], root=tmp_path)
    assert "Running stage" not in capfd.readouterr().out
    assert state() == before
