"""Stability: an interest that has not changed stays, one that is gone or in another tier does not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence import stability
from benchmarks.evidence.stability import same, smallest_step
from benchmarks.evidence.standing import standing
from strata.data.history import DAY
from strata.data.schema import TIERS
from strata.interests.tiers import FADED
from tests.benchmarks.test_evidence_context import NOW, small_context

CONTEXT = small_context()
TIME = NOW - 100 * DAY
NOWADAYS = standing(CONTEXT, CONTEXT.history.before(TIME), TIME)


def test_everything_is_still_there_after_no_time() -> None:
    assert (same(NOWADAYS, NOWADAYS) == (NOWADAYS.tiers != FADED)).all()


@given(st.integers(0, 1_000))
def test_what_changed_its_tier_or_faded_is_not(seed: int) -> None:
    changed = np.random.default_rng(seed).random(len(NOWADAYS.tiers)) < 0.3
    other = np.where(NOWADAYS.tiers == 2, 1, 2)
    after = replace(NOWADAYS, tiers=np.where(changed & (NOWADAYS.tiers != FADED), other, NOWADAYS.tiers))
    assert not same(NOWADAYS, after)[changed].any()
    faded = replace(NOWADAYS, tiers=np.where(changed, FADED, NOWADAYS.tiers))
    assert not same(NOWADAYS, faded)[changed].any()
    kept = ~changed & (NOWADAYS.tiers != FADED)
    assert same(NOWADAYS, after)[kept].mean() > 0.9


def test_the_step_between_tiers_is_the_smallest() -> None:
    assert smallest_step(np.array([1, 10, 5, 10, 8, 10])) == pytest.approx(0.3)
    assert smallest_step(np.array([1, 10, 8, 10, 5, 10])) == pytest.approx(-0.3)


def test_rows_follow_from_their_per_user_values() -> None:
    rows = {row.id: row for row in stability.rows(CONTEXT)}
    assert set(rows) == {*(f"stability-{tier}" for tier in TIERS), "stability-order"}
    values = [rows[f"stability-{tier}"].value for tier in TIERS]
    for tier, value in zip(TIERS, values, strict=True):
        table = rows[f"stability-{tier}"].per_user
        assert value == pytest.approx(table["stays"].sum() / table["strength"].sum())
        assert (table["stays"] <= table["strength"]).all()
    assert rows["stability-order"].value == pytest.approx(np.diff(values).min())
    assert values[1] > values[0]


def test_without_time_to_judge_there_is_nothing_to_say() -> None:
    assert stability.rows(replace(CONTEXT, cut_offs=replace(CONTEXT.cut_offs, backtest=NOW - 20 * DAY))) == []
