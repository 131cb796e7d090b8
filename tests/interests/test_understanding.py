"""Opinions become points, dislikes and items kept out; what is of nothing here becomes nothing."""

import numpy as np
import pytest

from strata.data.history import History
from strata.embeddings.vectors import unit
from strata.errors import StrataError
from strata.interests.query_users import NewUsers
from strata.language.opinions import Opinion, things
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.strategies import DIMENSION, N_ITEMS, N_USERS, TIME, catalogue, vectors
from tests.tiny_recommender import PROFILER, tiny_recommender

KINDS = [kinds[0] for kinds in catalogue()["categories"]]
FIRST, SECOND = KINDS[0], KINDS[1]
CENTRES = np.eye(DIMENSION, dtype=np.float32)
"""Items of the n-th kind lie around the n-th axis; nothing lies along the last."""


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    events = np.arange(N_USERS * 6)
    history = History.from_columns(
        events % N_USERS, events * 5 % N_ITEMS, TIME - 1 - events * 86_400.0, np.ones(len(events)),
        n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip
    return tiny_recommender(history)


def person(recommender: Recommender, text: str, *axes: int, query: bool = True):
    """Who says a text whose things lie along these axes."""
    return recommender.new_users.from_opinions(things([text]), unit(CENTRES[list(axes)]), query=query)


def test_wants_make_points_and_refusals_make_dislikes(recommender: Recommender) -> None:
    said = person(recommender, f"I love {FIRST}, no {SECOND} please", 0, 1)
    levels = recommender.levels(said)
    assert levels.points["tier"].to_list() == ["momentary"]
    assert levels.dislikes["because"].to_list() == ["spoken against in words"]
    assert levels.dislikes["events"].to_list() == [None]
    assert set(levels.points["topic_id"]).isdisjoint(levels.dislikes["topic_id"])
    assert recommender.levels(person(recommender, f"Fan of {FIRST}", 0, query=False)).points["tier"][0] == "core"


def test_what_is_refused_never_comes(recommender: Recommender) -> None:
    said = person(recommender, f"I love {FIRST}, no {SECOND} please", 0, 1)
    listed = [item.item_id for item in recommender.recommend(said, ListRequest(k=N_ITEMS))]
    refused = {item for item, kind in zip(catalogue()["item_id"], KINDS, strict=True) if kind == SECOND}
    assert listed
    assert not refused & set(listed)


def test_what_only_refuses_gets_what_else_is_popular(recommender: Recommender) -> None:
    said = person(recommender, f"no {SECOND}", 1)
    assert (said.says_nothing, said.nothing_found) == (True, False)
    found = recommender.recommend(said, ListRequest(k=N_ITEMS))
    popular = recommender.list_builder.popular(recommender.filled(ListRequest(k=N_ITEMS)), recommender.admitted())
    refused = {str(recommender.catalogue.ids[row]) for row in said.rejected}
    assert [item.item_id for item in found] == [item.item_id for item in popular if item.item_id not in refused]


def test_what_names_nothing_finds_nothing(recommender: Recommender) -> None:
    said = recommender.new_users.from_opinions([], np.zeros((0, DIMENSION), np.float32))
    assert said.nothing_found
    reasons = {item.reason.text for item in recommender.recommend(said, ListRequest(k=3)) if item.reason}
    assert reasons == {"Popular these days"}


def test_lukewarm_clauses_count_for_nothing(recommender: Recommender) -> None:
    opinion = Opinion("so-so", "neutral", FIRST, said=True)
    said = recommender.new_users.from_opinions([opinion], CENTRES[[0]])
    assert said.heard is not None
    assert [(each.clear, each.wanted, each.refused) for each in said.heard] == [(True, False, False)]
    assert recommender.interests(said).is_empty()


def test_a_mention_of_what_is_refused_is_no_wish(recommender: Recommender) -> None:
    said = person(recommender, f"{FIRST} again. I hate {FIRST}", 0, 0)
    assert said.says_nothing
    assert len(said.rejected)


def test_opinions_need_words_to_read_them_by() -> None:
    with pytest.raises(StrataError, match="no words"):
        NewUsers(PROFILER, TIME, {}).from_opinions(things(["no horror"]), vectors()[:1])
