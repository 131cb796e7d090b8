"""Similar items: hits are what users chose later, skew is that of SciPy, and hubs are known as such."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.evidence import similar
from benchmarks.evidence.context import Context
from benchmarks.evidence.hubs import occurrences, powers, skew, tens
from benchmarks.evidence.similar import SUFFIXES, Window
from strata._kernels.selection import NOTHING
from strata.data.history import DAY, History
from strata.embeddings.vectors import unit
from strata.storage import write_array
from tests.benchmarks.test_evidence_context import GROUPS, small_context, vectors

N = len(GROUPS)
CONTEXT = replace(small_context(), spaces={"validation": vectors(), "backtest": vectors()})


def with_hubs() -> np.ndarray:
    """Items of random content, with more or less of what all have in common: the more, the nearer to all."""
    rng = np.random.default_rng(4)
    return unit(np.hstack([rng.uniform(0.3, 0.9, (N, 1)), unit(rng.normal(size=(N, 30)))]))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Texts say nothing of what is chosen together, and some are near to all."""
    for name in ("items", "zero_shot"):
        write_array(with_hubs(), tmp_path / "artifacts" / "vectors" / f"{name}.npy")
    return replace(CONTEXT, folder=tmp_path)


@given(st.lists(st.integers(0, 500), min_size=2, max_size=50).filter(lambda counts: len(set(counts)) > 1))
def test_skew_is_that_of_scipy(counts: list[int]) -> None:
    assert skew(powers(np.array(counts)).sum(0)) == pytest.approx(stats.skew(counts), rel=1e-4, abs=1e-4)


def test_a_ten_holds_the_best_others_and_no_more_than_there_are() -> None:
    scores = np.random.default_rng(3).random((12, 12))
    for item, ten in enumerate(tens(scores)):
        others = [other for other in np.argsort(-scores[item]) if other != item]
        assert ten.tolist() == others[:10]
    scores[:, 3:] = -np.inf
    assert ((tens(scores) != NOTHING).sum(1) == [2, 2, 2, *[3] * 9]).all()
    assert occurrences(tens(scores)).tolist() == [11, 11, 11, *[0] * 9]


def test_hits_are_shares_of_what_the_user_and_others_chose() -> None:
    # u0 chose items 0 and 1, u1 items 1 and 2, u2 item 3 alone.
    users, items = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 3])
    later = History.from_columns(users, items, users * DAY, np.ones(5), n_users=4, n_items=5)
    window = Window(np.ones(5, bool), np.zeros((5, 2)), later, later)
    lists = np.array([[1, 2], [0, NOTHING], [0, 1], [4, 0], [0, 1]])
    found = window.hits(lists)
    assert found[0].tolist() == [0.5, 0.25]  # of two others, one chose 1 and one 2, none 0
    assert found[1].tolist() == [0.25, 0.375]
    assert np.isnan(found[2:]).all()


def test_what_lies_with_its_kind_hits_more_than_texts_that_know_no_kinds(context: Context) -> None:
    rows = {row.id: row for row in similar.rows(context)}
    assert set(rows) == {f"similar-{name}{way}" for name in ("hits", "lift", "hubness") for way in SUFFIXES.values()}
    ours, text = rows["similar-hits"], rows["similar-hits"].reference
    assert text is not None
    assert ours.value > 2 * text
    assert ours.low > 0
    assert ours.per_user is not None
    assert ours.per_user["share"].mean() == pytest.approx(ours.value)
    assert rows["similar-lift"].value > 1.5
    hubness = rows["similar-hubness"]
    assert hubness.per_user is not None
    for figure, name in ((hubness.value, "tens"), (hubness.reference, "tens_by_text")):
        assert figure == pytest.approx(stats.skew(hubness.per_user[name].to_numpy()), rel=1e-3)


def test_without_later_choices_there_are_no_rows(context: Context) -> None:
    history = CONTEXT.history.before(CONTEXT.cut_offs.backtest)
    assert similar.rows(replace(context, history=history)) == []
