"""Tiers keep their definitions: one tier a point, numbers that say why, nothing from the future."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import DAY, History
from strata.data.schema import TIERS
from strata.interests.points import InterestPoints, find_points
from strata.interests.profiles import Profiles
from strata.interests.settings import TierSettings, tier_settings
from strata.interests.statements import Statements
from strata.interests.statistics import measure
from strata.interests.tiers import FADED, assign
from tests.strategies import N_ITEMS, N_USERS, TIME, histories, profiler, vectors

SETTINGS = TierSettings(cut=0.8)
PROFILER = profiler(SETTINGS)
TOPICS = PROFILER.themes.of_item[:, 0]
WEEK = 7 * DAY


def weekly(pattern: dict[int, list[int]]) -> History:
    """One user's events: item → weeks before TIME in which it, or in turn another of its kind, was chosen."""
    events = [
        (item + 3 * (n % 2), TIME - week * WEEK - DAY)
        for item, weeks in pattern.items()
        for n, week in enumerate(weeks)
    ]
    items, times = zip(*events, strict=True)
    return History.from_columns(
        np.zeros(len(items), int), np.array(items), np.array(times), np.ones(len(items)),
        n_users=1, n_items=N_ITEMS,
    )  # fmt: skip


def profile(history: History, time: float = TIME) -> Profiles:
    return PROFILER.profiles(history, time)[0]


def replace_timed(settings: TierSettings) -> TierSettings:
    return settings.model_copy(update={"timed": False})


def points_in(history: History) -> InterestPoints:
    return find_points(history, vectors(), TOPICS, SETTINGS, height=PROFILER.height)


def tier_by_medoid_kind(profiles: Profiles) -> dict[int, str]:
    rows = profiles.table.select("medoid", "tier").iter_rows()
    return {int(medoid[1:]) % 3: tier for medoid, tier in rows}


def test_core_comes_most_weeks_stable_some_momentary_now() -> None:
    history = weekly({0: list(range(20)), 1: [1, 6, 11, 16], 2: [0, 1]})
    tiers = tier_by_medoid_kind(profile(history))
    assert tiers == {0: "core", 1: "stable", 2: "momentary"}


def test_a_short_history_has_momentary_points_only_and_says_so() -> None:
    profiles = profile(weekly({0: [0, 1, 2], 1: [1]}))
    assert set(profiles.table["tier"]) == {"momentary"}
    assert all("too short a history" in reason for reason in profiles.table["because"])


