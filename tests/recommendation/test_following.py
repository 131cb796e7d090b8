"""What to follow: topics that really rise among a user's interests, and new brands near to them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import BRAND, TIERS
from strata.interests.profiles import Profiles
from strata.recommendation.brands import brands_to_follow
from strata.recommendation.crowd import alone
from strata.recommendation.trending import TrendSettings, hot_topics, rising_topics
from tests.strategies import N_ITEMS, N_USERS, TIME, catalogue, histories, vectors
from tests.tiny_recommender import PROFILER, tiny_recommender

THEMES = PROFILER.themes
EVEN = dict.fromkeys(TIERS, 1.0)
EVERYTHING = np.ones(N_ITEMS, bool)
MAKERS = ["Fern", "Lute", "Rail"]
SHOP = Catalogue(
    catalogue().with_columns(pl.Series(BRAND, [f"{MAKERS[n % 3]} {n // 6}" if n else None for n in range(N_ITEMS)]))
)
BRANDS = SHOP.items[BRAND].to_list()


def history_of(events: list[tuple[int, int, float, float]]) -> History:
    """Events as (user, item, days before TIME, weight)."""
    users, items, days, weights = (np.array(column) for column in zip(*events, strict=True))
    return History.from_columns(users, items, TIME - days * DAY, weights, n_users=int(users.max()) + 1, n_items=N_ITEMS)


def person(*events: tuple[int, float]) -> Profiles:
    """The points of somebody who chose these items, by weight, yesterday."""
    history = history_of([(0, item, 1.0, weight) for item, weight in events])
    profiles, _ = PROFILER.profiles(history, TIME)
    return alone(profiles, 0)


@given(histories(), st.floats(1, 50))
def test_lift_compares_users_lately_with_users_expected(history: History, smoothing: float) -> None:
    settings = TrendSettings(hot_days=100, past_days=200, smoothing=smoothing)
    rising = rising_topics(history, THEMES, TIME, settings)
    users: dict[bool, list[set[int]]] = {late: [set() for _ in rising.lift] for late in (True, False)}
    for user, item, time, weight in zip(history.users, history.items, history.times, history.weights, strict=True):
        days = (TIME - time) / DAY
        if weight > 0 and days <= 300:
            users[days <= 100][THEMES.of_item[item, 0]].add(user)
    lately, past = (np.array([len(topic) for topic in users[late]]) for late in (True, False))
    expected = past * lately.sum() / max(past.sum(), 1)
    lift = (lately + smoothing) / (expected + smoothing)
    assert rising.lift == pytest.approx(lift if past.sum() else np.ones(len(lift)))


@given(histories(), st.lists(st.booleans(), min_size=N_ITEMS, max_size=N_ITEMS))
def test_hot_topics_rise_in_the_users_themes_and_are_led_by_what_is_chosen_there(
    history: History, admitted: list[bool]
) -> None:
    profiles, available = tiny_recommender(history).profiles, np.array(admitted)
    rising = rising_topics(history, THEMES, TIME, TrendSettings(hot_days=100, past_days=300, smoothing=1))
    ids, above = THEMES.at("topic")["id"].to_list(), THEMES.above("topic", "theme")
    for user in range(N_USERS):
        own = alone(profiles, user)
        found = hot_topics(own, rising, THEMES, SHOP, 9, tier_weights=EVEN, available=available, leaders=3)
        assert [topic.score for topic in found] == sorted((topic.score for topic in found), reverse=True)
        for topic in found:
            number = ids.index(topic.topic_id)
            rows = [SHOP.row(item) for item in topic.items]
            assert topic.lift > 1
            assert rows
            assert (THEMES.of_item[rows, 0] == number).all()
            assert available[rows].all()
            assert (rising.lately[rows] > 0).all()
            assert (np.diff(rising.lately[rows]) <= 0).all()
            themes = own.table.filter(pl.col("name") == topic.interest)["theme"]
            assert above[number] in themes.to_list()
            assert number not in own.dislikes.table["topics"].explode().to_list()
            assert topic.tier in topic.text


def test_a_burst_is_hot_for_those_who_like_its_theme_unless_they_dislike_its_topic() -> None:
    usual = [(user, item, 100.0, 1.0) for user in range(20) for item in range(N_ITEMS)]
    burst = 3  # an item about gardens
    lately = [(user, burst, 2.0, 1.0) for user in range(20)] + [(user, 1, 2.0, 1.0) for user in range(3)]
    rising = rising_topics(history_of(usual + lately), THEMES, TIME, TrendSettings(smoothing=1))

    def hot(own: Profiles) -> list[str]:
        found = hot_topics(own, rising, THEMES, SHOP, 5, tier_weights=EVEN, available=EVERYTHING, leaders=3)
        return [item for topic in found for item in topic.items]

    assert hot(person((0, 1.0), (6, 1.0)))[0] == SHOP.ids[burst]
    assert SHOP.ids[burst] not in hot(person((1, 1.0), (4, 1.0)))
    assert SHOP.ids[burst] not in hot(person((0, 1.0), (6, 1.0), (burst, -1.0)))


def test_words_alone_are_enough() -> None:
    history = history_of([(0, item, days, 1.0) for item, days in ((0, 50.0), (1, 50.0), (3, 1.0), (6, 1.0))])
    own = tiny_recommender(history).new_users.from_texts(vectors()[[0]]).profiles
    rising = rising_topics(history, THEMES, TIME, TrendSettings(smoothing=0.1))
    assert hot_topics(own, rising, THEMES, SHOP, 1, tier_weights=EVEN, available=EVERYTHING, leaders=3)[0].items[0] in (
        "i03",
        "i06",
    )
    brand = brands_to_follow(own, SHOP, vectors(), 1, tier_weights=EVEN, available=EVERYTHING, leaders=3)[0]
    assert (
        brand.text
        == f"Close to your momentary interest {brand.interest}: {SHOP.title_of(brand.items[0])}"
        + "".join(f", {SHOP.title_of(item)}" for item in brand.items[1:])
    )


@given(histories(), st.lists(st.booleans(), min_size=N_ITEMS, max_size=N_ITEMS), st.booleans())
def test_brands_are_new_and_their_items_may_be_had(history: History, admitted: list[bool], new: bool) -> None:
    profiles, available = tiny_recommender(history).profiles, np.array(admitted)
    for user in range(N_USERS):
        had = history.items[history.of(user)]
        found = brands_to_follow(
            alone(profiles, user),
            SHOP,
            vectors(),
            9,
            tier_weights=EVEN,
            available=available,
            leaders=3,
            without=had if new else None,
        )
        assert [brand.score for brand in found] == sorted((brand.score for brand in found), reverse=True)
        assert len({brand.name for brand in found}) == len(found)
        for brand in found:
            rows = [SHOP.row(item) for item in brand.items]
            assert available[rows].all()
            assert {BRANDS[row] for row in rows} == {brand.name}
            assert not new or brand.name not in {BRANDS[row] for row in had}
            assert brand.interest in profiles.table["name"][profiles.of(user)]
            assert brand.tier in brand.text


def test_who_gardens_follows_gardeners_first_and_not_those_whom_dislikes_are_near_to() -> None:
    follow = {"tier_weights": EVEN, "available": EVERYTHING, "leaders": 3}
    gardener, had = person((0, 1.0), (3, 1.0)), np.array([0, 3])
    assert brands_to_follow(gardener, SHOP, vectors(), 1, **follow)[0].name.startswith("Fern")
    assert brands_to_follow(gardener, SHOP, vectors(), 1, **follow, without=had)[0].name == "Fern 1"
    torn = person((0, 1.0), (3, 1.0), (6, -1.0), (9, -1.0))
    scores = [
        {b.name: b.score for b in brands_to_follow(own, SHOP, vectors(), 9, **follow)} for own in (gardener, torn)
    ]
    assert scores[1].get("Fern 1", 0) < scores[0]["Fern 1"]
    assert scores[0]["Fern 1"] > 1.5 * scores[0]["Fern 0"], "two near items say more than one"
