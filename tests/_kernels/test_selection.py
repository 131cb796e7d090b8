"""The best of many are those that sorting finds, with ties broken the same way everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from strata._kernels.selection import NOTHING, SAMPLE, Admission, best_of_groups, largest, top_k, top_of_groups
from strata.evaluation.metrics import hits

VALUES = (-2.5, -1.0, -0.0, 0.0, 1e-30, 0.5, 0.5000001, 3e30, -np.inf, np.nan)


def table(seed: int, rows: int, n: int, values: str) -> np.ndarray:
    """Few different numbers, the awkward ones among them, many different ones, or mostly zeros."""
    rng = np.random.default_rng(seed)
    if values == "few":
        return rng.choice(VALUES, (rows, n))
    many = rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-8, 8, (rows, n))
    return many if values == "many" else np.where(rng.random((rows, n)) < 0.9, 0, np.abs(many))


tables = st.builds(
    table, st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([1, 7, SAMPLE, 3 * SAMPLE + 5, 70 * SAMPLE]),
    st.sampled_from(["few", "many", "sparse"]),
)  # fmt: skip
counts = st.sampled_from([0, 1, 2, 5, 100, 700])


def by_sorting(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    known = np.where(np.isnan(scores), -np.inf, scores)
    order = np.argsort(-known, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(known, order, axis=1)
    return np.where(best == -np.inf, NOTHING, order), best


@given(tables, counts, st.sampled_from([np.float32, np.float64]))
def test_top_k_equals_a_stable_sort(scores: np.ndarray, k: int, dtype: type) -> None:
    scores = scores.astype(dtype)
    places, best = top_k(scores, k)
    wanted, values = by_sorting(scores, k)
    assert (places == wanted).all()
    assert (best == values).all()
    assert best.dtype == dtype


@given(tables, counts, st.sampled_from([-np.inf, 0.0, 0.5]), st.floats(0, 1), st.integers(0, 10_000))
def test_the_largest_are_admitted_above_the_least_and_the_best(
    scores: np.ndarray, k: int, least: float, share: float, seed: int
) -> None:
    """Whatever columns are left, and whatever of them is barred to whom."""
    rng, scores = np.random.default_rng(seed), scores.astype(np.float32)
    n_rows, n = scores.shape
    columns, barred = np.flatnonzero(rng.random(n) < share), rng.random((n_rows, n)) < 0.1
    of_row = [np.flatnonzero(barred[row, columns]) for row in range(n_rows)]
    starts = np.cumsum([0, *map(len, of_row)])
    admission = Admission(columns, starts, np.concatenate(of_row))
    everybody, most = np.arange(n_rows), rng.integers(0, k + 1, n_rows)
    rows, found, values = largest(scores, everybody, everybody, most, np.full(n_rows, least), admission)
    allowed = np.full(scores.shape, -np.inf, np.float32)
    allowed[:, columns] = np.where(barred[:, columns] | ~(scores[:, columns] > least), -np.inf, scores[:, columns])
    for row in range(n_rows):
        wanted = by_sorting(allowed[row : row + 1], int(most[row]))[0][0]
        assert found[rows == row].tolist() == sorted(wanted[wanted != NOTHING])
        assert (values[rows == row] == scores[row, found[rows == row]]).all()
    assert (np.diff(rows) >= 0).all()


@given(tables, counts)
def test_groups_are_rows_of_their_own(scores: np.ndarray, k: int) -> None:
    starts, wanted = np.arange(len(scores) + 1) * scores.shape[1], top_k(scores, k)[0]
    wanted = np.where(wanted == NOTHING, NOTHING, wanted + starts[:-1, None])
    ranked = top_of_groups(scores.ravel(), starts, k)
    assert (ranked[:, : wanted.shape[1]] == wanted).all()
    assert (ranked[:, wanted.shape[1] :] == NOTHING).all()
    assert best_of_groups(scores.ravel(), starts, k).tolist() == sorted(wanted[wanted != NOTHING])


@pytest.mark.parametrize("find", [top_of_groups, best_of_groups])
def test_a_group_may_be_empty(find) -> None:
    assert set(find(np.array([2.0, 1.0]), np.array([0, 0, 2, 2]), 1).ravel().tolist()) <= {0, NOTHING}


def test_forbidden_items_are_padding_not_results() -> None:
    ranked, _ = top_k(np.array([[1.0, -np.inf, 2.0, -np.inf]]), 4)
    assert ranked.tolist() == [[2, 0, NOTHING, NOTHING]]
    assert not hits(ranked, sparse.csr_matrix(np.ones((1, 4))))[0, 2:].any()
