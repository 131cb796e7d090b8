"""A timeline shows each point as it was known then: nothing later counts, and its end is the profile of now."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import DAY, History
from strata.interests.drawing import draw
from strata.interests.pictures import SwimLanes
from strata.interests.query_users import PastChoice
from strata.interests.timeline import Lanes, moments, timeline_of
from tests.strategies import N_ITEMS, N_USERS, TIME, USER_IDS, histories
from tests.tiny_recommender import PROFILER, tiny_recommender

WEEK = 7 * DAY
FACTS = ["name", "tier", "because", "strength", "persistence", "evidence", "topics"]


def seconds(*date: int) -> float:
    return datetime(*date, tzinfo=UTC).timestamp()


@settings(max_examples=20)
@given(histories(), st.sampled_from(USER_IDS), st.integers(1, 400))
def test_a_profile_as_of_a_time_uses_nothing_after_it(history: History, user: str, ago: int) -> None:
    at = TIME - ago * DAY
    then = tiny_recommender(history.before(at)) if len(history.before(at).choices) else None
    found = tiny_recommender(history).levels(user, at)
    if then is None:
        assert found.points.is_empty()
        assert found.categories.is_empty()
    else:
        expected = then.levels(user, at)
        assert found.points.select(FACTS).equals(expected.points.select(FACTS))
        assert found.preferences.equals(expected.preferences)
        assert found.categories.equals(expected.categories)
        assert found.dislikes.equals(expected.dislikes)


@given(histories(), st.sampled_from(USER_IDS))
def test_the_profile_as_of_the_release_is_the_one_it_holds(history: History, user: str) -> None:
    recommender = tiny_recommender(history)
    held, found = recommender.interests(user), recommender.interests(user, TIME)
    assert found.drop("user_row").equals(held.drop("user_row"))


@settings(max_examples=20)
@given(histories(), st.sampled_from(USER_IDS), st.none() | st.integers(1, 5))
def test_a_course_is_the_profiles_at_its_times(history: History, user: str, steps: int | None) -> None:
    recommender = tiny_recommender(history)
    timeline = recommender.timeline(user, steps)
    ids = PROFILER.themes.at("topic")["id"]
    for number, ((time,), rows) in enumerate(timeline.group_by("time", maintain_order=True)):
        points = recommender.interests(user, time.timestamp())
        assert number or rows["key"].to_list() == [ids[topic] for topic in points["topic"]]
        for column in ("tier", "strength", "persistence"):
            assert rows[column].to_list() == points[column].to_list()
    assert not timeline.select("time", "key").is_duplicated().any()
    now = recommender.interests(user)
    assert timeline.filter(pl.col("time").dt.epoch("s") == int(TIME)).height == now.height


def test_months_end_when_the_next_one_begins_and_the_last_time_is_the_end() -> None:
    first, last = seconds(2023, 11, 3), seconds(2024, 3, 9, 12)
    ends = [(2023, 12, 1), (2024, 1, 1), (2024, 2, 1), (2024, 3, 1), (2024, 3, 9, 12)]
    assert moments(first, last) == [seconds(*end) for end in ends]
    assert moments(seconds(2024, 3, 1), seconds(2024, 3, 2)) == [seconds(2024, 3, 2)]
    assert moments(seconds(2024, 2, 3), seconds(2024, 3, 1)) == [seconds(2024, 3, 1)]


@given(st.floats(0, 4e9), st.floats(1, 1e8), st.integers(1, 50))
def test_steps_are_equal_and_end_at_the_end(first: float, length: float, steps: int) -> None:
    times = moments(first, first + length, steps)
    assert len(times) == steps
    assert times[-1] == first + length
    assert np.allclose(np.diff([first, *times]), length / steps, atol=1e-3)


def test_an_interest_rises_from_momentary_to_core_in_its_own_lane(tmp_path: Path) -> None:
    weeks = np.arange(30)
    history = History.from_columns(
        np.zeros(30, int), 3 * (weeks % 2), TIME - weeks * WEEK - DAY, np.ones(30), n_users=N_USERS, n_items=N_ITEMS
    )
    timeline = tiny_recommender(history).timeline(USER_IDS[0], 10)
    assert timeline["key"].n_unique() == 1
    assert timeline["tier"].to_list() == ["momentary"] + ["core"] * 9
    draw(SwimLanes.of(timeline, "somebody"), tmp_path / "timeline.svg")
    assert timeline["name"][0] in (tmp_path / "timeline.svg").read_text(encoding="utf-8")


def test_an_interest_keeps_the_name_it_has_last_and_shares_it_with_no_other() -> None:
    names = {1.0: ["Tea", "Rock"], 2.0: ["Green tea", "Jazz"], 3.0: ["Jazz"]}
    numbers = {"tier": "core", "strength": 1.0, "persistence": 1.0}

    def interests(time: float) -> pl.DataFrame:
        return pl.DataFrame([{"topic": topic, "name": name, **numbers} for topic, name in enumerate(names[time])])

    first, second = PROFILER.themes.at("topic")["id"][:2]
    timeline = timeline_of(interests, [1.0, 2.0], PROFILER.themes)
    assert timeline["name"].to_list() == ["Green tea", "Jazz"] * 2
    timeline = timeline_of(interests, [1.0, 2.0, 3.0], PROFILER.themes)
    lanes = [f"Jazz ({first})", f"Jazz ({second})"]
    assert timeline["name"].to_list() == [*lanes, *lanes, lanes[0]]


def test_nobody_has_interests_before_the_first_event_and_who_has_no_events_has_no_course() -> None:
    history = History.from_columns(
        np.array([0]), np.array([1]), np.array([TIME - DAY]), np.ones(1), n_users=N_USERS, n_items=N_ITEMS
    )
    recommender = tiny_recommender(history)
    assert recommender.interests(USER_IDS[0], TIME - DAY).is_empty()
    assert recommender.interests(USER_IDS[0], TIME - DAY + 1).height == 1
    assert recommender.timeline(USER_IDS[3]).is_empty()
    assert recommender.timeline(USER_IDS[3]).columns == ["time", "key", "name", "tier", "strength", "persistence"]


@pytest.mark.parametrize(("at", "medoids"), [(TIME - DAY, ["i04"]), (TIME - 20 * DAY, [])])
def test_a_visitors_picks_have_a_past_too(at: float, medoids: list[str]) -> None:
    recommender = tiny_recommender(
        History.from_columns(*(np.zeros(1) for _ in range(4)), n_users=N_USERS, n_items=N_ITEMS)
    )
    person = recommender.new_users.from_choices(
        [PastChoice("i04", None, TIME - 10 * DAY), PastChoice("i05", None, TIME - DAY)]
    )
    assert recommender.interests(person, at)["medoid"].to_list() == medoids
    assert recommender.interests(person).height == 2


def test_an_interest_keeps_its_lane_while_it_keeps_most_of_its_topics() -> None:
    lanes = Lanes()
    assert lanes.of([4, 7], [{4, 5}, {7}]) == [(4, 1), (7, 1)]
    assert lanes.of([5, 7], [{4, 5, 6}, {7, 8}]) == [(4, 1), (7, 1)], "another of its topics is the main one now"
    assert lanes.of([7], [{4, 5, 6, 7, 8}]) == [(4, 1)], "two become one: that goes on which shares more"
    assert lanes.of([7, 4], [{7, 8}, {4, 5, 6}]) == [(7, 1), (4, 1)]
    assert lanes.of([7, 4], [{1, 2}, {4}]) == [(7, 2), (4, 1)], "a new interest of a topic that began one before"


@given(st.lists(st.lists(st.sets(st.integers(0, 9), min_size=1), max_size=5), max_size=8))
def test_no_two_interests_of_one_time_share_a_lane(times: list[list[set[int]]]) -> None:
    lanes = Lanes()
    for points in times:
        parted = [own.difference(*points[:place]) for place, own in enumerate(points)]  # a topic is in one point
        topics = [own for own in parted if own]
        keys = lanes.of([min(own) for own in topics], topics)
        assert len(set(keys)) == len(keys)
