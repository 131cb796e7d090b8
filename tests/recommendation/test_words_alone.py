"""Who has a profile text and no events gets what a visitor with that text gets, in every answer."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from strata.data.history import DAY, History
from strata.interests.correction_file import Correction
from strata.interests.corrections import Corrections
from strata.interests.statements import Statements
from strata.recommendation.batches import recommend_many
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME, USER_IDS, vectors
from tests.tiny_recommender import PROFILER, tiny_recommender

CLAUSES = vectors()[[4, 5, 8]]
"""Two of them are of one topic."""


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    """u0 and u1 chose; u2 only said something, u3 said the same and hid an item; u1 spoke too."""
    users, items = np.array([0, 0, 0, 1, 1, 3]), np.array([0, 3, 6, 1, 4, 2])
    weights = np.array([1, 1, 1, 1, 1, -1.0])
    times = TIME - np.arange(1, 7) * DAY
    history = History.from_columns(users, items, times, weights, n_users=N_USERS, n_items=N_ITEMS)
    texts = PROFILER.space.of_texts(np.concatenate([CLAUSES, CLAUSES, CLAUSES]))
    statements = Statements.of(np.repeat([1, 2, 3], 3), texts)
    profiles, _ = PROFILER.profiles(history, TIME, USER_IDS, statements)
    tiny = tiny_recommender(history)
    return replace(tiny, models=replace(tiny.models, profiles=profiles), statements=statements)


def test_their_interests_are_the_visitors(recommender: Recommender) -> None:
    visitor = recommender.interests(recommender.new_users.from_texts(CLAUSES, query=False))
    for user in ("u2", "u3"):
        known = recommender.interests(user)
        assert known.select(visitor.columns).drop("user_row", "user_id").equals(visitor.drop("user_row", "user_id"))
        assert known["tier"].to_list() == ["core"] * 3
        assert known["name"].n_unique() == 3
        assert known["events"].null_count() == 3
    assert recommender.interests("u1")["events"].null_count() == 0, "events tell more than words"


def test_their_lists_are_the_visitors(recommender: Recommender) -> None:
    visitor = recommender.new_users.from_texts(CLAUSES, query=False)
    found = recommender.recommend("u2", ListRequest(k=N_ITEMS))
    assert found == recommender.recommend(visitor, ListRequest(k=N_ITEMS))
    assert found[0].reason is not None
    hidden = recommender.catalogue.ids[2]
    assert hidden not in [item.item_id for item in recommender.recommend("u3", ListRequest(k=N_ITEMS))]


def test_lists_of_many_are_the_same(recommender: Recommender) -> None:
    many = recommend_many(recommender, USER_IDS, ListRequest(k=5))
    for user in USER_IDS:
        alone = [item.item_id for item in recommender.recommend(user, ListRequest(k=5))]
        assert many.filter(user_id=user)["item_id"].to_list() == alone


def test_they_are_in_audiences_and_can_correct(recommender: Recommender) -> None:
    assert "u2" in [member.user_id for member in recommender.audience(str(recommender.catalogue.ids[5]))]
    topic = recommender.levels("u2").points["topic_id"][0]
    reject = Correction(time=datetime.now(UTC), who="anna", user_id="u2", topic=topic, action="reject")
    left = replace(recommender, corrections=Corrections((reject,))).interests("u2")
    assert 0 < left.height < 3
    assert left["share"].sum() == pytest.approx(1, abs=1e-5)
