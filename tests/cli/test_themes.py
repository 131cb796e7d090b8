"""`strata themes` shows what a release holds, by the ids that last, and draws it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from strata.cli.themes import themes as command
from strata.data.schema import LEVELS
from strata.interests.naming import Namer
from strata.interests.theme_map import theme_map
from strata.interests.themes import Themes, ThemeSettings, learn_themes
from strata.release.manifest import write_release
from strata.storage import write_table
from tests.strategies import N_ITEMS, catalogue, vectors

app = typer.Typer()
app.command()(command)


@pytest.fixture
def themes() -> Themes:
    settings = ThemeSettings(topics=6, categories=3, themes=2, smallest=2)
    return learn_themes(vectors(), np.ones(N_ITEMS, bool), Namer.of(catalogue()), settings)


@pytest.fixture
def release(themes: Themes, tmp_path: Path) -> Path:
    parts = tmp_path / "parts"
    themes.write(parts / "themes")
    write_table(theme_map(themes), parts / "themes" / "map.parquet")
    write_table(catalogue(), parts / "items.parquet")
    points = {"user_id": ["u1", "u1"], "topic": [0, 1], "name": ["Tea", "Rock"], "tier": ["core", "momentary"]}
    write_table(pl.DataFrame({**points, "share": [0.7, 0.3]}), parts / "profiles.parquet")
    sources = {
        "themes": parts / "themes",
        "tables/items.parquet": parts / "items.parquet",
        "profiles/profiles.parquet": parts / "profiles.parquet",
    }
    write_release(tmp_path / "release", sources, versions={}, metrics={})
    return tmp_path / "release"


def run(release: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--release", str(release), *options], env={"COLUMNS": "160"})


def ids_of(release: Path, *options: str) -> list[str]:
    return [line.split()[0] for line in run(release, "--wide", *options).stdout.splitlines()[2:]]


def test_groups_are_shown_above_what_lies_in_them_down_to_a_level(release: Path, themes: Themes) -> None:
    for level in LEVELS:
        shown = ids_of(release, "--level", level)
        wanted = LEVELS[LEVELS.index(level) :]
        assert sorted(shown) == sorted(themes.groups.filter(pl.col("level").is_in(wanted))["id"])
        for place, id in enumerate(shown):
            row = themes.groups.row(by_predicate=pl.col("id") == id, named=True)
            if row["level"] != "theme":
                above = LEVELS[LEVELS.index(row["level"]) + 1]
                before = [other for other in shown[:place] if other.startswith(above)]
                parent = themes.at(above).row(by_predicate=pl.col("group") == row["parent"], named=True)
                assert before[-1] == parent["id"]
    assert ids_of(release) == ids_of(release, "--level", "category")


def test_each_group_has_its_name_its_items_and_examples(release: Path, themes: Themes) -> None:
    lines = run(release, "--level", "theme").stdout.splitlines()[1:]
    rows = themes.at("theme").sort("items", "id", descending=[True, False]).to_dicts()
    for line, below, row in zip(lines[::2], lines[1::2], rows, strict=True):
        assert line.split() == [str(row["items"]), *row["name"].split(), row["id"]]
        assert below.split(";")[0].strip() == f"such as {catalogue()['title'][row['typical'][0]]}"


def test_under_a_group_only_what_lies_in_it_is_shown(release: Path, themes: Themes) -> None:
    category = themes.at("category").row(0, named=True)
    inside = themes.at("topic").filter(parent=0)["id"].to_list()
    assert sorted(ids_of(release, "--under", category["id"])) == sorted([category["id"], *inside])
    assert ids_of(release, "--under", inside[0]) == inside[:1]
    unknown = run(release, "--under", "theme-99")
    assert unknown.exit_code == 1
    assert "group 'theme-99' is not in this release" in unknown.stderr


def test_a_map_is_drawn_with_and_without_somebodys_interests(release: Path, tmp_path: Path) -> None:
    for file, options in (("all.svg", []), ("own.svg", ["--user", "u1"])):
        assert run(release, "--picture", str(tmp_path / file), *options).exit_code == 0
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert (">Tea<" in text) == (">core<" in text) == ("Interests of user u1" in text) == bool(options)
    assert "user 'nobody' has no interest points" in run(
        release, "--picture", str(tmp_path / "x.png"), "--user", "nobody"
    ).stderr  # fmt: skip
    assert "end it in .svg or .png" in run(release, "--picture", str(tmp_path / "x.html")).stderr


def test_a_release_that_was_altered_is_refused(release: Path) -> None:
    (release / "themes" / "of_item.npy").unlink()
    refused = run(release)
    assert refused.exit_code == 1
    assert "of_item.npy is missing" in refused.stderr
