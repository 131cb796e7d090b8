"""Planted interests are what their parameters say, so that what is read from behaviour can be judged by them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulate import (
    HOW_MANY,
    LABELS,
    MOMENTARY_DAYS,
    NOISE,
    PERIOD_DAYS,
    POPULAR,
    SILENT_PERIODS,
    Simulation,
    SimulationSettings,
    simulate,
)
from strata.data.history import DAY
from strata.data.schema import TIERS
from strata.errors import SourceError

TIME = 1_500_000_000.0
GROUPS = np.append(np.repeat(np.arange(16), 12), [-1] * 8)
POPULARITY = np.random.default_rng(5).zipf(1.6, len(GROUPS)).clip(max=1_000)
SLACK = 1e-6  # days lost in turning them into seconds since 1970

few_users = st.builds(
    SimulationSettings,
    users=st.integers(1, 12),
    days=st.floats(240, 500),
    visits_per_week=st.floats(0.1, 20),
    noise=st.floats(0, 0.8),
    popularity_pull=st.floats(0, 2),
    taste=st.floats(0.1, 100),
    seed=st.integers(0, 2**32),
)


def simulated(asked: SimulationSettings, shard: int = 0) -> Simulation:
    return simulate(GROUPS, POPULARITY, asked, time=TIME, shard=shard)


def same(one: Simulation, other: Simulation) -> bool:
    return (
        one.interests.equals(other.interests)
        and np.array_equal(one.factor, other.factor)
        and np.array_equal(one.history.items, other.history.items)
        and np.array_equal(one.history.times, other.history.times)
    )


@given(few_users)
def test_events_of_an_interest_are_its_users_lie_in_its_group_and_between_its_onset_and_end(
    asked: SimulationSettings,
) -> None:
    simulation = simulated(asked)
    history, factor = simulation.history, simulation.factor
    planted = factor >= 0
    cause = simulation.interests[factor[planted]]
    times = history.times[planted]
    assert (history.times < TIME).all()
    assert (history.users[planted] == cause["user_row"].to_numpy()).all()
    assert (GROUPS[history.items[planted]] == cause["group"].to_numpy()).all()
    assert (times >= cause["onset"].to_numpy()).all()
    assert (times <= cause["end"].to_numpy()).all()
    assert set(np.unique(factor[planted])) == set(simulation.interests["interest"])
    assert set(np.unique(factor[~planted])) <= {NOISE, POPULAR}


@given(few_users)
def test_columns_make_a_history(asked: SimulationSettings) -> None:
    history = simulated(asked).history
    assert len(history) == history.offsets[-1]
    assert np.array_equal(np.lexsort((history.items, history.times, history.users)), np.arange(len(history)))
    assert (history.weights == 1).all()
    assert (history.n_users, history.n_items) == (asked.users, len(GROUPS))
    assert len(history.active_users()) == asked.users


@given(few_users)
def test_labels_follow_from_parameters(asked: SimulationSettings) -> None:
    interests = simulated(asked).interests.with_columns(
        begun=(TIME - pl.col("onset")) / DAY, ended=(TIME - pl.col("end")) / DAY
    )
    for tier, (least, most) in PERIOD_DAYS.items():
        assert interests.filter(kind=tier)["period_days"].is_between(least, most).all()
    over = interests.filter(tier="ended")
    for kind, periods in SILENT_PERIODS.items():
        of_kind = over.filter(kind=kind)
        assert (of_kind["ended"] >= periods * of_kind["period_days"] - SLACK).all()
    alive = interests.filter(pl.col("tier") != "ended")
    assert (alive["ended"] == 0).all()
    assert (alive["tier"] == alive["kind"]).all()
    momentary = interests.filter(kind="momentary")
    lasted = momentary["begun"] - momentary["ended"]
    assert lasted.is_between(MOMENTARY_DAYS[0] - SLACK, MOMENTARY_DAYS[1] + SLACK).all()
    shortest_life = 0.75 * asked.days
    assert (alive.filter(tier="stable")["begun"] >= 0.6 * shortest_life - SLACK).all()
    assert (alive.filter(tier="core")["begun"] >= 0.9 * shortest_life - SLACK).all()
    assert (interests["begun"] <= asked.days + SLACK).all()


@given(few_users)
def test_a_user_has_distinct_interests_as_many_as_stated(asked: SimulationSettings) -> None:
    interests = simulated(asked).interests
    assert not interests.select("user_row", "group").is_duplicated().any()
    for label, (least, most) in HOW_MANY.items():
        counts = np.bincount(interests.filter(tier=label)["user_row"], minlength=asked.users)
        assert counts.min() >= least
        assert counts.max() <= most
    assert set(interests["tier"]) <= set(LABELS)
    assert set(interests["kind"]) <= set(TIERS)


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.6])
def test_noise_has_the_share_asked_for_half_of_it_popular(noise: float) -> None:
    factor = simulated(SimulationSettings(users=60, noise=noise)).factor
    error = 5 * np.sqrt(noise / len(factor))
    assert (factor < 0).mean() == pytest.approx(noise, abs=error)
    assert (factor == POPULAR).mean() == pytest.approx(noise / 2, abs=error)


def test_popular_events_follow_popularity_and_noise_does_not() -> None:
    simulation = simulated(SimulationSettings(users=200, noise=0.5))
    expected = {POPULAR: POPULARITY / POPULARITY.sum(), NOISE: np.full(len(GROUPS), 1 / len(GROUPS))}
    for kind, shares in expected.items():
        items = simulation.history.items[simulation.factor == kind]
        counts = np.bincount(items, minlength=len(GROUPS))
        chi_square = ((counts - shares * len(items)) ** 2 / (shares * len(items))).sum()
        assert chi_square < 2 * len(GROUPS)


def test_returns_come_about_once_a_period() -> None:
    simulation = simulated(SimulationSettings(users=200, noise=0))
    counts = np.bincount(simulation.factor)
    core = simulation.interests["tier"].to_numpy() == "core"
    length = (simulation.interests["end"] - simulation.interests["onset"]).to_numpy() / DAY
    expected = 2 * length / simulation.interests["period_days"].to_numpy()  # sessions hold two events on average
    assert counts[core].sum() / expected[core].sum() == pytest.approx(1, abs=0.05)


def test_the_pull_of_popularity_is_seen_inside_interests() -> None:
    chosen = []
    for pull in (0.0, 0.5, 1.0):
        simulation = simulated(SimulationSettings(users=100, noise=0, popularity_pull=pull))
        chosen.append(np.log(POPULARITY[simulation.history.items]).mean())
    assert chosen == sorted(chosen)
    assert chosen[-1] > chosen[0] + 0.5


def test_a_narrow_taste_returns_to_fewer_items() -> None:
    def items_per_interest(taste: float) -> float:
        simulation = simulated(SimulationSettings(users=50, noise=0, taste=taste))
        pairs = np.unique(np.stack([simulation.factor, simulation.history.items]), axis=1)
        return pairs.shape[1] / simulation.interests.height

    assert items_per_interest(1) < items_per_interest(10) < items_per_interest(100)


@given(few_users, st.integers(0, 1_000))
@settings(max_examples=20)
def test_the_same_seed_and_shard_give_the_same_and_others_differ(asked: SimulationSettings, shard: int) -> None:
    first = simulated(asked, shard)
    assert same(first, simulated(asked, shard))
    assert not same(first, simulated(asked, shard + 1))
    assert not same(first, simulated(asked.model_copy(update={"seed": asked.seed + 1}), shard))


def test_items_that_nobody_chose_are_no_part_of_interests() -> None:
    popularity = POPULARITY.copy()
    popularity[::4] = 0
    simulation = simulate(GROUPS, popularity, SimulationSettings(users=50), time=TIME)
    assert (popularity[simulation.history.items[simulation.factor != NOISE]] > 0).all()


def test_a_catalogue_with_too_few_categories_is_refused() -> None:
    with pytest.raises(SourceError, match="1 categories hold 8 or more items"):
        simulate(np.zeros(50, int), np.ones(50), SimulationSettings(), time=TIME)
