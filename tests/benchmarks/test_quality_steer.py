"""Steering rows follow from per-user shares, of users who have points of the tier and of others."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from benchmarks.quality.steer import COLUMNS, cites, having, row
from strata.data.history import History
from strata.recommendation.explanation import Reason
from strata.recommendation.lists import Recommendation
from tests.strategies import N_USERS, histories
from tests.tiny_recommender import tiny_recommender


def table(plain: float, steered: float, n: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    shares = [np.clip(mean + rng.normal(0, 0.02, n), 0, 1) for mean in (plain, steered)]
    return pl.DataFrame([*shares, np.full(n, 0.2), np.full(n, 0.19)], schema=COLUMNS)


def test_a_tier_with_few_places_is_judged_by_how_many_times_as_many_it_gets() -> None:
    found = row("momentary", table(0.2, 0.4), "Films")
    assert found.id == "steer-momentary"
    assert found.unit == "times"
    assert found.value == pytest.approx(2, abs=0.1)
    assert found.low < found.value < found.high
    assert not found.inconclusive
    assert "goes from 0.2000 to 0.1900 (-5.0%)" in found.what
    assert row("momentary", table(0.2, 0.3), "Films").inconclusive


def test_a_tier_with_most_places_is_judged_by_what_goes_of_the_others() -> None:
    found = row("core", table(0.8, 0.9), "Films")
    assert found.unit == "share"
    assert found.value == pytest.approx(0.5, abs=0.05)
    assert "Share of the other places that goes." in found.what
    assert row("core", table(0.8, 0.9, n=5), "Films").inconclusive == "5 are too few."


@given(histories())
def test_users_are_judged_who_have_points_of_the_tier_and_of_others(history: History) -> None:
    profiles = tiny_recommender(history).profiles
    users = np.arange(N_USERS)[::-1]
    for tier in ("momentary", "core"):
        tiers = [set(profiles.table["tier"][profiles.of(int(user))]) for user in users]
        assert having(tier, users, profiles).tolist() == [tier in each and len(each) > 1 for each in tiers]


def test_places_count_that_cite_the_tier() -> None:
    reason = Reason("popular", 1.0, "Drama", "core", 0.5, (), "Fits")
    listed = [
        Recommendation("a", "A", 1.0, reason),
        Recommendation("b", "B", 0.5),
        Recommendation("c", "C", 0.1, reason),
    ]
    assert cites("core", listed) == pytest.approx(2 / 3)
    assert cites("momentary", listed) == 0
    assert cites("core", []) == 0
