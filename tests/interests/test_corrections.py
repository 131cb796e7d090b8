"""What people correct holds, for the point that contains the topic; it can be undone, replayed and forgotten."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from strata.data.history import DAY, History
from strata.errors import SourceError
from strata.interests.correction_file import ACTIONS, Correction, append, forget
from strata.interests.corrections import Corrections
from strata.interests.profiles import Profiles
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME, USER_IDS, histories
from tests.tiny_recommender import PROFILER, tiny_recommender

THEMES = PROFILER.themes
TOPICS = THEMES.at("topic")["id"].to_list()
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def said(action: str, topic: str = TOPICS[0], user: str = USER_IDS[0], value: str | None = None) -> Correction:
    value = value or ("My own" if action == "rename" else None)
    return Correction(time=NOW, who="anna", user_id=user, topic=topic, action=action, value=value)


corrections = st.lists(
    st.builds(said, st.sampled_from(ACTIONS), st.sampled_from(TOPICS), st.sampled_from(USER_IDS)), max_size=12
)


def profiles_of(history: History) -> Profiles:
    return PROFILER.profiles(history, TIME, USER_IDS)[0]


def corrected(profiles: Profiles, lines: list[Correction]) -> Profiles:
    return Corrections(tuple(lines)).apply(profiles, USER_IDS, THEMES, PROFILER.catalogue.ids)


def assert_same(one: Profiles, other: Profiles) -> None:
    assert_frame_equal(one.table, other.table, check_exact=True)
    assert np.array_equal(one.vectors, other.vectors)


def topics_of(profiles: Profiles, user: str) -> dict[int, dict]:
    """The row of the point that contains each topic."""
    rows = profiles.table.filter(user_id=user).iter_rows(named=True)
    return {topic: row for row in rows for topic in row["topics"]}


@given(histories(), corrections)
def test_replaying_twice_is_replaying_once(history: History, lines: list[Correction]) -> None:
    profiles = profiles_of(history)
    once = corrected(profiles, lines)
    assert_same(corrected(once, lines), once)
    assert_same(corrected(profiles, [*lines, *lines[-1:]]), once)


@given(histories(), corrections, st.booleans())
def test_only_the_order_of_ones_own_corrections_matters(
    history: History, lines: list[Correction], backwards: bool
) -> None:
    shuffled = sorted(lines, key=lambda line: line.user_id, reverse=backwards)
    assert_same(corrected(profiles_of(history), shuffled), corrected(profiles_of(history), lines))


@given(histories(), corrections)
def test_other_users_stay_as_they_were(history: History, lines: list[Correction]) -> None:
    profiles = profiles_of(history)
    after = corrected(profiles, [line for line in lines if line.user_id != USER_IDS[1]])
    assert_frame_equal(after.table.filter(user_id=USER_IDS[1]), profiles.table.filter(user_id=USER_IDS[1]))
    assert np.array_equal(after.vectors[after.of(1)], profiles.vectors[profiles.of(1)])


@given(histories(), corrections)
def test_undo_restores_exactly(history: History, lines: list[Correction]) -> None:
    undone = [*lines, *(said("undo", topic, user) for topic in TOPICS for user in USER_IDS)]
    assert_same(corrected(profiles_of(history), undone), profiles_of(history))


@given(histories(), corrections)
def test_a_corrected_profile_is_a_profile(history: History, lines: list[Correction]) -> None:
    before = profiles_of(history)
    after = corrected(before, lines)
    assert after.table.schema == before.table.schema
    assert len(after.vectors) == after.table.height
    assert after.dislikes is before.dislikes
    for user in range(N_USERS):
        rows = after.table[after.of(user)]
        assert rows["user_row"].to_list() == [user] * rows.height
        assert rows["point"].to_list() == list(range(rows.height))
        assert rows["tier"].to_list() == sorted(rows["tier"], key=["core", "stable", "momentary"].index)
        if rows["strength"].sum() > 0.01:  # rounded to six places
            assert rows["share"].sum() == pytest.approx(1, abs=1e-3)


@settings(max_examples=20)
@given(histories(), st.sampled_from(USER_IDS), st.integers(0, len(TOPICS) - 1), st.sampled_from(["reject", "block"]))
def test_what_is_rejected_is_in_no_answer(history: History, user: str, topic: int, action: str) -> None:
    line = said(action, TOPICS[topic], user)
    left = topics_of(corrected(profiles_of(history), [line]), user)
    gone = topics_of(profiles_of(history), user).get(topic, {"topics": []})["topics"]
    assert not {topic, *gone} & set(left)
    recommender = tiny_recommender(history, Corrections((line,)))
    for at in (None, TIME - 100 * DAY):
        levels = recommender.levels(user, at)
        assert TOPICS[topic] not in levels.points["topic_ids"].explode().to_list()
        assert TOPICS[topic] not in levels.preferences["topic_ids"].explode().to_list()
        assert recommender.interests(user, at)["name"].to_list() == levels.points["name"].to_list()
    assert TOPICS[topic] not in recommender.timeline(user, 4)["key"].to_list()


@given(
    histories(),
    st.sampled_from(USER_IDS),
    st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3, unique=True),
)
def test_items_of_a_blocked_topic_are_never_recommended(history: History, user: str, blocked: list[str]) -> None:
    held = Corrections(tuple(said("block", topic, user) for topic in blocked))
    mask = held.blocked_items(user, THEMES)
    assert mask.tolist() == [TOPICS[topic] in blocked for topic in THEMES.of_item[:, 0]]
    recommender = tiny_recommender(history, held)
    found = {recommender.catalogue.row(item.item_id) for item in recommender.recommend(user, ListRequest(k=N_ITEMS))}
    assert not found & set(np.flatnonzero(mask))
    mine = history.of_users(USER_IDS.index(user), USER_IDS.index(user) + 1)
    mask[mine.items[mine.spoken_against()]] = True  # hidden or rated low, and so never recommended either
    assert len(found) == N_ITEMS - mask.sum()


@given(histories(), st.integers(0, len(TOPICS) - 1))
def test_a_pinned_topic_is_core_with_or_without_a_point(history: History, topic: int) -> None:
    profiles = profiles_of(history)
    before, after = (
        topics_of(profiles, USER_IDS[0]),
        topics_of(corrected(profiles, [said("pin", TOPICS[topic])]), USER_IDS[0]),
    )
    assert after[topic]["tier"] == "core"
    assert after[topic]["because"] == "pinned on 2026-01-02"
    assert set(after) == {*before, topic}
    if topic in before:
        assert after[topic]["strength"] == before[topic]["strength"]
    else:
        assert (after[topic]["events"], after[topic]["topics"]) == (0, [topic])
        points = {row["point"] for row in after.values()}
        assert after[topic]["share"] == pytest.approx(1 / len(points), abs=1e-5), (
            "it counts as the others do on average"
        )
        assert after[topic]["name"] == THEMES.names("topic")[topic]
        assert THEMES.of_item[PROFILER.catalogue.ids.tolist().index(after[topic]["medoid"]), 0] == topic


def steady() -> History:
    """One user who chose an item of two topics each week for ten weeks."""
    items = np.array([0, 1] * 10)
    times = TIME - np.repeat(np.arange(10), 2) * 7 * DAY - 3_600
    return History.from_columns(np.zeros(20), items, times, np.ones(20), n_users=N_USERS, n_items=N_ITEMS)


def test_a_name_and_a_pin_hold_side_by_side_and_the_latest_of_each() -> None:
    topic, profiles = int(THEMES.of_item[0, 0]), profiles_of(steady())

    def points(*actions: tuple[str, str | None]) -> dict[int, dict]:
        lines = [said(action, TOPICS[topic], value=value) for action, value in actions]
        return topics_of(corrected(profiles, lines), USER_IDS[0])

    named = ("pin", None), ("rename", "Bulbs"), ("rename", "Tulips")
    assert points(*named)[topic]["name"] == "Tulips"
    assert points(*named)[topic]["because"] == "pinned on 2026-01-02"
    assert topic not in points(*named, ("reject", None))
    assert points(*named, ("reject", None), ("pin", None))[topic]["name"] == "Tulips"
    assert points(*named, ("undo", None)) == points()


def test_of_a_point_with_several_topics_the_latest_correction_holds() -> None:
    history = History.from_columns(
        np.zeros(4), np.array([0, 3, 6, 9]), np.full(4, TIME - DAY), np.ones(4), n_users=N_USERS, n_items=N_ITEMS
    )
    profiles = profiles_of(history)
    (point,) = profiles.table.iter_rows(named=True)
    first, second = (TOPICS[topic] for topic in point["topics"])
    assert corrected(profiles, [said("pin", first), said("reject", second)]).table.is_empty()
    for order in ((first, second), (second, first)):
        kept = corrected(profiles, [said("reject", order[0]), said("pin", order[1])]).table
        assert kept["topics"].to_list() == [point["topics"]]
        assert kept["tier"].to_list() == ["core"]


def test_topics_that_are_gone_and_users_elsewhere_change_nothing() -> None:
    lines = [said("pin", "topic-999"), said("reject", user="nobody")]
    assert_same(corrected(profiles_of(steady()), lines), profiles_of(steady()))


def test_what_is_appended_is_read_and_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "corrections.jsonl"
    assert Corrections.read(path).lines == ()
    lines = [said("pin"), said("rename", value="绿茶 “tea”"), said("undo")]
    for line in lines:
        append(line, path)
    assert Corrections.read(path).lines == tuple(lines)
    assert all(json.loads(line)["who"] == "anna" for line in path.read_text(encoding="utf-8").splitlines())


@given(corrections, st.sampled_from(USER_IDS))
def test_forgetting_removes_a_user_and_leaves_the_rest_byte_for_byte(tmp_path_factory, lines, user: str) -> None:
    path, rest = (tmp_path_factory.mktemp("forget") / "c.jsonl" for _ in range(2))
    path.write_bytes(b"".join(_odd(line) for line in lines))
    rest.write_bytes(b"".join(_odd(line) for line in lines if line.user_id != user))
    assert forget(user, path) == sum(line.user_id == user for line in lines)
    assert path.read_bytes() == rest.read_bytes()
    assert user not in Corrections.read(path)


def _odd(line: Correction) -> bytes:
    """A line as another hand may have written it."""
    return json.dumps(line.model_dump(mode="json"), sort_keys=True, separators=(" , ", ": ")).encode() + b"\r\n"


WHOLE = json.loads(said("pin").model_dump_json())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("", "Invalid JSON"),
        ('{"time"', "Invalid JSON"),
        (json.dumps(WHOLE | {"action": "love"}), "action: Input should be 'pin', 'rename'"),
        (json.dumps(WHOLE | {"topic": 17}), "topic: Input should be a valid string"),
        (json.dumps(WHOLE | {"time": "2026-01-02T03:04:05"}), "time: Input should have timezone info"),
        (json.dumps(WHOLE | {"user": "4"}), "user: Extra inputs are not permitted"),
        (json.dumps(WHOLE | {"value": "x"}), "a value, the new name, goes with the action rename"),
        (json.dumps(WHOLE | {"action": "rename"}), "a value, the new name, goes with the action rename"),
        (json.dumps(WHOLE | {"action": "rename", "value": "\x1b[31mred"}), "one line of visible characters"),
    ],
)
def test_damaged_lines_are_refused_by_file_and_line(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "corrections.jsonl"
    content = f"{json.dumps(WHOLE)}\n{line}\n{json.dumps(WHOLE)}\n"
    path.write_text(content, encoding="utf-8")
    for attempt in (lambda: Corrections.read(path), lambda: append(said("pin"), path), lambda: forget("u0", path)):
        with pytest.raises(SourceError, match=r"corrections\.jsonl, line 2 is no correction: .*") as error:
            attempt()
        assert fault in str(error.value)
    assert path.read_text(encoding="utf-8") == content


def test_a_line_without_an_end_is_not_glued_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "corrections.jsonl"
    path.write_text(json.dumps(WHOLE), encoding="utf-8")
    append(said("undo"), path)
    assert [line.action for line in Corrections.read(path).lines] == ["pin", "undo"]
