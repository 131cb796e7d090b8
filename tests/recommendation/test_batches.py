"""Asking for many users at once gives what asking for each of them gives."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.filters import Filters
from strata.data.history import History
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.errors import UnknownId
from strata.interests.correction_file import Correction
from strata.interests.corrections import Corrections
from strata.ranking.two_stage import USERS_AT_ONCE, blocks
from strata.recommendation.batches import recommend_many
from strata.recommendation.business_rules import BusinessRules, Caps
from strata.recommendation.request import ListRequest
from tests.recommendation.test_lists import RECOMMENDER, degree, filters, rules, weights
from tests.strategies import N_ITEMS, histories, vectors
from tests.tiny_recommender import tiny_recommender

USERS = ["u2", "u0", "u3", "u1", "u0"]
"""Some with much behind them and some with nothing, in any order, one of them twice."""


def one_by_one(recommender, users: list[str], request: ListRequest) -> list[tuple]:
    return [
        (user, place, item.item_id, item.score)
        for user in users
        for place, item in enumerate(recommender.recommend(user, request), request.offset + 1)
    ]


@given(
    st.integers(1, N_ITEMS + 3), st.integers(0, 6), filters, rules, weights, degree, degree,
    st.sampled_from([None, True, False]),
)  # fmt: skip
def test_many_get_what_each_gets(
    k, offset, admitted, asked, tier_weights, diversity, calibration, exclude_seen
) -> None:
    options = {
        "offset": offset,
        "tier_mix": tier_weights,
        "filters": admitted,
        "diversity": diversity,
        "calibration": calibration,
        "exclude_seen": exclude_seen,
        "rules": asked.model_copy(update={"caps": Caps()}) if asked.must_include else asked,  # these may contradict
    }
    assert recommend_many(RECOMMENDER, USERS, ListRequest(k=k, **options)).rows() == one_by_one(
        RECOMMENDER, USERS, ListRequest(k=k, **options)
    )


@given(histories())
def test_whatever_they_did(history: History) -> None:
    release = tiny_recommender(history)
    users = sorted(release.users)
    assert recommend_many(release, users, ListRequest(k=5)).rows() == one_by_one(release, users, ListRequest(k=5))


def test_what_somebody_corrected_holds() -> None:
    gardens = Correction(time=datetime.now(UTC), who="anna", user_id="u0", topic="topic-2", action="block")
    corrected = replace(RECOMMENDER, corrections=Corrections((gardens,)))
    lists = recommend_many(corrected, USERS, ListRequest(k=5))
    assert lists.rows() == one_by_one(corrected, USERS, ListRequest(k=5))
    assert lists.rows() != one_by_one(RECOMMENDER, USERS, ListRequest(k=5))


def test_progress_counts_everybody_and_nobody_is_an_answer_too() -> None:
    told: list[int] = []
    recommend_many(RECOMMENDER, USERS, ListRequest(k=3), advance=told.append)
    assert sum(told) == len(USERS)
    assert recommend_many(RECOMMENDER, [], ListRequest(k=3)).is_empty()
    nothing = recommend_many(RECOMMENDER, USERS, ListRequest(k=3, filters=Filters(languages=["xx"])))
    assert nothing.is_empty()


def test_an_unknown_user_is_named() -> None:
    with pytest.raises(UnknownId, match="'nobody'"):
        recommend_many(RECOMMENDER, ["u0", "nobody"], ListRequest(k=3))


def test_blocks_hold_everybody_once() -> None:
    for n_users in (0, 1, USERS_AT_ONCE, 3 * USERS_AT_ONCE + 1):
        parts = blocks(n_users, N_ITEMS)
        assert [row for part in parts for row in range(part.start, part.stop)] == list(range(n_users))
    assert max(part.stop - part.start for part in blocks(1_000, 10**9)) == 1


def test_a_point_is_as_near_to_items_alone_as_among_others() -> None:
    """To the last bit: scaling between scores that are nearly equal would blow a difference up."""
    rng = np.random.default_rng(1)
    points = rng.normal(size=(40, vectors().shape[1])).astype(np.float32)
    index = ItemIndex.build(vectors(), IndexSettings())
    together = index.cosines(points)
    assert together is not None
    for n in (1, 2, 7):
        assert (index.cosines(points[3 : 3 + n]) == together[3 : 3 + n]).all()
    assert np.allclose(together, points @ vectors().T, atol=1e-6)


def test_rules_of_the_release_hold() -> None:
    strict = replace(RECOMMENDER, rules=BusinessRules(caps={"category": 1}))
    assert recommend_many(strict, USERS, ListRequest(k=5)).rows() == one_by_one(strict, USERS, ListRequest(k=5))
    assert (
        recommend_many(strict, USERS, ListRequest(k=5)).rows()
        != recommend_many(RECOMMENDER, USERS, ListRequest(k=5)).rows()
    )
