"""What pictures show: each look at an interest in its lane and step, each topic at its place, as JSON and back."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.interests.pictures import MOST_LANES, SwimLanes, ThemeMap
from strata.interests.theme_map import theme_map
from strata.storage import read_json, write_json
from tests.interests.test_theme_map import interests, shop

START = datetime(2024, 1, 31, tzinfo=UTC)
TIERS = ["momentary", "stable", "core"]
Look = tuple[int, str, str, float]


def timeline(rows: list[Look], step: timedelta = timedelta(days=30)) -> pl.DataFrame:
    """Rows of (look, key, tier, strength), looks so far apart."""
    told = [(START + look * step, key, f"Interest {key}", tier, strength) for look, key, tier, strength in rows]
    return pl.DataFrame(told, schema=["time", "key", "name", "tier", "strength"], orient="row")


looks = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from("abcdef"), st.sampled_from(TIERS), st.floats(0, 9)),
    min_size=1, max_size=60, unique_by=lambda look: look[:2],
)  # fmt: skip


@given(looks, st.integers(1, 400))
def test_every_look_is_in_its_lane_and_step_and_nothing_else_is(rows: list[Look], days: int) -> None:
    step = timedelta(days=days)
    shown = SwimLanes.of(timeline(rows, step), "user 7")
    times = sorted({look for look, _, _, _ in rows})
    assert shown.times == [START + look * step for look in times]
    assert shown.start < shown.times[0]
    found = [
        (times[place], lane.key, tier, lane.strengths[place])
        for lane in shown.lanes for place, tier in enumerate(lane.tiers) if tier is not None
    ]  # fmt: skip
    assert sorted(found) == sorted(rows)
    assert all(lane.name == f"Interest {lane.key}" and len(lane.strengths) == len(times) for lane in shown.lanes)


def test_what_was_core_in_most_steps_comes_first_then_what_came_first() -> None:
    rows = [(look, "new", "momentary", 9.0) for look in (4, 5)] + [(3, "before", "momentary", 1.0)]
    rows += [(look, "old", "core" if look > 1 else "stable", 4.0) for look in range(6)]
    rows += [(look, "torn", "core" if look > 2 else "stable", 4.0) for look in range(6)]
    shown = SwimLanes.of(timeline(rows), "user 7")
    assert [lane.key for lane in shown.lanes] == ["old", "torn", "before", "new"]


def test_of_many_interests_the_strongest_are_shown_and_the_rest_counted() -> None:
    rows = [(0, f"k{number:03d}", "stable", float(number)) for number in range(MOST_LANES + 5)]
    shown = SwimLanes.of(timeline(rows), "user 7")
    assert {lane.key for lane in shown.lanes} == {f"k{number:03d}" for number in range(5, MOST_LANES + 5)}
    assert shown.weaker == 5


def test_nobody_without_interests_is_shown() -> None:
    with pytest.raises(ValueError, match="user 7 has no interests"):
        SwimLanes.of(timeline([]), "user 7")


def test_a_map_holds_each_topic_with_its_groups_and_somebodys_points_on_it() -> None:
    themes = shop(120)
    layout, points = theme_map(themes), interests(themes)
    shown = ThemeMap.of(layout, themes, points, "user <7>")
    rows = {row["id"]: row for row in themes.groups.to_dicts()}
    places = layout.filter(level="topic").sort("group").select("x", "y", "size").rows()
    assert [(topic.x, topic.y, topic.radius) for topic in shown.topics] == places
    assert {topic.id for topic in shown.topics} == set(themes.at("topic")["id"])
    categories, upper = (themes.at(level).to_dicts() for level in ("category", "theme"))
    for topic in shown.topics:
        category = categories[rows[topic.id]["parent"]]
        assert (topic.name, topic.items) == (rows[topic.id]["name"], rows[topic.id]["items"])
        assert (topic.category, topic.theme) == (category["name"], upper[category["parent"]]["id"])
    for level, labels in (("theme", shown.themes), ("category", shown.categories)):
        told = [(rows[label.id]["group"], label.x, label.y, label.text) for label in labels]
        assert told == layout.filter(level=level).select("group", "x", "y", "label").rows()
        assert all(label.name == rows[label.id]["name"] for label in labels)
    told = [(rows[point.topic]["group"], point.name, point.tier, point.share) for point in shown.points]
    assert sorted(told) == sorted(points.select("topic", "name", "tier", "share").rows())
    assert ThemeMap.of(layout, themes).points == []


def test_json_holds_all_of_a_picture_in_plain_values(tmp_path) -> None:
    themes = shop(60)
    layout = theme_map(themes)
    for shown in (
        SwimLanes.of(timeline([(0, "a", "core", 1.5), (2, "a", "stable", 0.25), (2, "b", "momentary", 1 / 3)]), "茶"),
        ThemeMap.of(layout, themes),
        ThemeMap.of(layout, themes, interests(themes), "user <7>"),
    ):
        write_json(shown.model_dump(mode="json"), tmp_path / "picture.json")
        assert type(shown).model_validate(read_json(tmp_path / "picture.json")) == shown
        assert json.loads(shown.model_dump_json()) == read_json(tmp_path / "picture.json")
