"""Ratings to be expected come with a list where they are asked for, change nothing of it, and need ratings."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from strata.data.inferred import Inferred, table_of
from strata.data.ratings import Ratings
from strata.data.weights import RatingSettings
from strata.embeddings.class_labels import item_classes
from strata.errors import SettingsError
from strata.interests.query_users import PastChoice
from strata.models.predicted_ratings import PredictedRatings, RatingModelSettings
from strata.models.rating_signs import ItemFacts
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.recommendation.test_lists import RECOMMENDER
from tests.strategies import N_ITEMS, TIME, USER_IDS, vectors

USER = USER_IDS[0]


def rated() -> Recommender:
    """Each user gave each item five stars or one, by its kind."""
    users, items = (part.ravel() for part in np.meshgrid(np.arange(len(USER_IDS)), np.arange(N_ITEMS)))
    values = np.where((users + items) % 3 == 0, 5.0, 1.0)
    times = TIME - 1_000.0 + np.random.default_rng(1).permutation(len(users))
    order = np.argsort(times)
    columns = (part[order] for part in (users.astype(np.int32), items.astype(np.int32), values, times))
    ratings = Ratings(*columns, len(USER_IDS), N_ITEMS)
    facts = ItemFacts(vectors(), item_classes(RECOMMENDER.catalogue.items))
    chosen = {"factors": 2, "shrink": 1, "penalty": 1}
    nobody = sparse.csr_matrix((len(USER_IDS), 0))
    model = PredictedRatings.fit(ratings, TIME, facts, nobody, chosen, RatingSettings(), RatingModelSettings(windows=2))
    return replace(RECOMMENDER, ratings=model)


RATED = rated()


def test_a_list_is_the_same_with_ratings_and_those_are_on_the_scale() -> None:
    plain, told = (RATED.recommend(USER, ListRequest(k=12, predict=predict)) for predict in (False, True))
    assert plain
    assert [replace(item, predicted=None) for item in told] == plain
    assert all(item.predicted is not None and 1 <= item.predicted <= 5 for item in told)
    by_row = {item.item_id: item.predicted for item in told}
    everything = RATED.rank(USER, list(by_row), ListRequest(predict=True))
    assert {item.item_id: item.predicted for item in everything} == by_row


def test_what_a_visitor_rated_moves_what_is_predicted() -> None:
    ids, asked = RATED.catalogue.ids, np.array([3])

    def given(value: float) -> list[PastChoice]:
        return [PastChoice(str(ids[row]), value=value) for row in (0, 6, 9)]

    low, high = (RATED.predict_ratings(RATED.new_users.from_choices(given(value)), asked)[0] for value in (1.0, 5.0))
    assert low < high
    views = RATED.new_users.from_choices([PastChoice(str(ids[0]))])
    assert len(views.rated[0]) == 0


def test_without_ratings_it_says_so() -> None:
    with pytest.raises(SettingsError, match="predicts no ratings: .*ask without predict"):
        RECOMMENDER.recommend(USER, ListRequest(predict=True))


def test_inferred_classes_come_with_an_item_and_never_as_given() -> None:
    item = RECOMMENDER.recommend(USER, ListRequest(k=1))[0].item_id
    found = [("vinyl", 0.8), ("old", 0.4)]
    shop = replace(RECOMMENDER, inferred=Inferred(table_of("tags", np.array([item], object), [found])))
    shown = shop.recommend(USER, ListRequest(k=1))[0].inferred
    assert [(each.field, each.name, each.confidence) for each in shown] == [("tags", *each) for each in found]
    assert shop.catalogue.items.equals(RECOMMENDER.catalogue.items)