def test_without_times_nothing_is_said_to_last_unless_it_is_stated(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    for made in ("order", "none"):
        params.write_text(f"tier: {{cut: 0.8}}\nsource: {{interactions: {{time: {made}}}}}", encoding="utf-8")
        timeless = tier_settings(params)
        assert not timeless.timed
    params.write_text("tier: {cut: 0.8}\nsource: {adapter: complete-journey}", encoding="utf-8")
    assert tier_settings(params).timed
    history = weekly({0: [0, 1, 2, 3, 4], 1: [1]})
    table = profiler(timeless).profiles(history, TIME)[0].table
    assert not table.is_empty()
    assert set(table["tier"]) == {"momentary"}
    assert set(table["because"]) == {"the data have no times, so nothing says how long it lasts"}


def test_without_times_what_was_chosen_more_often_counts_more_whenever_that_was() -> None:
    history = weekly({0: list(range(30, 40)), 1: [0, 1]})
    shares = profiler(replace_timed(SETTINGS)).profiles(history, TIME)[0].table["share"].to_list()
    assert shares == pytest.approx([10 / 12, 2 / 12], abs=1e-6)
    against = History(**{**vars(history), "weights": -history.weights})
    dislikes = profiler(replace_timed(SETTINGS)).profiles(against, TIME)[0].dislikes
    assert dislikes is not None
    assert set(dislikes.table["because"]) == {"spoken against 10 times", "spoken against 2 times"}


def test_what_was_touched_once_long_ago_has_faded() -> None:
    profiles, faded = PROFILER.profiles(weekly({0: list(range(10)), 2: [8]}), TIME)
    assert faded == 1
    assert 2 not in tier_by_medoid_kind(profiles)


def test_a_single_recent_event_among_many_is_no_interest_yet() -> None:
    assert 2 not in tier_by_medoid_kind(profile(weekly({0: list(range(10)), 2: [0]})))


def test_what_was_core_and_stays_away_steps_down_and_then_ends() -> None:
    always = list(range(20))
    away = lambda weeks: tier_by_medoid_kind(profile(weekly({0: always, 1: always[weeks:]}))).get(1)  # noqa: E731
    assert away(1) == "core"
    assert away(3) == "stable"
    assert away(8) is None


def test_what_is_of_one_item_alone_is_never_core_unless_stated() -> None:
    weeks = np.arange(20)
    columns = np.zeros(20, int), np.zeros(20, int), TIME - weeks * WEEK - DAY, np.ones(20)
    history = History.from_columns(*columns, n_users=1, n_items=N_ITEMS)
    assert tier_by_medoid_kind(profile(history)) == {0: "stable"}
    assert "not core as it is of one item" in profile(history).table["because"].item()
    stated = Statements(np.array([0]), vectors()[[3]])
    assert tier_by_medoid_kind(PROFILER.profiles(history, TIME, statements=stated)[0]) == {0: "core"}


@given(histories(), st.floats(0, 300))
def test_time_alone_changes_no_tier_and_lets_strength_fade(history: History, days: float) -> None:
    now, later = (profile(history, time).table for time in (TIME, TIME + days * DAY))
    same = ["user_row", "tier", "medoid", "persistence", "recent", "quiet", "evidence"]
    assert now.select(same).sort(same[:3]).equals(later.select(same).sort(same[:3]))
    assert later["strength"].sum() <= now["strength"].sum() + 1e-6
    shares = later.group_by("user_row").agg("share")["share"]
    assert all(abs(sum(of_user) - 1) < 1e-4 for of_user in shares)


def test_a_century_later_shares_still_sum_to_one_and_the_order_stays() -> None:
    history = weekly({0: list(range(30)), 1: list(range(0, 30, 2)), 2: [0, 1]})
    now, later = (profile(history, time).table for time in (TIME, TIME + 400 * 365 * DAY))
    assert later["strength"].max() == 0
    assert later["share"].sum() == pytest.approx(1, abs=1e-5)
    same = ["name", "tier", "share"]
    assert later.select(same).equals(now.select(same))


@settings(max_examples=30)
@given(histories())
def test_quiet_is_the_time_from_a_points_latest_event_to_its_owners_latest(history: History) -> None:
    liked = history.positive()
    for row in profile(history).table.iter_rows(named=True):
        last = liked.times[liked.of(row["user_row"])].max()
        assert row["quiet"] == pytest.approx((last - row["last_seen"].timestamp()) / DAY, abs=0.006)


def test_a_tier_is_lost_only_by_a_margin_and_says_since_what_it_holds() -> None:
    """Of 20 weeks the second interest was in 8 of the first 20 (40 %), then of 22, 24 and 26 weeks still in 8."""
    weeks = [*range(1, 17, 2)]

    def tier(more: int) -> tuple[str, str]:
        always = {0: list(range(20 + more))}
        often = {1: [19 + more - week for week in weeks]}
        table = profile(weekly(always | often)).table.filter(pl.col("medoid").is_in(["i01", "i04"]))
        return (table["tier"].item(), table["because"].item()) if len(table) else ("none", "")

    settings = (SETTINGS.core_persistence, SETTINGS.margin)
    assert settings == (0.36, 0.1)
    assert tier(0) == ("core", "in 8 of 20 active weeks (40%), core from 36%")
    assert tier(3) == ("core", "in 8 of 23 active weeks (35%), core since it was 36%")
    assert tier(6)[0] != "core", "8 of 26 is 31 %, below 36 % less a tenth of it"


def test_old_events_are_no_part_of_an_interest_of_now() -> None:
    history = weekly({0: list(range(30)), 2: [0, 1], 8: [11]})
    table = profile(history).table.filter(tier="momentary")
    assert table["events"].to_list() == [2]
    assert table["evidence"].to_list() == [["i02", "i05"]]


def test_an_interest_of_now_is_over_once_it_is_quiet_for_more_than_its_gaps() -> None:
    days = lambda *ago: [TIME - day * DAY - 1 for day in ago]  # noqa: E731
    steady = [TIME - (7 * week + 3) * DAY for week in range(20)]

    def tier(times: list[float]) -> str | None:
        times, items = [*steady, *times], [0] * len(steady) + [2] * len(times)
        columns = np.zeros(len(times), int), np.array(items), np.array(times), np.ones(len(times))
        history = History.from_columns(*columns, n_users=1, n_items=N_ITEMS)
        return tier_by_medoid_kind(profile(history)).get(2)

    assert tier(days(1, 3, 5)) == "momentary"
    assert tier(days(7, 8, 9)) is None


def test_what_users_speak_against_is_apart_and_lowers_no_point() -> None:
    liked = weekly({0: [0, 1, 2, 3, 4], 1: [1]})
    both = weekly({0: [0, 1, 2, 3, 4], 1: [1], 2: [0, 2]})
    weights = np.where(both.items % 3 == 2, -1.0, 1.0).astype(np.float32)
    mixed = replace(both, weights=weights)
    profiles = profile(mixed)
    assert profiles.table.equals(profile(liked).table)
    assert profiles.dislikes is not None
    assert profiles.dislikes.table["medoid"].to_list() == ["i02"]
    assert profiles.dislikes.table["because"].to_list() == ["spoken against 2 times, last on 1972-09-26"]


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


@given(histories(), st.integers(0, N_ITEMS - 1), st.integers(1, 400), st.floats(-1, 1).filter(bool))
def test_another_event_moves_strength_its_own_way(history: History, item: int, age: int, weight: float) -> None:
    """At fixed T and assignment a positive event never lowers a point's strength, a negative one never raises it."""
    before = strengths(history)
    columns = (history.users, history.items, history.times, history.weights)
    added = (0, item, TIME - age * DAY, weight)
    longer = [np.append(column, value) for column, value in zip(columns, added, strict=True)]
    after = strengths(History.from_columns(*longer, n_users=N_USERS, n_items=N_ITEMS))
    for leaf, strength in before.items():
        assert after[leaf] >= strength - 1e-9 if weight > 0 else after[leaf] <= strength + 1e-9


def strengths(history: History) -> dict[tuple[int, int], float]:
    """Strength of each user's topics when every topic is a point of its own: an assignment nothing can move."""
    positive = history.positive()
    points = find_points(positive, vectors(), TOPICS, SETTINGS, height=0)
    strength = measure(positive, points, TIME, SETTINGS).strength[points.of_leaf]
    owners = points.users[points.of_leaf].tolist()
    return dict(zip(zip(owners, points.topics.tolist(), strict=True), strength.tolist(), strict=True))


@given(histories(positive=True))
def test_raising_a_threshold_never_promotes(history: History) -> None:
    points = points_in(history)
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
    assert again.dislikes is not None
    assert again.dislikes.table.equals(profiles.dislikes.table)


def test_what_the_profile_text_states_is_core() -> None:
    history = weekly({0: list(range(20)), 1: [0, 1]})
    statements = Statements(np.array([0]), vectors()[[4]])
    profiles, _ = PROFILER.profiles(history, TIME, statements=statements)
    assert tier_by_medoid_kind(profiles) == {0: "core", 1: "core"}
    assert profiles.table["because"].str.starts_with("stated in the profile text").to_list() == [False, True]
    nobody = Statements(np.array([3]), vectors()[[4]])
    assert tier_by_medoid_kind(PROFILER.profiles(history, TIME, statements=nobody)[0]) == {
        0: "core",
        1: "momentary",
    }
