"""Pages: parts of one list, whose places do not depend on how many are asked for; a ranking of its items agrees."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import History
from strata.errors import SettingsError
from strata.interests.query_users import QueryUser
from strata.ranking.candidates import propose
from strata.ranking.query import query_batch
from strata.ranking.settings import GeneratorSettings, RecommendSettings
from strata.recommendation.batches import recommend_many
from strata.recommendation.business_rules import Boost, BusinessRules, Places
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.recommendation.test_lists import IDS, RECOMMENDER, SHOP, WHOSE, degree, filters, ids, person, rules, weights
from tests.strategies import N_ITEMS, TIME, histories, vectors
from tests.tiny_recommender import tiny_recommender

FEW = RecommendSettings(candidates=2, generators=GeneratorSettings(least_quota=1))
"""So few that a list of some length needs further candidates."""
SPARSE = replace(tiny_recommender(RECOMMENDER.history, settings=FEW), catalogue=SHOP)
bounded = st.integers(1, 6).flatmap(
    lambda best: st.builds(Places, best=st.just(best), worst=st.integers(best, 12))
)  # fmt: skip
options = st.fixed_dictionaries(
    {
        "tier_mix": weights,
        "filters": filters,
        "diversity": degree,
        "calibration": degree,
        "exclude_seen": st.sampled_from([None, True, False]),
        "rules": st.builds(
            lambda asked, musts: asked.model_copy(update={"must_include": musts}),
            rules,
            st.dictionaries(st.sampled_from(IDS), bounded, max_size=3),
        ),
    }
)


@given(st.sampled_from([RECOMMENDER, SPARSE]), st.sampled_from(WHOSE), st.integers(1, 8), st.integers(0, 8), options)
def test_a_page_is_a_part_of_the_whole_list(recommender: Recommender, whose, k: int, offset: int, asked: dict) -> None:
    try:
        whole = recommender.recommend(whose, ListRequest(k=N_ITEMS + 5, **asked))
    except SettingsError:
        return
    assert recommender.recommend(whose, ListRequest(k=k, offset=offset, **asked)) == whole[offset : offset + k]


@given(histories(), st.integers(1, 8), st.integers(0, 8), degree, degree)
@settings(max_examples=15)
def test_a_page_is_a_part_whatever_they_did(
    history: History, k: int, offset: int, diversity: float | None, calibration: float | None
) -> None:
    recommender = tiny_recommender(history, settings=FEW)
    asked = {"diversity": diversity, "calibration": calibration}
    for user in recommender.users:
        whole = recommender.recommend(user, ListRequest(k=offset + k, **asked))
        assert recommender.recommend(user, ListRequest(k=k, offset=offset, **asked)) == whole[offset:]
        rows = recommend_many(recommender, [user], ListRequest(k=k, offset=offset, **asked)).rows()
        assert rows == [(user, n, each.item_id, each.score) for n, each in enumerate(whole[offset:], offset + 1)]


@pytest.mark.parametrize("whose", WHOSE)
def test_further_candidates_fill_a_long_list_behind_the_usual_ones(whose: str | QueryUser) -> None:
    usual = {IDS.index(item) for item in ids(SPARSE.recommend(whose, ListRequest(k=2, exclude_seen=False)))}
    long = SPARSE.recommend(whose, ListRequest(k=N_ITEMS, exclude_seen=False, explain=False))
    assert usual == {IDS.index(item) for item in ids(long)[:2]}
    assert len(long) == N_ITEMS - len(person(whose).rejected)


@given(st.sampled_from(WHOSE), st.integers(1, N_ITEMS), weights, st.booleans())
def test_a_list_and_a_ranking_of_its_items_agree(whose, k: int, tier_weights, boosted: bool) -> None:
    """Of whatever the usual candidates are, and with all that a ranking knows of."""
    boosts = [Boost(newer_than_days=90, plus=0.2)] if boosted else []
    asked = ListRequest(k=k, tier_mix=tier_weights, rules=BusinessRules(boosts=boosts))
    for recommender in (RECOMMENDER, SPARSE):
        listed = recommender.recommend(whose, asked)
        n = len(usual_of(recommender, whose))
        assert recommender.rank(whose, ids(listed[:n])[::-1], asked) == listed[:n]


def usual_of(recommender: Recommender, whose: str | QueryUser) -> np.ndarray:
    """Item rows that the generators usually propose."""
    user = person(whose)
    allowed = np.ones(N_ITEMS, bool)
    allowed[user.rejected] = False
    batch = query_batch(
        np.array([user.row]), user.history, user.profiles, recommender.settings.tier_weights, TIME, allowed=allowed,
        exclude_seen=not recommender.settings.repeats, dislike=recommender.settings.dislike,
        index=recommender.models.index,
    )  # fmt: skip
    return propose(batch, recommender.models.generators, recommender.settings.candidates).items


def test_a_ranking_for_a_wish_goes_by_nearness_where_nothing_was_proposed() -> None:
    few = replace(SPARSE, settings=SPARSE.settings.model_copy(update={"candidates": 4}))
    wish, near = RECOMMENDER.new_users.from_texts(vectors()[[4]]), vectors() @ vectors()[4]
    others = [row for row in range(N_ITEMS) if row not in usual_of(few, wish)]
    found = [IDS.index(item) for item in ids(few.rank(wish, [IDS[row] for row in others]))]
    assert sorted(found) == others
    assert np.corrcoef(near[found], np.arange(len(found)))[0, 1] < -0.5


def test_the_fallback_has_pages_too() -> None:
    whole = RECOMMENDER.list_builder.popular(ListRequest(k=9), np.ones(N_ITEMS, bool))
    assert RECOMMENDER.list_builder.popular(ListRequest(k=4, offset=5), np.ones(N_ITEMS, bool)) == whole[5:]
