"""Coverage: equally many vectors for every method, near is as rare as said, and what is covered is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence import coverage
from benchmarks.evidence.coverage import (
    METHODS,
    ORDERS,
    Past,
    cosine_of,
    covered,
    decayed_mean,
    k_means,
    medoids,
    points_by,
    settings_of,
    shared_topics,
)
from strata.embeddings.vectors import unit
from tests.benchmarks.test_evidence_context import GROUPS, small_context

CONTEXT = small_context()


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    """Up to 30 events on up to 10 items, some alike, and up to 6 points."""
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    items, events, points = draw(st.integers(1, 10)), draw(st.integers(10, 30)), draw(st.integers(1, 6))
    vectors = CONTEXT.vectors[rng.integers(len(CONTEXT.vectors), size=items)]
    item = np.append(np.arange(items), rng.integers(items, size=events - items))
    orders = [rng.permutation(points).astype(float) for _ in range(ORDERS)]
    return Past(vectors, item, rng.uniform(0, 300, events), unit(rng.normal(size=(points, 48))), orders)


@given(pasts(), st.integers(1, 8))
def test_no_method_has_more_vectors_than_asked_for(past: Past, most: int) -> None:
    for way in (points_by(0), medoids(0.5), medoids(2.0), k_means(30.0), k_means(np.inf), decayed_mean(30.0)):
        found = way(past, most)
        assert 1 <= len(found) <= most
        assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


@given(pasts())
def test_the_best_come_first(past: Past) -> None:
    best = past.points[np.argmax(past.orders[1])]
    assert (points_by(1)(past, 1) == best).all()
    (medoid,) = medoids(1e-6)(past, 1)
    alike = (past.vectors[:, None] == past.vectors).all(2)  # of cosine 1: one cluster
    importance = alike @ np.bincount(past.item, np.exp(-0.01 * past.days))
    assert importance[(past.vectors == medoid).all(1).argmax()] == pytest.approx(importance.max())


def test_near_is_as_rare_as_said() -> None:
    cosines = (CONTEXT.vectors @ CONTEXT.vectors.T).ravel()
    for rarity in (0.3, 0.05):
        assert (cosines >= cosine_of(CONTEXT, rarity)).mean() == pytest.approx(rarity, rel=0.1)
    assert shared_topics(CONTEXT) == pytest.approx(1 / len(np.unique(GROUPS)))


def test_who_knows_the_future_covers_it_and_who_knows_nothing_covers_none() -> None:
    time = CONTEXT.cut_offs.backtest
    opposite = -unit(CONTEXT.vectors.mean(0)[None])
    ways = [lambda past, most: CONTEXT.vectors, lambda past, most: opposite]
    hits, cases = covered(CONTEXT, CONTEXT.history, [time, time + 1], ways, [0.99, 0.9])
    assert (hits[0] == cases[:, None]).all()
    assert not hits[1].any()
    ahead = CONTEXT.history.between(time, time + 30 * 86_400)
    assert cases[0] in (0, *(2 * len(np.unique(ahead.items[ahead.of(0)])) + shift for shift in (-1, 0, 1)))


def test_every_method_has_as_many_settings() -> None:
    assert len(settings_of(CONTEXT)) == ORDERS * len(METHODS)


def test_rows_hold_the_best_setting_of_each_method_against_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "PAIRS", 20_000)
    rows = {row.id: row for row in coverage.rows(small_context(users=20))}
    others = {f"coverage-30d-{method}": method for method in METHODS[1:]}
    assert set(rows) == {"coverage-30d", "coverage-30d-wide", *others}
    ours = rows["coverage-30d"]
    assert ours.reference == pytest.approx(max(rows[name].value for name in others))
    assert ours.per_user.columns == list(METHODS)
    for name, method in others.items():
        assert rows[name].value == pytest.approx(ours.per_user[method].mean())
    assert ours.value == pytest.approx(ours.per_user["Strata"].mean())
    assert ours.value > rows["coverage-30d-decayed-mean"].value
    assert 0 < ours.n <= 20
