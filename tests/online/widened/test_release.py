"""A release with more items: these are found by what they say, and nothing else of it is another."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from strata.data.filters import Filters
from strata.data.schema import CREATED, ITEM, REMOVED, TITLE
from strata.interests.query_users import PastChoice
from strata.language.opinions import things
from strata.online.widened.release import with_items
from strata.recommendation.batches import recommend_many
from strata.recommendation.lists import Recommendation
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.online.widened.adding import ALL, NEW_IDS, NOW, RELEASE, additions, answers, table
from tests.recommendation.test_predict import RATED
from tests.strategies import TIME, USER_IDS, vectors

pytestmark = pytest.mark.slow
FEW = settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
OLD_IDS = ("i00", "i05", "i07", "i11")
BEFORE = answers(RELEASE)
Additions = tuple[pl.DataFrame, np.ndarray]


def arrays(release: Recommender) -> list[bytes]:
    """What the parts of a release hold."""
    models, profiler = release.models, release.new_users.profiler
    held = [
        release.vectors, profiler.themes.of_item, release.history.items, release.available.since, models.popularity,
        models.features.created, models.features.topics, models.features.trends.first, models.new_items,
        release.words.rarity, release.words.weights.data, release.texts.vectors(np.arange(len(release.catalogue))),
    ]  # fmt: skip
    return [np.asarray(each).tobytes() for each in held]


HELD = arrays(RELEASE)


@FEW
@given(additions())
def test_without_the_new_items_every_answer_is_what_it_was(more: Additions) -> None:
    wider = with_items(RELEASE, *more)
    assert len(wider.catalogue) == len(RELEASE.catalogue) + more[0].height
    assert answers(wider, without=NEW_IDS) == BEFORE
    assert answers(RELEASE) == BEFORE
    assert arrays(RELEASE) == HELD


@FEW
@given(additions(NEW_IDS + OLD_IDS))
def test_the_same_items_once_more_change_nothing(more: Additions) -> None:
    once = with_items(RELEASE, *more)
    assert with_items(once, *more) is once
    assert arrays(RELEASE) == HELD


@FEW
@given(additions(NEW_IDS + OLD_IDS), additions(NEW_IDS + OLD_IDS))
def test_one_by_one_they_are_what_they_are_together(first: Additions, second: Additions) -> None:
    later = second[0][ITEM].to_list()
    kept = ~first[0][ITEM].is_in(later)
    together = with_items(
        RELEASE,
        pl.concat([first[0].filter(kept), second[0]]),
        np.concatenate([first[1][kept.to_numpy()], second[1]]),
    )
    by_parts = with_items(with_items(RELEASE, *first), *second)
    other_way = with_items(with_items(RELEASE, *second), first[0].filter(kept), first[1][kept.to_numpy()])
    for other in (by_parts, other_way):
        assert set(other.catalogue.ids) == set(together.catalogue.ids)
        for user in USER_IDS:
            expected = by_id(together.recommend(user, ALL))
            assert by_id(other.recommend(user, ALL)) == pytest.approx(expected, abs=1e-5)
        found, expected = (by_id(each.search("garden rose", vectors()[0], 30)) for each in (other, together))
        assert found == pytest.approx(expected, abs=1e-5)


def by_id(items: list[Recommendation]) -> dict[str, float]:
    return {item.item_id: item.score for item in items}


@FEW
@given(additions(NEW_IDS + OLD_IDS))
def test_lists_for_many_are_those_for_each(more: Additions) -> None:
    wider = with_items(RELEASE, *more)
    listed = recommend_many(wider, USER_IDS, ListRequest(k=9))
    for user in USER_IDS:
        alone = [item.item_id for item in wider.recommend(user, ListRequest(k=9, explain=False))]
        assert listed.filter(pl.col("user_id") == user)["item_id"].to_list() == alone


def test_an_item_that_says_what_another_says_comes_beside_it() -> None:
    old = RELEASE.catalogue.items.row(3, named=True)
    wider = with_items(RELEASE, table({**old, ITEM: "n0"}), vectors()[3:4])
    nearest = wider.similar_items("i03", 3)
    assert (nearest[0].item_id, nearest[0].score) == ("n0", pytest.approx(1, abs=1e-5))
    found = {hit.item_id: hit.score for hit in wider.search(old[TITLE], vectors()[3], 3)}
    assert found["n0"] == pytest.approx(found["i03"], abs=1e-5)
    assert wider.words.scores(old[TITLE])[-1] == pytest.approx(wider.words.scores(old[TITLE])[3], abs=1e-5)
    lists = wider.recommend("u0", ALL)
    assert "n0" in [item.item_id for item in lists]
    assert next(item for item in lists if item.item_id == "n0").reason.text


def test_a_new_word_finds_a_new_item_alone() -> None:
    wider = with_items(RELEASE, table({ITEM: "n0", TITLE: "Quetzalcoatl"}), vectors()[:1])
    assert wider.search("quetzalcoatl", -vectors()[0], 1)[0].item_id == "n0"
    again = with_items(wider, table({ITEM: "n0", TITLE: "Something else"}), vectors()[:1])
    assert not again.words.scores("quetzalcoatl").any()


def test_what_is_refused_by_name_keeps_new_items_out() -> None:
    items = table(
        {ITEM: "n0", TITLE: "A walk", "categories": ["travel"]}, {ITEM: "n1", TITLE: "Pot", "tags": ["cooking"]}
    )
    wider = with_items(RELEASE, items, vectors()[[0, 1]])
    for said, kept_out in (("no travel", "n0"), ("no cooking", "n1")):
        somebody = wider.new_users.from_opinions(things([said]), vectors()[2:3])
        assert wider.catalogue.row(kept_out) in somebody.rejected
        assert kept_out not in [item.item_id for item in wider.recommend(somebody, ALL)]


@FEW
@given(additions(NEW_IDS + OLD_IDS), st.data())
def test_a_removed_item_is_nowhere(more: Additions, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(more[0][ITEM].to_list()))
    wider = with_items(RELEASE, *more)
    row = {**wider.catalogue.items.row(wider.catalogue.row(gone), named=True), REMOVED: NOW}
    left = with_items(wider, pl.DataFrame([row], schema=more[0].schema), more[1][[more[0][ITEM].to_list().index(gone)]])
    assert not left.admitted()[left.catalogue.row(gone)]
    assert wider.admitted()[wider.catalogue.row(gone)]
    listed = [item for user in USER_IDS for item in left.recommend(user, ALL)]
    listed += left.search(str(row[TITLE]), vectors()[0], 30) + left.similar_items("i01", 30)
    assert gone not in {item.item_id for item in listed}
    assert not any(gone in each.items for each in (*left.hot_topics("u0"), *left.brands_to_follow("u0")))


def test_an_item_comes_when_its_time_comes() -> None:
    items = table({ITEM: "n0", TITLE: "To come", CREATED: NOW + timedelta(days=2)})
    wider = with_items(RELEASE, items, vectors()[:1])
    for days, there in ((0, False), (1, False), (3, True)):
        then = replace(wider, clock=lambda days=days: TIME + days * 86_400)
        assert (then.search("to come", vectors()[0], 1)[0].item_id == "n0") is there


def test_what_people_do_with_a_new_item_counts() -> None:
    wider = with_items(RELEASE, table({ITEM: "n0", TITLE: "A new garden"}), vectors()[:1])
    somebody = wider.new_users.from_choices([PastChoice("n0"), PastChoice("n0")])
    assert wider.interests(somebody)["evidence"].to_list() == [["n0"]]
    request = ListRequest(k=30, exclude_seen=True, filters=Filters(categories=["garden"]))
    listed = wider.recommend(somebody, request)
    assert listed
    assert "n0" not in [item.item_id for item in listed]


def test_a_new_item_is_rated_like_those_whose_texts_are_near() -> None:
    wider = with_items(RATED, table({ITEM: "n0", TITLE: "x"}, {ITEM: "n1", TITLE: "y"}), vectors()[[0, 1]])
    for user in USER_IDS:
        told = wider.predict_ratings(user, np.array([0, 12, 1, 13]))
        assert np.array_equal(told[[0, 2]], RATED.predict_ratings(user, np.array([0, 1])))
        assert (told[0] > told[2]) == (told[1] > told[3])
        assert (told >= 1).all()
        assert (told <= 5).all()
    rated = wider.new_users.from_choices([PastChoice("n0", value=5.0), PastChoice("i01", value=1.0)])
    only = RATED.new_users.from_choices([PastChoice("i01", value=1.0)])
    assert wider.predict_ratings(rated, np.array([4])) == pytest.approx(RATED.predict_ratings(only, np.array([4])))
