"""Lists: by default what the ranker gives, and whatever is asked for, nothing breaks a filter or a rule."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.filters import Filters
from strata.data.history import DAY, History
from strata.data.schema import BRAND, CATEGORIES, CREATED, ITEMS, TIERS
from strata.errors import SettingsError, UnknownId
from strata.evaluation.beyond_accuracy import intra_list_diversity
from strata.interests.query_users import PastChoice, QueryUser
from strata.ranking.candidates import propose
from strata.ranking.query import query_batch
from strata.ranking.settings import GeneratorSettings, RecommendSettings
from strata.recommendation.business_rules import Boost, BusinessRules, Places
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest, TierMix
from strata.recommendation.rerank import RerankSettings
from tests.strategies import N_ITEMS, N_USERS, TIME, catalogue, vectors
from tests.tiny_recommender import PROFILER, tiny_recommender

NOW = datetime.fromtimestamp(TIME, UTC)
SHOP = Catalogue(
    catalogue().with_columns(
        pl.Series(BRAND, [None if n % 4 == 0 else f"maker {n % 4}" for n in range(N_ITEMS)]),
        pl.Series(CREATED, [NOW - timedelta(days=30 * n + 1) for n in range(N_ITEMS)], dtype=ITEMS[CREATED]),
    )
)
IDS = SHOP.ids.tolist()
ALL = np.ones(N_ITEMS, bool)
GROUPS = {
    "brand": lambda row: [SHOP.items[BRAND][row]] if row % 4 else [],
    "category": lambda row: SHOP.items[CATEGORIES][row].to_list(),
    "theme": lambda row: [int(PROFILER.themes.of_item[row, 2])],
}


def shop() -> Recommender:
    """u0 likes gardens most and has chosen much, u1 two items, u2 and u3 nothing."""
    rng = np.random.default_rng(5)
    users = np.repeat([0, 1], [30, 3])
    items = np.concatenate([3 * rng.integers(0, 4, 20), rng.integers(0, N_ITEMS, 10), [1, 4, 1]])
    times = TIME - rng.integers(1, 300, len(users)) * DAY
    history = History.from_columns(users, items, times, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS)
    return replace(tiny_recommender(history), catalogue=SHOP)


RECOMMENDER = shop()
WHOSE = (
    "u0",
    "u1",
    "u2",
    RECOMMENDER.new_users.from_choices([PastChoice(IDS[1]), PastChoice(IDS[4]), PastChoice(IDS[2], "dislike")]),
    RECOMMENDER.new_users.from_texts(vectors()[[0, 5]]),
)
degree = st.sampled_from([None, 0.0, 0.3, 1.0])
filters = st.builds(
    Filters,
    categories=st.none() | st.lists(st.sampled_from(["garden", "music", "travel"]), min_size=1),
    exclude_items=st.lists(st.sampled_from(IDS), unique=True, max_size=8),
)
rules = st.builds(
    BusinessRules,
    boosts=st.lists(
        st.builds(Boost, newer_than_days=st.floats(1, 400), times=st.floats(0, 3), plus=st.floats(-1, 2)), max_size=2
    ),
    caps=st.dictionaries(st.sampled_from(sorted(GROUPS)), st.integers(1, 4)),
    must_include=st.dictionaries(st.sampled_from(IDS), st.builds(Places, best=st.integers(1, 4)), max_size=3),
)
weights = st.none() | st.dictionaries(st.sampled_from(TIERS), st.floats(0, 5)).map(lambda mix: TierMix(**mix))


def person(whose: str | QueryUser) -> QueryUser:
    return RECOMMENDER.user(whose) if isinstance(whose, str) else whose


@given(st.sampled_from(WHOSE), st.integers(1, N_ITEMS), filters, rules, weights, degree, degree, st.booleans())
def test_nothing_recommended_breaks_a_filter_or_a_rule(
    whose, k, admitted, asked, tier_weights, diversity, calibration, exclude_seen
) -> None:
    allowed = admitted.mask(SHOP)
    allowed[person(whose).rejected] = False
    if exclude_seen:
        allowed[person(whose).seen] = False
    musts = [row for row in map(IDS.index, asked.must_include) if allowed[row]]

    def held(rows: list[int], kind: str) -> Counter:
        return Counter(group for row in rows for group in GROUPS[kind](row))

    options = {
        "tier_mix": tier_weights,
        "filters": admitted,
        "diversity": diversity,
        "calibration": calibration,
        "exclude_seen": exclude_seen,
        "rules": asked,
    }
    if any(n > cap for kind, cap in asked.capped.items() for n in held(musts, kind).values()):
        with pytest.raises(SettingsError, match="raise the cap or drop one of them"):
            RECOMMENDER.recommend(whose, ListRequest(k=k, **options))
        return
    found = RECOMMENDER.recommend(whose, ListRequest(k=k, **options))
    rows = [IDS.index(item.item_id) for item in found]
    assert len(rows) == len(set(rows)) <= k
    assert allowed[rows].all()
    if max((places.best for places in asked.must_include.values()), default=1) + len(musts) - 1 <= k:
        assert set(musts) <= set(rows)
    assert all(n <= cap for kind, cap in asked.capped.items() for n in held(rows, kind).values())
    assert all(item.reason is not None and item.reason.text for item in found)
    if not asked.capped:
        assert len(rows) == min(k, allowed.sum())


def ranked(whose: str, k: int) -> list[str]:
    """What the ranker gives: its best candidates, by score."""
    release, user = RECOMMENDER, person(whose)
    batch = query_batch(
        np.array([user.row]), user.history, user.profiles, release.settings.tier_weights, TIME, exclude_seen=False
    )
    table = propose(batch, release.models.generators, release.settings.candidates)
    best = table.top(release.models.score(table, batch, release.ranker), 1, k)
    return SHOP.ids[table.items_at(best)[0]].tolist()


def ids(found: list) -> list[str]:
    return [item.item_id for item in found]


@pytest.mark.parametrize("whose", ["u0", "u1", "u2"])
def test_by_default_the_list_is_exactly_what_the_ranker_gives(whose: str) -> None:
    assert ids(RECOMMENDER.recommend(whose, ListRequest(k=6))) == ranked(whose, 6)
    asked = RECOMMENDER.recommend(whose, ListRequest(k=6, diversity=0.0, calibration=0.0, rules=BusinessRules()))
    assert asked == RECOMMENDER.recommend(whose, ListRequest(k=6))


def test_without_times_no_reason_speaks_of_days() -> None:
    lists = [
        [
            replace(RECOMMENDER.list_builder, timed=timed).best(
                RECOMMENDER.user(user), ALL, ListRequest(k=10).filled(exclude_seen=False, rules=BusinessRules())
            )
            for user in ("u0", "u1", "u2")
        ]
        for timed in (True, False)
    ]
    timely, timeless = (" ".join(item.reason.text for found in each for item in found if item.reason) for each in lists)
    assert "momentary" in timely
    assert "these days" in timely
    assert "momentary" not in timeless
    assert "these days" not in timeless
    assert [[item.item_id for item in found] for found in lists[0]] == [
        [i.item_id for i in found] for found in lists[1]
    ]


def test_what_is_not_asked_for_is_as_the_release_has_it_set() -> None:
    rules = BusinessRules(caps={"category": 1})
    strict = replace(RECOMMENDER, rerank=RerankSettings(diversity=1.0), rules=rules)
    assert strict.recommend("u0", ListRequest(k=5)) == RECOMMENDER.recommend(
        "u0", ListRequest(k=5, diversity=1.0, rules=rules)
    )
    assert strict.recommend(
        "u0", ListRequest(k=5, diversity=0.0, rules=BusinessRules(caps={}))
    ) == RECOMMENDER.recommend("u0", ListRequest(k=5))
    of_one_each = strict.recommend("u0", ListRequest(k=5, rules=BusinessRules(must_include={IDS[1]: Places(worst=1)})))
    assert of_one_each[0].item_id == IDS[1]
    assert len(of_one_each) == 3


@pytest.mark.parametrize("diversity", [0.0, 0.5])
@pytest.mark.parametrize("whose", WHOSE)
def test_others_take_the_places_of_what_caps_drop(whose: str | QueryUser, diversity: float) -> None:
    rules = BusinessRules(caps={"category": 2})
    found = RECOMMENDER.recommend(whose, ListRequest(k=6, diversity=diversity, exclude_seen=False, rules=rules))
    assert Counter(SHOP.items[CATEGORIES][IDS.index(item)][0] for item in ids(found)) == Counter(
        dict.fromkeys(["garden", "music", "travel"], 2)
    )


@pytest.mark.parametrize("whose", WHOSE)
def test_full_diversity_goes_on_with_what_is_farthest_from_those_before(whose: str | QueryUser) -> None:
    plain, varied = (
        [IDS.index(i) for i in ids(RECOMMENDER.recommend(whose, ListRequest(k=4, diversity=d)))] for d in (0.0, 1.0)
    )
    assert varied[0] == plain[0]
    apart = (1 - vectors() @ vectors().T).astype(float)
    for place in range(1, len(varied)):
        far = apart[varied[:place]].sum(0)
        assert all(far[varied[place]] >= far[item] - 1e-6 for item in plain if item not in varied[:place])


def test_diversity_varies_lists() -> None:
    spread = [
        np.mean([intra_list_diversity(np.array([[IDS.index(i) for i in ids(found)]]), vectors())[0] for found in lists])
        for lists in (
            [RECOMMENDER.recommend(whose, ListRequest(k=4, diversity=d)) for whose in WHOSE] for d in (0.0, 0.5, 1.0)
        )
    ]
    assert spread[0] < spread[1] <= spread[2]


def test_a_wish_leads_and_a_bio_leaves_the_lead_to_what_is_popular() -> None:
    wish = RECOMMENDER.new_users.from_texts(vectors()[[5]])
    near = vectors() @ vectors()[5]
    first = [RECOMMENDER.recommend(one, ListRequest(k=1))[0].item_id for one in (wish, replace(wish, is_query=False))]
    assert near[IDS.index(first[0])] == pytest.approx(near.max())
    assert RECOMMENDER.list_builder.popularity[IDS.index(first[1])] == RECOMMENDER.list_builder.popularity.max()


def test_a_must_include_that_nothing_proposed_has_the_score_and_reason_it_would_have_had() -> None:
    few = replace(RECOMMENDER, settings=RECOMMENDER.settings.model_copy(update={"candidates": 1}))
    last = next(item for item in ranked("u0", N_ITEMS)[::-1] if item not in ids(few.recommend("u0", ListRequest(k=1))))
    found = few.recommend("u0", ListRequest(k=1, rules=BusinessRules(must_include={last: Places()})))
    assert ids(found) == [last]
    assert found[0].score < few.recommend("u0", ListRequest(k=1))[0].score
    assert found[0].reason.text


def test_scores_are_the_rankers_whatever_has_moved() -> None:
    usual = {item.item_id: item for item in RECOMMENDER.recommend("u0", ListRequest(k=N_ITEMS))}
    moved = RECOMMENDER.recommend(
        "u0",
        ListRequest(
            k=5, diversity=0.5, calibration=0.5, rules=BusinessRules(boosts=[Boost(newer_than_days=90, plus=1.5)])
        ),
    )
    assert moved == [usual[item.item_id] for item in moved]
    assert {IDS.index(item) for item in ids(moved)} >= {0, 1, 2}


def test_a_ranking_is_boosted_and_no_more() -> None:
    named = [IDS[row] for row in (11, 7, 3, 0)]
    rules = BusinessRules(
        boosts=[Boost(newer_than_days=30, plus=2)], caps={"category": 1}, must_include={IDS[5]: Places()}
    )
    found = ids(RECOMMENDER.rank("u0", named, ListRequest(rules=rules)))
    assert (sorted(found), found[0]) == (sorted(named), IDS[0])
    assert ids(replace(RECOMMENDER, rules=rules).rank("u0", named)) == found


@given(st.integers(1, N_ITEMS), filters, rules)
def test_the_fallback_obeys_too(k: int, admitted: Filters, asked: BusinessRules) -> None:
    asked = BusinessRules(boosts=asked.boosts, caps=asked.caps)
    allowed = admitted.mask(SHOP)
    rows = [IDS.index(item) for item in ids(RECOMMENDER.list_builder.popular(ListRequest(k=k, rules=asked), allowed))]
    assert allowed[rows].all()
    for kind, cap in asked.capped.items():
        assert all(n <= cap for n in Counter(group for row in rows for group in GROUPS[kind](row)).values())
    if asked == BusinessRules():
        assert (np.diff(RECOMMENDER.list_builder.popularity[rows]) <= 0).all()
        assert len(rows) == min(k, allowed.sum())


def test_an_item_that_must_be_there_and_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownId, match="'nowhere'"):
        RECOMMENDER.recommend("u0", ListRequest(rules=BusinessRules(must_include={"nowhere": Places()})))


def test_what_nothing_proposes_is_ranked_and_included_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two old items that nobody chose, far from both interests of u0, of which each proposes one item."""
    created = pl.Series(CREATED, [NOW - timedelta(days=900)] * N_ITEMS, dtype=ITEMS[CREATED])
    old = Catalogue(catalogue().with_columns(created))
    monkeypatch.setattr("tests.tiny_recommender.PROFILER", replace(PROFILER, catalogue=old))
    liked = [(0, item, day) for item in (0, 3, 1, 4) for day in (5, 30, 60, 90, 120)]
    liked += [(1, item, day) for item in range(N_ITEMS) if item not in (8, 11) for day in (3, 50)]
    users, items, days = map(np.array, zip(*liked, strict=True))
    history = History.from_columns(
        users, items, TIME - days * DAY, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS
    )
    few = RecommendSettings(candidates=2, generators=GeneratorSettings(least_quota=1))
    recommender = tiny_recommender(history, settings=few)
    assert sorted(ids(recommender.rank("u0", IDS))) == sorted(IDS)
    for item in ("i08", "i11"):
        asked = ListRequest(k=1, rules=BusinessRules(must_include={item: Places()}))
        assert ids(recommender.recommend("u0", asked)) == [item]


def test_the_pool_of_diversity_is_the_settings_own() -> None:
    builder = replace(RECOMMENDER, rerank=RerankSettings(diversity=0.5, pool=9)).list_builder
    assert builder.rerank.but(0.2, None) == RerankSettings(diversity=0.2, pool=9)
