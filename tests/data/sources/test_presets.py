"""Presets: a known data set's settings go into params.yaml, and nothing else there moves."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from strata.cli.app import app
from strata.data.cleaning import CleaningSettings
from strata.data.sources.adapters import SourceSettings
from strata.data.sources.fetch import folder_of
from strata.data.sources.known import facts, names, preset
from strata.data.sources.presets import leaves, merge, use
from strata.errors import SettingsError
from strata.settings import read_settings
from tests.places import ROOT

SHIPPED = (ROOT / "params.yaml").read_text(encoding="utf-8")


def part(name: str) -> str | None:
    """The first part of a data set that comes in parts."""
    return next(iter(facts(name).parts), None)


def values(text: str) -> dict[tuple[str, ...], Any]:
    return dict(leaves(yaml.safe_load(text)))


def test_the_shipped_settings_are_those_of_movielens() -> None:
    assert use("movielens-100k", SHIPPED) == SHIPPED


@pytest.mark.parametrize("name", names())
def test_a_preset_gives_settings_that_the_stages_accept_and_moves_nothing_else(name: str, tmp_path: Path) -> None:
    after = use(name, SHIPPED, part=part(name))
    params = tmp_path / "params.yaml"
    params.write_text(after, encoding="utf-8")
    assert read_settings(SourceSettings, "source", params).folder == folder_of(name, part(name))
    assert read_settings(CleaningSettings, "cleaning", params).weights["redeem"] == 0.5
    source = after.index("\nsource:"), after.index("\n\n# What a behaviour says")
    others = [line for line in SHIPPED.splitlines() if line.startswith("#") or "  # " in line]
    comments = {line.split("#", 1)[1] for line in others}
    assert comments == {
        line.split("#", 1)[1] for line in (after[: source[0]] + after[source[1] :]).splitlines() if "# " in line
    }
    before, now = values(SHIPPED), values(after)
    moved = {path for path in {**before, **now} if before.get(path) != now.get(path)}
    assert {path[0] for path in moved} <= {"source", "cleaning", "encoder", "recommend", "themes", "tier"}


def test_what_came_before_leaves_no_trace() -> None:
    def settings(name: str) -> set[tuple[str, ...]]:
        content = yaml.safe_load(preset(name, part(name)))
        return {path for path, _ in leaves(content) if path[0] not in ("preset", "source")}

    assert {frozenset(settings(name)) for name in names()} == {frozenset(settings("movielens-100k"))}
    for first, second in [("online-retail", "stack-exchange"), ("complete-journey", "book-crossing")]:
        assert use(second, use(first, SHIPPED)) == use(second, SHIPPED)


def test_an_unknown_preset_and_a_file_that_is_none_are_clear_errors() -> None:
    with pytest.raises(
        SettingsError, match="'netflix' is no preset; there is: amazon-reviews-2018, amazon-reviews-2023"
    ):
        use("netflix", SHIPPED)
    with pytest.raises(SettingsError, match="section 'source' is missing"):
        use("movielens-100k", "cleaning: {}\n")
    for broken in ("a: [", "- 1\n", ""):
        with pytest.raises(SettingsError, match=r"params\.yaml"):
            use("movielens-100k", broken)


def test_the_command_changes_the_file_it_is_given(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(SHIPPED, encoding="utf-8")
    command = ["data", "use", "stack-exchange", "--folder", "data/beer", "--params", str(params)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert params.read_text(encoding="utf-8") == use("stack-exchange", SHIPPED, "data/beer")
    assert read_settings(SourceSettings, "source", params).folder == Path("data/beer")
    refused = CliRunner().invoke(app, ["data", "use", "stack-exchange", "--params", str(tmp_path / "none.yaml")])
    assert refused.exit_code == 1
    assert "does not exist" in refused.output


KEYS = st.sampled_from(["a", "b", "c d", "é"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
TREES = st.recursive(
    SCALARS | st.lists(SCALARS, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=2),
    max_leaves=4,
)
MAPPINGS = st.dictionaries(KEYS, TREES, min_size=1, max_size=3)


def merged(base: Any, changes: Any) -> Any:
    """What merging means."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return changes
    return {**base, **{key: merged(base.get(key), value) for key, value in changes.items()}}


@given(base=MAPPINGS, changes=MAPPINGS, flow=st.booleans(), wide=st.booleans())
def test_merging_text_is_merging_values(base: dict[str, Any], changes: dict[str, Any], flow: bool, wide: bool) -> None:
    text = yaml.safe_dump(base, default_flow_style=flow, allow_unicode=True, width=1_000 if wide else 20)
    assert yaml.safe_load(merge(text, changes)) == merged(base, changes)
    assert merge(text, base) == text


def test_a_value_is_put_where_it_belongs_whatever_stands_around_it() -> None:
    text = "a:\n  b: 1  # one\n\n# about c\nc: {x: 1,\n    y: 2}\nd:\ne: {}\n"
    changes = {"a": {"z": [1, 2]}, "c": {"x": 3, "w": 4}, "d": {"e": {"f": True}}, "e": {"g": 1.5}, "h": "new"}
    assert merge(text, changes) == (
        "a:\n  b: 1  # one\n  z: [1, 2]\n\n# about c\nc: {x: 3,\n    y: 2, w: 4}\nd: {e: {f: true}}\n"
        "e: {g: 1.5}\nh: new\n"
    )


def test_a_language_sets_the_model_that_reads_it(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(SHIPPED, encoding="utf-8")
    command = ["data", "use", "stack-exchange", "--params", str(params)]
    done = CliRunner().invoke(app, [*command, "--language", "zh"])
    assert done.exit_code == 0, done.output
    assert "encoder.base: multilingual-e5-small, which reads zh" in done.output
    written = merge(use("stack-exchange", SHIPPED), {"encoder": {"base": "multilingual-e5-small"}})
    assert params.read_text(encoding="utf-8") == written
    before = params.read_bytes()
    assert CliRunner().invoke(app, [*command, "--language", "tlh"]).exit_code == 1
    assert params.read_bytes() == before
