"""A correction holds for what it meant, also where topics got other ids and members, or it is said to be lost."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.interests.correction_file import Correction
from strata.interests.corrections import Corrections, said_lost
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.refinding import meant_by, refind
from strata.interests.settings import TierSettings
from strata.interests.themes import Themes
from tests.interests.test_anchors import learn, planted
from tests.strategies import TIME, text_space


@dataclass(frozen=True)
class Learned:
    """Topics of some of the planted items, by their rows."""

    themes: Themes
    profiler: Profiler
    rows: np.ndarray

    @property
    def parts(self) -> tuple:
        return self.themes, self.profiler.catalogue, self.profiler.space

    def topic_of(self, row: int) -> int:
        return int(self.themes.of_item[np.searchsorted(self.rows, row), 0])

    def id_of(self, row: int) -> str:
        return self.themes.at("topic")["id"][self.topic_of(row)]

    def profile(self, *rows: int) -> Profiles:
        """Of one user, "u", who chose each of these items every week."""
        items = np.tile(np.searchsorted(self.rows, rows), 10)
        times = TIME - np.repeat(np.arange(10), len(rows)) * 7 * DAY - DAY
        n = len(items)
        history = History.from_columns(np.zeros(n), items, times, np.ones(n), n_users=1, n_items=len(self.rows))
        return self.profiler.profiles(history, TIME, ["u"])[0]


def release(rows: np.ndarray, *, numbered_from: int = 1) -> Learned:
    """A release of the planted items of these rows, whose topics have ids that nothing remembers."""
    vectors, items = VECTORS[rows], ITEMS[rows]
    themes = learn(vectors, items)
    n = themes.at("topic").height
    number = (pl.col("group") + numbered_from) % n
    renumbered = pl.when(pl.col("level") == "topic").then(pl.format("topic-{}", number)).otherwise("id")
    themes = replace(themes, groups=themes.groups.with_columns(id=renumbered))
    profiler = Profiler.of(Catalogue(items), text_space(vectors), themes, TierSettings(cut=0.3))
    return Learned(themes, profiler, rows)


VECTORS, ITEMS = planted()
EVERYTHING = np.arange(600)
BEFORE = np.sort(np.random.default_rng(1).choice(600, 545, replace=False))


@pytest.fixture(scope="module")
def before() -> Learned:
    return release(BEFORE)


@pytest.fixture(scope="module")
def after() -> Learned:
    """With a tenth more items, and every id another's."""
    return release(EVERYTHING, numbered_from=8)


def said(action: str, topic: str, made_in: Learned | None) -> Correction:
    meant = None if made_in is None else meant_by(topic, *made_in.parts)
    value = "My own" if action == "rename" else None
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return Correction(time=now, who="anna", user_id="u", topic=topic, action=action, value=value, meant=meant)


def members(learned: Learned, topic: str) -> set[int]:
    group = learned.themes.at("topic")["id"].to_list().index(topic)
    return set(learned.rows[learned.themes.of_item[:, 0] == group])


def test_topics_of_other_ids_and_members_are_found_by_their_items(before: Learned, after: Learned) -> None:
    ids = before.themes.at("topic")["id"].to_list()
    found = refind([(topic, meant_by(topic, *before.parts)) for topic in ids], *after.parts)
    pairs = [(topic, now) for topic, now in zip(ids, found, strict=True) if now is not None]
    assert len(pairs) >= 0.8 * len(ids)
    assert sum(topic == now for topic, now in pairs) < 0.2 * len(pairs), "an id alone would lead elsewhere"
    for topic, now in pairs:
        then, there = members(before, topic), members(after, now)
        assert len(then & there) >= 0.5 * len(then)
        assert 3 * len(then & there) >= len(there), "it is not a topic that merely contains the one meant"


@pytest.fixture(scope="module")
def kept(before: Learned, after: Learned) -> tuple[int, int]:
    """Items of two topics that are there in both releases, far from each other, under other ids."""
    lasting = []
    for topic in before.themes.at("topic")["id"]:
        then = members(before, topic)
        row = min(then)
        now = members(after, after.id_of(row))
        if topic != after.id_of(row) and len(then & now) >= 0.8 * len(then | now):
            lasting.append(row)
    row, *others = lasting
    return row, min(others, key=lambda other: float(VECTORS[row] @ VECTORS[other]))


