"""The gate lets through what is as good or better, and says for each rule why it refuses."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.release.gate import GateSettings, as_markdown, figures, judge
from strata.settings import read_settings
from tests.places import ROOT
from tests.tiny_release import tiny_release

RULES = GateSettings(may_fall={"quality": 0.02})
VALUES = st.floats(-1e6, 1e6)


@given(current=VALUES, gain=st.floats(0, 1e6))
def test_no_worse_always_passes(current: float, gain: float) -> None:
    assert all(verdict.passed for verdict in judge({"quality": current}, {"quality": current + gain}, RULES))


@given(current=st.floats(1e-3, 1e6), share=st.floats(0, 1))
def test_what_may_be_lost_is_a_share_of_the_current_value(current: float, share: float) -> None:
    [verdict] = judge({"quality": current}, {"quality": current * (1 - share)}, RULES)
    assert verdict.passed or share > 0.0199
    assert not verdict.passed or share < 0.0201


@pytest.mark.parametrize("new", [{}, {"quality": float("nan")}, {"quality": float("inf")}])
@pytest.mark.parametrize("current", [None, {"quality": 0.2}])
def test_a_figure_that_is_missing_is_a_reason_to_refuse(new: dict, current: dict | None) -> None:
    [verdict] = judge(current, new, RULES)
    assert not verdict.passed
    assert "lacks" in verdict.reason


def test_the_first_release_and_a_new_metric_have_nothing_to_be_compared_with() -> None:
    for current in (None, {"other": 1.0}):
        [verdict] = judge(current, {"quality": 0.1}, RULES)
        assert verdict.passed
        assert verdict.least is None


def test_figures_of_a_release_hold_every_metric_the_rules_name(tmp_path: Path) -> None:
    tiny_release(tmp_path / "release", ndcg=0.25, with_points=9)
    found = figures(tmp_path / "release")
    assert set(GateSettings().may_fall) <= set(found)
    assert found["strata.ndcg@10"] == 0.25
    assert found["users_with_points"] == 0.9


def test_the_table_names_metric_values_limit_and_verdict() -> None:
    verdicts = judge({"quality": 0.5}, {"quality": 0.4}, RULES)
    assert "| quality | 0.5000 | 0.4000 | 0.4900 | **refused**: -20.0%, allowed −2% |" in as_markdown(verdicts)


def test_the_rules_of_the_project_are_readable() -> None:
    rules = read_settings(GateSettings, "gate", ROOT / "params.yaml")
    assert "strata.ndcg@10" in rules.may_fall
