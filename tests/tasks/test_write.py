"""The stage `write` as a program's main, with a real endpoint on this machine."""

import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

import tasks.write as stage
from strata.interests.wording import Wording
from strata.storage import read_json
from tests.generation.releases import release_written_at
from tests.generation.speaking import speaking

WORDING = Path("artifacts/models/live/wording")


def workspace(url: str, folder: Path, **changes: object) -> None:
    """The artefacts that the stage reads, in `folder`."""
    release = release_written_at(url, folder / "made")
    for source, target in (
        ("tables", "tables"),
        ("themes", "models/live/themes"),
        ("profiles", "models/live/profiles"),
    ):
        shutil.copytree(release / source, folder / "artifacts" / target)
    params = yaml.safe_load((release / "params.yaml").read_text(encoding="utf-8"))
    params["generate"] |= changes
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def test_names_and_summaries_are_written_beside_why_others_were_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says(body: dict) -> str:
        question = body["messages"][-1]["content"]
        return "Garden" if question.startswith("- about") and "Garden" in question else "Loves Hitchcock."

    with speaking(says) as speaker:
        workspace(speaker.url, tmp_path)
        monkeypatch.chdir(tmp_path)
        stage.main()
        asked = len(speaker.bodies)
        stage.main()
        assert len(speaker.bodies) < 2 * asked, "what passed is not asked for again"
    table, wording = pl.read_parquet(WORDING / "texts.parquet"), Wording.read(WORDING)
    assert table["text"].unique().to_list() == ["Garden"]
    assert set(wording.names.values()) == {"Garden"}
    counts = read_json(WORDING / "counts.json")
    assert counts["generator"] == table.height
    assert counts["refused: invented-name"] == counts["template"] > 0


def test_where_the_template_speaks_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace("", tmp_path, method="template")
    monkeypatch.chdir(tmp_path)
    stage.main()
    assert pl.read_parquet(WORDING / "texts.parquet").is_empty()
    assert Wording.read(WORDING) == Wording()