@pytest.mark.parametrize("action", ["pin", "rename", "reject", "block"])
def test_each_correction_is_replayed_on_the_topic_found_again(before, after, kept, action: str) -> None:
    row, other = kept
    line = said(action, before.id_of(row), before)
    corrections = Corrections((Correction.model_validate_json(line.model_dump_json()),)).found(*after.parts)
    assert corrections.lost(after.themes) == []
    profiles = after.profile(row, other)
    changed = corrections.apply(profiles, ["u"], after.themes, after.profiler.catalogue.ids).table
    of = lambda table, of_row: table.filter(pl.col("topics").list.contains(after.topic_of(of_row)))  # noqa: E731
    assert of(changed, other).height == of(profiles.table, other).height == 1, "what was not meant stays"
    mine = of(changed, row)
    if action in ("reject", "block"):
        assert mine.is_empty()
    else:
        assert (mine["name"].item() == "My own") == (action == "rename")
        assert mine["because"].item().startswith("pinned") == (action == "pin")
    barred = set(np.flatnonzero(corrections.blocked_items("u", after.themes)))
    assert barred == (members(after, after.id_of(row)) if action == "block" else set())


def test_an_undo_in_a_later_release_ends_what_was_said_in_an_earlier_one(before, after, kept) -> None:
    row, _ = kept
    pin = said("pin", before.id_of(row), before)
    ((topic, meant),) = Corrections((pin,)).found(*after.parts).about("u", after.id_of(row))
    undo = Correction(time=pin.time, who="anna", user_id="u", topic=topic, action="undo", meant=meant)
    for learned in (before, after):
        both = Corrections((pin, undo)).found(*learned.parts)
        profiles = learned.profile(row)
        assert both.apply(profiles, ["u"], learned.themes, learned.profiler.catalogue.ids) is profiles
        assert both.about("u", learned.id_of(row)) == []


@pytest.mark.parametrize("action", ["pin", "rename", "reject", "block"])
def test_what_is_found_nowhere_is_said_and_applies_to_nothing(before: Learned, kept, action: str) -> None:
    row, other = kept
    topic = before.id_of(row)
    gone = members(before, topic) | {far for far in BEFORE if VECTORS[far] @ VECTORS[row] > 0.5}
    without = release(np.array(sorted(set(EVERYTHING) - gone)), numbered_from=8)
    assert topic in without.themes.at("topic")["id"].to_list(), "another topic has its id now"
    line = said(action, topic, before)
    corrections = Corrections((line,)).found(*without.parts)
    assert corrections.lost(without.themes) == [line]
    assert f"{action} {topic} of user u no longer finds its interest (was Kind" in said_lost(line)
    profiles = without.profile(other)
    assert corrections.apply(profiles, ["u"], without.themes, without.profiler.catalogue.ids) is profiles
    assert not corrections.blocked_items("u", without.themes).any()
    ended = Corrections((line, line.model_copy(update={"action": "undo", "value": None}))).found(*without.parts)
    assert ended.lost(without.themes) == []


def test_items_of_a_lost_block_stay_blocked(before: Learned, kept) -> None:
    topic = before.id_of(kept[0])
    few = sorted(members(before, topic))[:2]  # too few to say which topic it is now
    rows = np.array(sorted(set(BEFORE) - members(before, topic) | set(few)))
    later = release(rows, numbered_from=8)
    corrections = Corrections((said("block", topic, before),)).found(*later.parts)
    assert len(corrections.lost(later.themes)) == 1
    assert set(rows[corrections.blocked_items("u", later.themes)]) == set(few)


def test_where_no_item_is_left_texts_decide_if_the_same_language_model_read_them(before: Learned, kept) -> None:
    row, other = kept
    topic = before.id_of(row)
    mine = pl.Series(np.isin(EVERYTHING, sorted(members(before, topic))))
    renewed = ITEMS.with_columns(item_id=pl.when(mine).then("new" + pl.col("item_id")).otherwise("item_id"))
    asked = [(each, meant_by(each, *before.parts)) for each in (topic, before.id_of(other))]
    for turn, found in ((np.eye(24), True), (np.linalg.qr(np.random.default_rng(3).normal(size=(24, 24)))[0], False)):
        turned = (VECTORS @ turn).astype(np.float32)
        themes = learn(turned, renewed)
        now = refind(asked, themes, Catalogue(renewed), text_space(turned))
        ids = themes.at("topic")["id"].to_list()
        assert now[1] is not None
        assert (now[0] == ids[themes.of_item[row, 0]]) if found else now[0] is None


def test_lines_from_before_they_said_what_they_meant_hold_by_their_id(before: Learned, kept) -> None:
    row, _ = kept
    old, unknown = said("pin", before.id_of(row), None), said("pin", "topic-999", None)
    corrections = Corrections((old, unknown)).found(*before.parts)
    table = corrections.apply(before.profile(row), ["u"], before.themes, before.profiler.catalogue.ids).table
    assert table["tier"].to_list() == ["core"]
    assert table["because"].item().startswith("pinned")
    assert corrections.lost(before.themes) == [unknown]
    assert "topic-999" in said_lost(unknown)
