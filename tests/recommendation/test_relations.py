"""Whom and what a release relates: never oneself, nor who had or blocked it; what all answers share is made once."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from strata.data.catalogue import Catalogue
from strata.data.filters import Filters
from strata.data.history import DAY, History
from strata.data.schema import BRAND
from strata.errors import UnknownId
from strata.interests.correction_file import Correction
from strata.interests.corrections import Corrections
from strata.interests.query_users import PastChoice
from strata.recommendation.recommender import Recommender
from strata.recommendation.trending import TrendSettings
from tests.strategies import N_ITEMS, N_USERS, TIME, catalogue, vectors
from tests.tiny_recommender import PROFILER, tiny_recommender

GARDEN, MUSIC = (np.arange(kind, N_ITEMS, 3) for kind in (0, 1))
SHOP = Catalogue(catalogue().with_columns(pl.Series(BRAND, [f"maker {n}" for n in range(N_ITEMS)])))


def release(corrections: Corrections | None = None) -> Recommender:
    """u0 and u1 have long liked gardens, u2 music; an item about gardens has been chosen a lot lately."""
    chosen = [(0, GARDEN[:3]), (1, GARDEN[1:]), (2, MUSIC)]
    users = np.concatenate([np.repeat(user, len(items)) for user, items in chosen] + [[0, 1, 2]])
    items = np.concatenate([items for _, items in chosen] + [[GARDEN[1]] * 3])
    times = np.append(np.full(len(users) - 3, TIME - 60 * DAY), np.full(3, TIME - 2 * DAY))
    history = History.from_columns(users, items, times, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS)
    return replace(tiny_recommender(history, corrections), catalogue=SHOP, trends=TrendSettings(smoothing=0.1))


RELEASE = release()


def test_nobody_is_similar_to_themselves_and_visitors_may_be_to_anybody() -> None:
    assert RELEASE.similar_users("u0")[0].user_id == "u1"
    assert "u0" not in [user.user_id for user in RELEASE.similar_users("u0")]
    picks = RELEASE.new_users.from_choices([PastChoice(SHOP.ids[row]) for row in MUSIC])
    said = RELEASE.new_users.from_texts(vectors()[MUSIC[:1]])
    for visitor in (picks, said):
        assert RELEASE.similar_users(visitor, 1)[0].user_id == "u2"
    with pytest.raises(UnknownId, match="user 'nobody'"):
        RELEASE.similar_users("nobody")


def test_an_audience_has_not_had_the_item() -> None:
    item = SHOP.ids[GARDEN[0]]
    assert [member.user_id for member in RELEASE.audience(item)][0] == "u1"
    assert "u0" not in [member.user_id for member in RELEASE.audience(item)]
    assert {member.user_id for member in RELEASE.audience(vectors()[GARDEN[0]], 2)} == {"u0", "u1"}
    with pytest.raises(UnknownId, match="item 'gone'"):
        RELEASE.audience("gone")


def test_who_blocked_its_topic_is_no_audience_of_an_item() -> None:
    row = int(GARDEN[0])
    topic = PROFILER.themes.at("topic")["id"][int(PROFILER.themes.of_item[row, 0])]
    said = {"time": datetime(2026, 1, 2, tzinfo=UTC), "who": "anna", "user_id": "u1", "topic": topic, "action": "block"}
    blocked = release(Corrections((Correction.model_validate(said),)))
    assert "u1" in [member.user_id for member in RELEASE.audience(SHOP.ids[row])]
    assert "u1" not in [member.user_id for member in blocked.audience(SHOP.ids[row])]


def test_hot_topics_are_led_by_items_that_filters_admit() -> None:
    burst = str(SHOP.ids[GARDEN[1]])
    assert RELEASE.hot_topics("u0", 1)[0].items[0] == burst
    assert not [
        topic for topic in RELEASE.hot_topics("u0", filters=Filters(exclude_items=[burst])) if burst in topic.items
    ]
    picks = RELEASE.new_users.from_choices([PastChoice(str(SHOP.ids[GARDEN[0]])), PastChoice(burst, "dislike")])
    assert not [topic for topic in RELEASE.hot_topics(picks) if burst in topic.items]


def test_brands_to_follow_are_new_near_and_within_the_filters() -> None:
    names = [brand.name for brand in RELEASE.brands_to_follow("u0", N_ITEMS)]
    assert names[0] == f"maker {GARDEN[3]}"
    assert not {f"maker {row}" for row in GARDEN[:3]} & set(names)
    music = RELEASE.brands_to_follow("u0", N_ITEMS, filters=Filters(categories=["music"]))
    assert {brand.name for brand in music} <= {f"maker {row}" for row in MUSIC}


def test_users_of_whom_nothing_is_known_are_related_to_nobody() -> None:
    assert RELEASE.similar_users("u3") == RELEASE.hot_topics("u3") == RELEASE.brands_to_follow("u3") == []


def test_what_all_answers_share_is_made_once() -> None:
    RELEASE.similar_users("u0")
    crowd, rising = RELEASE.crowd, RELEASE.rising
    RELEASE.hot_topics("u1")
    RELEASE.audience(str(SHOP.ids[0]))
    assert RELEASE.crowd is crowd
    assert RELEASE.rising is rising
