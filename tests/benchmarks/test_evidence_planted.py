"""What is measured on planted interests: perfect readings score perfectly, each fault where it belongs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence import planted
from benchmarks.evidence.disentangled import baselines, divided, information
from benchmarks.evidence.readings import (
    MOMENTARY,
    Reading,
    Replay,
    by_points,
    confusion,
    false_alarms,
    macro_f1,
    own_points,
    predicted_tiers,
)
from benchmarks.simulate import Simulation, SimulationSettings, simulate
from strata.data.schema import TIERS
from strata.interests.settings import TierSettings
from strata.interests.tiers import FADED
from tests.benchmarks.test_evidence_context import GROUPS, NOW, small_context, vectors

POPULARITY = np.ones(len(GROUPS), int)
STABLE, CORE = TIERS.index("stable"), TIERS.index("core")


def simulated(noise: float = 0.2, users: int = 20, seed: int = 3) -> Simulation:
    return simulate(GROUPS, POPULARITY, SimulationSettings(users=users, noise=noise, seed=seed), time=NOW)


def truth(simulation: Simulation) -> Reading:
    """One point per planted interest, in its tier; noise in none."""
    tiers = simulation.interests["tier"].replace_strict([*TIERS, "ended"], [*range(len(TIERS)), FADED])
    users = simulation.interests["user_row"].to_numpy()
    return Reading(np.maximum(simulation.factor, -1), users, tiers.to_numpy())


def f1(simulation: Simulation, reading: Reading) -> float:
    return float(macro_f1(confusion(simulation, reading).reshape(simulation.history.n_users, -1).sum(0)))


@given(st.integers(0, 1_000), st.floats(0, 0.6))
def test_the_truth_scores_one_and_every_interest_is_counted_once(seed: int, noise: float) -> None:
    simulation = simulated(noise, users=5, seed=seed)
    counts = confusion(simulation, truth(simulation))
    per_user = np.bincount(simulation.interests["user_row"].to_numpy(), minlength=5)
    assert (counts.sum((1, 2)) == per_user).all()
    labels = set(simulation.interests["tier"]) & set(TIERS)
    assert f1(simulation, truth(simulation)) == pytest.approx(len(labels) / len(TIERS))


def test_wrong_tiers_score_less_the_more_there_are() -> None:
    simulation = simulated()
    reading = truth(simulation)
    rng = np.random.default_rng(0)
    scores = []
    for wrong in (0.0, 0.3, 0.6, 1.0):
        shifted = np.where(rng.random(len(reading.tiers)) < wrong, (reading.tiers + 1) % 3, reading.tiers)
        scores.append(f1(simulation, Reading(reading.of_event, reading.users, shifted)))
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.1


def test_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(2)
    true, seen = rng.integers(4, size=(2, 200))
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (true, seen), 1)
    expected = f1_score(true, seen, labels=[0, 1, 2], average="macro")
    assert float(macro_f1(counts.ravel())) == pytest.approx(expected)


def test_an_interest_hidden_in_a_larger_ones_point_is_missed() -> None:
    of_event = np.array([0, 0, 0, 0, 1, -1, -1])
    interest = np.array([0, 0, 0, 1, 1, 2, 0])
    tiers = np.array([CORE, STABLE])
    assert predicted_tiers(of_event, interest, tiers, 3).tolist() == [CORE, FADED, FADED]
    apart = np.array([0, 0, 0, 1, 1, 2, 0])
    assert predicted_tiers(apart, interest, np.array([CORE, STABLE, MOMENTARY]), 3).tolist() == [
        CORE,
        STABLE,
        MOMENTARY,
    ]


def test_without_any_point_nothing_is_seen() -> None:
    none = np.full(3, -1)
    assert predicted_tiers(none, np.array([0, 0, 1]), np.zeros(0, int), 2).tolist() == [FADED, FADED]


@given(st.integers(0, 1_000))
def test_a_replay_knows_what_was_known_then_and_nothing_later(seed: int) -> None:
    simulation = simulated(users=3, seed=seed)
    whole = simulation.history
    last = np.sort(np.random.default_rng(seed).choice(len(whole), 4, replace=False))
    at = whole.times[last] + 1
    replay = Replay.of(simulation, last, at)
    assert replay.history.n_users == 4
    for case in range(4):
        own = replay.history.of(case)
        user = whole.users[last[case]]
        assert replay.users[case] == user
        assert replay.source[own].tolist() == list(range(whole.offsets[user], last[case] + 1))
        ages = simulation.time - replay.history.times[own]
        assert ages == pytest.approx(at[case] - whole.times[replay.source[own]], abs=1e-5)
    assert (replay.history.times < simulation.time).all()
    assert (replay.factor == simulation.factor[replay.source]).all()


def test_points_of_noise_and_of_what_ended_are_false_alarms_living_interests_are_none() -> None:
    simulation = simulated(noise=0.3)
    last = simulation.history.offsets[1:] - 1
    replay = Replay.of(simulation, last, np.full(len(last), NOW))
    n = simulation.interests.height
    users = simulation.interests["user_row"].to_numpy()
    momentary = np.full(n, MOMENTARY)
    counts = false_alarms(simulation, replay, Reading(np.maximum(replay.factor, -1), users, momentary))
    ended = simulation.interests["tier"].to_numpy() == "ended"
    assert counts.tolist() == np.stack([np.bincount(users, ended), np.bincount(users)], 1).tolist()

    noise_alone = np.where(replay.factor < 0, replay.history.users, -1)
    cases = np.arange(len(last))
    counts = false_alarms(simulation, replay, Reading(noise_alone, cases, np.full(len(last), MOMENTARY)))
    assert counts.tolist() == [[1, 1]] * len(last)
    counts = false_alarms(simulation, replay, Reading(noise_alone, cases, np.full(len(last), CORE)))
    assert counts.sum() == 0


def test_a_point_is_whose_more_than_half_of_its_events_are() -> None:
    reading = Reading(np.array([0, 0, 1, 1, 1, -1]), np.zeros(2, int), np.zeros(2, int))
    assert own_points(reading, np.array([True, False, True, True, False, True])).tolist() == [False, True]


def test_information_is_one_for_the_causes_and_nothing_for_one_group() -> None:
    simulation = simulated()
    assert information(simulation, simulation.factor) == pytest.approx(1)
    assert information(simulation, np.zeros(len(simulation.factor))) == pytest.approx(0)


def test_baselines_find_groups_that_lie_apart() -> None:
    simulation = simulated(noise=0, users=8)
    ways, _ = baselines(simulation, vectors())
    found = {name: information(simulation, divided(simulation.history, vectors(), way)) for name, way in ways.items()}
    assert found["Ward on raw vectors"].mean() > 0.95
    assert found["K-Means on raw vectors"].mean() > 0.8
    assert found["one group"].mean() == pytest.approx(0)


def test_events_by_chance_are_in_no_point() -> None:
    simulation = simulated(noise=0.4)
    reading = by_points(vectors(), GROUPS, TierSettings(cut=1.0))(simulation.history, NOW)
    let_go = reading.of_event < 0
    assert let_go.any()
    assert (simulation.factor[let_go] < 0).mean() > 2 * (simulation.factor < 0).mean()


def test_the_section_gives_every_row_it_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted, "USERS", 12)
    monkeypatch.setattr(planted, "VALIDATION_USERS", 4)
    rows = {row.id: row for row in planted.rows(small_context())}
    assert set(rows) == {
        "planted-f1-20", "planted-f1-40", "planted-onset", "planted-false-alarm", "planted-offset", "disentangled-nmi",
        "planted-k-means-f1", "planted-k-means-nmi", "planted-hdbscan-f1", "planted-hdbscan-nmi",
    }  # fmt: skip
    for row in rows.values():
        assert 0 <= row.value <= 1
        assert row.per_user.height == 12 * len(planted.TEST_SEEDS)
        assert row.seeds == planted.TEST_SEEDS
    assert rows["planted-f1-20"].value > 0.85
    assert rows["disentangled-nmi"].trials > 0
    assert rows["planted-k-means-nmi"].reference == pytest.approx(rows["disentangled-nmi"].value)
    assert planted.VALIDATION_SEED not in planted.TEST_SEEDS
