"""Levels: categories add up from what was chosen, preferences last and list their points, dislikes stay apart."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.interests.levels import LEAST_POINTS, levels_of, stated_by
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes
from tests.strategies import N_ITEMS, N_USERS, TIME, USER_IDS, catalogue, histories, vectors
from tests.tiny_recommender import PROFILER, SETTINGS, tiny_recommender

THEMES = PROFILER.themes


def weekly(pattern: dict[int, range], weights: dict[int, float] | None = None) -> History:
    """One user's events: item → weeks before TIME in which it was chosen."""
    events = [
        (item, TIME - week * 7 * DAY - DAY, (weights or {}).get(item, 1.0))
        for item, weeks in pattern.items()
        for week in weeks
    ]
    items, times, weight = (np.array(column) for column in zip(*events, strict=True))
    return History.from_columns(np.zeros(len(items)), items, times, weight, n_users=N_USERS, n_items=N_ITEMS)


def one_theme() -> Themes:
    """The themes of the catalogue with all of its topics under one theme."""
    of_item = THEMES.of_item.copy()
    of_item[:, 2] = 0
    groups = THEMES.groups.filter((pl.col("level") != "theme") | (pl.col("group") == 0))
    return Themes(groups, THEMES.vectors[: groups.height], of_item)


def levels_under(themes: Themes, history: History):
    profiles, _ = replace(PROFILER, themes=themes).profiles(history, TIME)
    return levels_of(QueryUser(0, history, profiles), TIME, Catalogue(catalogue()), themes, SETTINGS, {})


@given(histories(), st.sampled_from(USER_IDS))
def test_levels_are_what_the_history_and_the_profile_hold(history: History, user: str) -> None:
    recommender = tiny_recommender(history)
    levels, points = recommender.levels(user), recommender.interests(user)
    assert levels.points.drop("topic_id", "topic_ids").equals(points)
    own = history.keep(history.users == USER_IDS.index(user)).positive()
    kinds = catalogue()["categories"].list.first().to_numpy()
    counts = {kind: int((kinds[np.unique(own.items)] == kind).sum()) for kind in set(kinds[own.items])}
    assert dict(levels.categories.select("name", "items").iter_rows()) == counts
    assert not levels.categories["learned"].any()
    if own.weights.max(initial=0) > 0.01:
        assert levels.categories["share"].sum() == pytest.approx(1, abs=1e-4)
    for row in levels.preferences.iter_rows(named=True):
        assert row["tier"] in ("stable", "core")
        assert len(row["points"]) == len(row["topic_ids"]) >= LEAST_POINTS
        assert set(row["points"]) <= set(points["name"])
        assert row["because"]
        assert f"{row['periods']} of {row['of_periods']}" in row["because"]
    disliked = history.items[(history.users == USER_IDS.index(user)) & (history.weights < 0)]
    against = set(PROFILER.catalogue.ids[disliked])
    assert set(levels.dislikes["medoid"]) <= against
    assert levels.dislikes.is_empty() == (not against)


def test_a_preference_is_a_lasting_theme_behind_two_points() -> None:
    history = weekly({0: range(0, 20, 2), 1: range(1, 20, 2)})
    preference = levels_under(one_theme(), history).preferences.row(0, named=True)
    points = levels_under(one_theme(), history).points
    assert points["persistence"].to_list() == [0.5, 0.5]
    assert (preference["persistence"], preference["tier"]) == (1.0, "core")
    assert preference["because"] == "in 20 of 20 active weeks (100%), core from 50%"
    assert preference["id"] == THEMES.at("theme")["id"][0]
    assert preference["points"] == points["name"].to_list()
    assert preference["topic_ids"] == points["topic_id"].to_list()
    assert (preference["events"], preference["items"], preference["share"]) == (20, 2, 1.0)
    assert (preference["first_seen"], preference["last_seen"]) == (
        points["first_seen"].min(),
        points["last_seen"].max(),
    )


def test_one_point_makes_no_preference_nor_does_what_is_only_of_now() -> None:
    assert levels_under(one_theme(), weekly({0: range(20)})).preferences.is_empty()
    of_now = levels_under(one_theme(), weekly({0: range(2), 1: range(2)}))
    assert of_now.points.height == 2
    assert of_now.preferences.is_empty()


def test_an_item_of_several_categories_counts_in_each_and_one_of_none_in_a_learned_one() -> None:
    kinds = [["tea", "green"], ["tea"], [], *[["other"]] * (N_ITEMS - 3)]
    items = Catalogue(catalogue().with_columns(pl.Series("categories", kinds, dtype=pl.List(pl.String))))
    history = History.from_columns(
        np.zeros(4), np.array([0, 0, 1, 2]), np.full(4, TIME - DAY), np.ones(4), n_users=N_USERS, n_items=N_ITEMS
    )
    profiles, _ = PROFILER.profiles(history, TIME)
    levels = levels_of(QueryUser(0, history, profiles), TIME, items, THEMES, SETTINGS, {})
    learned = THEMES.names("category")[THEMES.of_item[2, 1]]
    rows = set(levels.categories.iter_rows())
    assert rows == {("tea", 0.75, 2, False), ("green", 0.5, 1, False), (learned, 0.25, 1, True)}
    assert levels.categories["name"][0] == "tea"


def test_words_have_points_with_ids_and_no_levels_above() -> None:
    recommender = tiny_recommender(weekly({0: range(3)}))
    levels = recommender.levels(recommender.new_users.from_texts(vectors()[[4]]))
    topic = THEMES.at("topic")["id"][int(THEMES.of_item[4, 0])]
    assert levels.points["topic_ids"].to_list() == [[topic]] == [levels.points["topic_id"].to_list()]
    assert levels.categories.is_empty()
    assert levels.preferences.is_empty()
    assert levels.dislikes.is_empty()
    assert levels.stated == {}


def test_what_users_state_is_who_they_are_and_not_how_old() -> None:
    pairs = [
        {"key": "age", "value": "24"},
        {"key": "location", "value": "Kyoto"},
        {"key": "occupation", "value": "potter"},
    ]
    account = {"attributes": pairs, "profile_text": "I make teapots."}
    assert stated_by(account) == {"occupation": "potter", "location": "Kyoto", "profile_text": "I make teapots."}
    assert stated_by({"attributes": None, "profile_text": None}) == {}


def test_a_century_later_the_numbers_are_still_finite() -> None:
    recommender = tiny_recommender(weekly({0: range(0, 20, 2), 1: range(1, 20, 2)}))
    levels = recommender.levels(USER_IDS[0], TIME + 36_500 * DAY)
    for table in (levels.categories, levels.preferences, levels.points):
        assert table.select(pl.col(pl.Float64).is_finite().all()).row(0) == (True,) * len(
            table.select(pl.col(pl.Float64)).columns
        )
    assert not levels.categories.is_empty()


def test_shares_of_all_levels_last_longer_than_strength() -> None:
    history, later = weekly({0: range(20), 1: range(20), 3: range(20)}), TIME + 400 * 365 * DAY
    profiles, _ = replace(PROFILER, themes=one_theme()).profiles(history, later)
    levels = levels_of(QueryUser(0, history, profiles), later, Catalogue(catalogue()), one_theme(), SETTINGS, {})
    assert levels.points["strength"].max() == 0
    for table in (levels.categories, levels.preferences, levels.points):
        assert table["share"].sum() == pytest.approx(1, abs=1e-4)
