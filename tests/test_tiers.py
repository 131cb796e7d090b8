"""Tiers keep their definitions: one tier a point, numbers that say why, nothing from the future."""

import numpy as np
from hypothesis import given

from strata.history import DAY, History
from strata.interests import find_points
from strata.profiles import Profiles, profile_history
from strata.tiers import FADED, TIERS, TierSettings, assign, measure
from tests.strategies import N_ITEMS, TIME, histories, naming, vectors

SETTINGS = TierSettings(cut=0.8)
NAMING = naming()
WEEK = 7 * DAY


def weekly(pattern: dict[int, list[int]]) -> History:
    """One user's events: item → weeks before TIME in which it was chosen."""
    events = [(item, TIME - week * WEEK - DAY) for item, weeks in pattern.items() for week in weeks]
    items, times = zip(*events, strict=True)
    return History.from_columns(
        np.zeros(len(items), int), np.array(items), np.array(times), np.ones(len(items)),
        n_users=1, n_items=N_ITEMS,
    )  # fmt: skip


def profile(history: History, time: float = TIME) -> Profiles:
    return profile_history(history, vectors(), time, NAMING, SETTINGS)[0]


def tier_by_medoid_kind(profiles: Profiles) -> dict[int, str]:
    rows = profiles.table.select("medoid", "tier").iter_rows()
    return {int(medoid[1:]) % 3: tier for medoid, tier in rows}


def test_core_comes_most_weeks_stable_some_momentary_now() -> None:
    history = weekly({0: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1: [1, 4, 7], 2: [0]})
    tiers = tier_by_medoid_kind(profile(history))
    assert tiers == {0: "core", 1: "stable", 2: "momentary"}


def test_a_short_history_has_momentary_points_only_and_says_so() -> None:
    profiles = profile(weekly({0: [0, 1, 2], 1: [1]}))
    assert set(profiles.table["tier"]) == {"momentary"}
    assert all("too short a history" in reason for reason in profiles.table["because"])


def test_what_was_touched_once_long_ago_has_faded() -> None:
    profiles, faded = profile_history(
        weekly({0: list(range(10)), 2: [8]}), vectors(), TIME, NAMING, SETTINGS
    )  # fmt: skip
    assert faded == 1
    assert 2 not in tier_by_medoid_kind(profiles)


def test_long_histories_are_judged_by_months() -> None:
    profiles = profile(weekly({0: [0, 5, 10, 15, 20, 25, 30], 1: [0]}))
    assert set(profiles.table["period_unit"]) == {"month"}


@given(histories())
def test_every_point_of_every_user_is_in_exactly_one_tier_with_its_numbers(history: History) -> None:
    profiles = profile(history)
    table = profiles.table
    assert len(profiles.vectors) == table.height
    assert set(table["tier"]) <= set(TIERS)
    assert not table.select("user_row", "point").is_duplicated().any()
    assert not table.select("user_row", "name").is_duplicated().any()
    assert table["persistence"].is_between(0, 1).all()
    assert table["span"].is_between(0, 1).all()
    assert (table["periods"] <= table["of_periods"]).all()
    assert all(table["because"])


@given(histories())
def test_a_profile_knows_nothing_of_later_events(history: History) -> None:
    half = TIME - 200 * DAY
    early = profile(history.before(half), half).table
    assert profile(history, half).table.equals(early)


@given(histories(positive=True))
def test_another_positive_event_never_lowers_strength(history: History) -> None:
    points = find_points(history, vectors(), cut=0.8, max_items=100)
    before = measure(history, points, TIME, SETTINGS).strength
    heavier = History(
        history.users, history.items, history.times, history.weights * 2, history.offsets, history.n_items
    )  # fmt: skip
    assert (measure(heavier, points, TIME, SETTINGS).strength >= before).all()


@given(histories(positive=True))
def test_raising_a_threshold_never_promotes(history: History) -> None:
    points = find_points(history, vectors(), cut=0.8, max_items=100)
    statistics = measure(history, points, TIME, SETTINGS)
    strict = assign(statistics, SETTINGS.model_copy(update={"core_persistence": 0.9}))
    assert (strict <= assign(statistics, SETTINGS)).all()
    assert set(strict.tolist()) <= {FADED, 0, 1, 2}


def test_profiles_survive_a_round_trip(tmp_path) -> None:
    profiles = profile(weekly({0: [0, 1, 2, 3, 4], 1: [1]}))
    profiles.write(tmp_path)
    again = Profiles.read(tmp_path)
    assert again.table.equals(profiles.table)
    assert np.array_equal(again.vectors, profiles.vectors)
