"""The tier mix: a tier of weight w gets its items w times as early, by the points that reasons cite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata._kernels.selection import NOTHING
from strata.data.history import DAY, History
from strata.data.schema import TIERS
from strata.recommendation.leave_one_point_out import cited_points
from strata.recommendation.request import ListRequest, TierMix
from strata.recommendation.tier_mix import LEAST_WEIGHT, in_order, weights_of
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import tiny_recommender

scores = st.lists(st.integers(-9, 9), max_size=30).map(lambda values: np.array(values, float))


@given(scores, st.sampled_from([0.5, 1.0, 3.0]))
def test_weights_that_are_all_the_same_change_nothing(values: np.ndarray, weight: float) -> None:
    order = in_order(values, np.full(len(values), weight)).astype(int)
    assert order.tolist() == sorted(range(len(values)), key=lambda place: (-values[place], place))


@given(scores, st.data())
def test_items_of_one_weight_keep_their_order_and_a_greater_weight_never_moves_an_item_back(values, data) -> None:
    heavy = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), bool)
    plain, mixed = in_order(values, np.ones(len(values))), in_order(values, np.where(heavy, 3.0, 1.0))
    assert sorted(mixed.tolist()) == list(range(len(values)))
    for kind in (True, False):
        assert mixed[heavy[mixed] == kind].tolist() == plain[heavy[plain] == kind].tolist()
    before, after = np.argsort(plain), np.argsort(mixed)
    assert (after[heavy] <= before[heavy]).all()
    assert (after[~heavy] >= before[~heavy]).all()


@pytest.mark.parametrize(
    ("every", "weight", "expected"), [(4, 3.0, 0.75), (2, 3.0, 1.0), (5, 2.0, 0.4), (2, 0.5, 0.25), (2, 0.0, 0.0)]
)
def test_a_tier_gets_so_many_times_as_many_places(every: int, weight: float, expected: float) -> None:
    """Of a ranking in which each `every`-th item is of the tier."""
    n = 600
    of_tier = np.arange(n) % every == every - 1
    weights = np.where(of_tier, max(weight, LEAST_WEIGHT), 1.0)
    first = in_order(-np.arange(n, dtype=float), weights)[:100]
    assert of_tier[first].mean() == pytest.approx(expected, abs=0.02)


def test_the_weight_of_an_item_is_that_of_the_tier_it_cites() -> None:
    cited = np.array([0, 2, NOTHING, 1])
    tiers = np.array([TIERS.index("core"), TIERS.index("momentary"), TIERS.index("stable")])
    found = weights_of(cited, tiers, {"core": 3.0, "stable": 0.0})
    assert found.tolist() == [3.0, LEAST_WEIGHT, 1.0, 1.0]


def test_a_point_is_cited_for_what_the_score_loses_without_it_and_else_for_its_nearness() -> None:
    lost = np.array([[0.2, 0.0, -0.1], [0.5, 0.0, -0.2]])
    cosines = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    cited, moved = cited_points(lost, cosines)
    assert cited.tolist() == [1, 0, 1]
    assert moved.tolist() == [True, False, False]
    assert cited_points(np.zeros((0, 2)), np.zeros((2, 0)))[0].tolist() == [NOTHING, NOTHING]


def two_tiers() -> History:
    """u0 likes gardens through all weeks, and music since three days."""
    items = np.array([0, 3, 6] * 20 + [1, 4])
    days = np.append(np.arange(60) * 5.0 + 5, [1.0, 2.0])
    return History.from_columns(
        np.zeros(len(items), int), items, TIME - days * DAY, np.ones(len(items)), n_users=N_USERS, n_items=N_ITEMS
    )


def test_a_tier_that_more_is_asked_of_moves_up_with_scores_and_reasons_as_they_were() -> None:
    recommender = tiny_recommender(two_tiers())
    assert set(recommender.interests("u0")["tier"]) == {"stable", "momentary"}
    plain = recommender.recommend("u0", ListRequest(k=N_ITEMS))
    for tier in ("stable", "momentary"):
        mixed = recommender.recommend("u0", ListRequest(k=N_ITEMS, tier_mix=TierMix(**{tier: 3.0})))
        least = recommender.recommend("u0", ListRequest(k=N_ITEMS, tier_mix=TierMix(**{tier: 0.0})))
        assert sorted(mixed, key=plain.index) == plain
        of_tier = [item for item in plain if item.reason and item.reason.tier == tier]
        assert 0 < len(of_tier) < len(plain)
        assert least[-len(of_tier) :] == of_tier
        places = [(mixed.index(item), plain.index(item)) for item in of_tier]
        assert all(after <= before for after, before in places)
        assert any(after < before for after, before in places) or of_tier == plain[: len(of_tier)]
    even = TierMix(momentary=2.0, stable=2.0, core=2.0)
    assert recommender.recommend("u0", ListRequest(k=N_ITEMS, tier_mix=even)) == plain
