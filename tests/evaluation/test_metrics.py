"""Metrics agree with a reference implementation."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from strata._kernels.selection import NOTHING, top_k
from strata.evaluation import metrics
from strata.evaluation.metrics import bootstrap, coverage, novelty

N_ITEMS = 30


def random_case(seed: int) -> tuple[np.ndarray, sparse.csr_matrix]:
    rng = np.random.default_rng(seed)
    ranked = np.stack([rng.permutation(N_ITEMS)[:10] for _ in range(20)])
    relevant = sparse.csr_matrix(rng.random((20, N_ITEMS)) < 0.15)
    return ranked, relevant


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("ndcg", "nDCG@5"), ("recall", "R@5"), ("precision", "P@5"), ("hit_rate", "Success@5"), ("mrr", "RR@5")],
)
def test_agrees_with_ir_measures(ours: str, theirs: str) -> None:
    ranked, relevant = random_case(1)
    judged = [
        ir_measures.Qrel(str(row), str(item), 1) for row, item in zip(*relevant.nonzero(), strict=True)
    ]  # fmt: skip
    run = [
        ir_measures.ScoredDoc(str(row), str(item), float(-place))
        for row, line in enumerate(ranked)
        for place, item in enumerate(line)
    ]
    expected = {
        int(found.query_id): found.value
        for found in ir_measures.iter_calc([ir_measures.parse_measure(theirs)], judged, run)
    }
    values = metrics.RANKING_METRICS[ours](ranked, relevant, 5)
    for row, value in expected.items():
        assert values[row] == pytest.approx(value, abs=1e-9)


def test_average_precision_of_a_known_ranking() -> None:
    relevant = sparse.csr_matrix(np.array([[1, 0, 1, 0, 1]]))
    ranked = np.array([[0, 1, 2, 3, NOTHING]])
    assert metrics.average_precision_at_k(ranked, relevant, 5)[0] == pytest.approx((1 + 2 / 3) / 3)


@given(st.integers(0, 1000))
def test_every_metric_lies_between_0_and_1_and_a_perfect_ranking_reaches_1(seed: int) -> None:
    ranked, relevant = random_case(seed)
    for metric in metrics.RANKING_METRICS.values():
        values = metric(ranked, relevant, 10)
        assert (values >= 0).all()
        assert (values <= 1).all()
    perfect = top_k(relevant.toarray().astype(float), 10)[0]
    full = np.diff(relevant.indptr) > 0
    assert metrics.ndcg_at_k(perfect, relevant, 10)[full] == pytest.approx(1)


def test_interval_holds_the_mean_and_narrows_with_more_users() -> None:
    rng = np.random.default_rng(0)
    few = bootstrap(rng.random(20), samples=500, seed=1)
    many = bootstrap(rng.random(2000), samples=500, seed=1)
    assert few.low <= few.mean <= few.high
    assert many.high - many.low < few.high - few.low


def test_coverage_and_novelty_prefer_the_tail() -> None:
    popularity = np.array([100, 10, 1, 1])
    assert coverage(np.array([[0, 0], [0, NOTHING]]), 4) == 0.25
    assert novelty(np.array([[2, 3]]), popularity) > novelty(np.array([[0, 1]]), popularity)
