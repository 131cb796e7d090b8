"""Thresholds of the tiers are learned from what their evidence never sees, and only they change in params.yaml."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import judging, thresholds
from benchmarks.evidence import planted
from benchmarks.evidence.planted import NOW, planted_in, profiler_of
from benchmarks.judging import (
    FEWEST,
    Bench,
    Past,
    Points,
    gains,
    parts,
    planted_counts,
    planted_parts,
    smallest_gap,
    worth,
)
from benchmarks.thresholds import CHECK_SEEDS, DIGITS, LEARN_SEEDS, changed, learn, rewritten
from strata.errors import SettingsError
from strata.interests.settings import TierSettings
from strata.settings import read_settings
from tests.benchmarks.test_evidence_context import ROOT, small_context, write_workspace

CONTEXT = small_context()
EVERYBODY = np.ones(CONTEXT.history.n_users, bool)
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")

some_settings = st.builds(
    TierSettings,
    core_persistence=st.integers(20, 60).map(lambda n: n / 100),
    stable_persistence=st.integers(4, 20).map(lambda n: n / 100),
    doubt=st.integers(1, 300).map(lambda n: n / 1_000),
    recent_days=st.integers(7, 28),
    momentary_events=st.integers(1, 4),
    over_after=st.integers(8, 40).map(lambda n: n / 10),
)


def test_what_is_learned_and_checked_on_is_neither_the_other_nor_the_evidence() -> None:
    seeds = [*LEARN_SEEDS, *CHECK_SEEDS, planted.VALIDATION_SEED, *planted.TEST_SEEDS]
    assert len(seeds) == len(set(seeds))


@given(some_settings)
def test_points_found_once_are_read_as_those_that_ship(settings: TierSettings) -> None:
    context = replace(CONTEXT, settings=settings)
    simulation = planted_in(context, 5, 0.2, 11)
    read, ships = Points(context).profiler(settings), profiler_of(context, "ward")
    ours, theirs = read(simulation.history, NOW), ships(simulation.history, NOW)
    for name in ("of_event", "users", "tiers"):
        assert (getattr(ours, name) == getattr(theirs, name)).all()


def test_thresholds_are_searched_over_points_that_are_found_once() -> None:
    points, history = Points(CONTEXT), CONTEXT.history
    settings, longer = CONTEXT.settings, CONTEXT.settings.model_copy(update={"recent_days": 28.0})
    assert points.of(history, settings) is points.of(history, settings)
    assert points.of(history, settings) is not points.of(history, longer), "what is new depends on it"
    assert points.of(history, settings) is not points.of(history.before(CONTEXT.cut_offs.live - 9e6), settings)


def test_figures_are_those_of_the_evidence() -> None:
    simulation = planted_in(CONTEXT, 20, 0.2, 11)
    profiler = profiler_of(CONTEXT, "ward")
    sums = planted_counts([simulation], profiler)
    assert sums.shape[0] == 20
    f1, onset, quiet, end = planted_parts(sums.sum(0))
    table, _ = planted.judged([simulation], profiler)
    assert f1 == pytest.approx(float(judging.macro_f1(table.sum(0))))
    seen, alarms, _ = planted.onsets(simulation, profiler)
    assert (onset, quiet) == pytest.approx(
        (seen[:, 0].sum() / seen[:, 1].sum(), 1 - alarms[:, 0].sum() / alarms[:, 1].sum())
    )
    over = planted.offsets(simulation, profiler)
    assert end == pytest.approx(over[:, 0].sum() / over[:, 1].sum())


def test_a_promise_is_judged_before_the_validation_cut_off_alone() -> None:
    points, before = Points(CONTEXT), CONTEXT.history.before(CONTEXT.cut_offs.validation)
    whole = Past.of(CONTEXT, EVERYBODY)
    cut = Past.of(replace(CONTEXT, history=before), EVERYBODY)
    assert (whole.history.times < whole.time).all()
    assert (
        cut.counts(CONTEXT, points, TierSettings(cut=1.0)) == whole.counts(CONTEXT, points, TierSettings(cut=1.0))
    ).all()


def test_the_smallest_gap_is_that_of_the_worst_window_and_few_points_say_nothing() -> None:
    cases = 10 * FEWEST
    seen = np.array([[0.2, 0.1, 0.2], [0.4, 0.4, 0.3], [0.9, 0.8, 0.7]]) * cases
    sums = np.concatenate([seen, np.full((3, 1), cases)], axis=1)
    assert float(smallest_gap(sums.ravel())) == pytest.approx(0.1)
    assert float(smallest_gap(sums[::-1].ravel())) == pytest.approx(-0.5)
    sums[0] = 0, 0, 0, FEWEST - 1
    assert float(smallest_gap(sums.ravel())) == -1


def test_one_part_is_not_bought_with_another() -> None:
    today = np.array([0.9, 0.8, 0.7])
    assert worth(today, today) == 0
    assert worth(today + [0, 0.03, 0], today) == pytest.approx(0.01)
    assert worth(today + [-0.02, 0.03, 0.03], today) < 0


def test_the_best_is_no_worse_than_todays_and_undoes_what_is_plainly_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "USERS", 10)
    wrong = changed(TierSettings(cut=1.0), {"core_persistence": 0.6, "momentary_events": 4, "over_after": 0.8})
    context = replace(CONTEXT, settings=wrong)
    bench = Bench.of(context, Points(context), LEARN_SEEDS, EVERYBODY)
    best, tried = learn(bench, trials=30, seconds=60)
    assert 1 < tried <= 30
    today, found = bench.counts(wrong), bench.counts(best)
    assert parts(found).mean() > parts(today).mean() + 0.02
    assert best.model_dump(exclude=set(DIGITS)) == wrong.model_dump(exclude=set(DIGITS))
    assert gains(today, found)[0].low > 0
    assert gains(found, found)[0].high == 0


@given(some_settings)
def test_only_the_thresholds_change_in_params_and_every_comment_stays(settings: TierSettings) -> None:
    text = rewritten(PARAMS, settings)
    before, after = yaml.safe_load(PARAMS), yaml.safe_load(text)
    for name in DIGITS:
        assert after["tier"].pop(name) == getattr(settings, name)
        before["tier"].pop(name)
    assert after == before
    assert [line.partition("#")[2] for line in text.splitlines()] == [
        line.partition("#")[2] for line in PARAMS.splitlines()
    ]


def test_params_without_a_threshold_are_refused_with_its_name() -> None:
    with pytest.raises(SettingsError, match=r"tier\.doubt is missing"):
        rewritten(PARAMS.replace("  doubt:", "  # doubt:"), TierSettings(cut=1.0))
    with pytest.raises(SettingsError, match="section 'tier' is missing"):
        rewritten("rank:\n  trials: 2\n", TierSettings(cut=1.0))


def test_the_command_writes_only_where_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "USERS", 4)
    folder = write_workspace(tmp_path)
    thresholds.main(folder, trials=3, minutes=1.0, write=False)
    assert (folder / "params.yaml").read_text(encoding="utf-8") == PARAMS
    thresholds.main(folder, trials=3, minutes=1.0, write=True)
    best = read_settings(TierSettings, "tier", folder / "params.yaml")
    assert rewritten(PARAMS, best) == (folder / "params.yaml").read_text(encoding="utf-8")
