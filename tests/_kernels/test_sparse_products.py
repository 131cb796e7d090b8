"""The nearest items of a sparse product are those of the dense one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from strata._kernels.sparse_products import dense_product, top_products


@given(st.integers(1, 9), st.integers(1, 12), st.integers(1, 14), st.floats(0, 20), st.integers(0, 999))
def test_the_largest_of_each_row_are_kept_and_ties_go_by_column(
    users: int, items: int, most: int, shrink: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    chosen = (rng.random((users, items)) < 0.4).astype(np.float32)
    norms = np.sqrt(chosen.sum(0))
    expected = np.zeros((items, items), np.float32)
    dense = ((chosen.T @ chosen) / np.maximum(np.outer(norms, norms) + shrink, 1e-12)).astype(np.float32)
    np.fill_diagonal(dense, 0)
    for row in range(items):
        best = np.lexsort((np.arange(items), -dense[row]))[:most]
        expected[row, best] = dense[row, best]
    matrix = sparse.csr_matrix(chosen)
    found = top_products(matrix.T.tocsr(), matrix, norms, shrink=shrink, most=most)
    assert np.allclose(np.sort(found.toarray(), axis=1), np.sort(expected, axis=1), atol=1e-6)
    ties_apart = np.abs(found.toarray() - expected) > 1e-6
    assert not ties_apart.any() or np.allclose(found.toarray()[ties_apart].sum(), expected[ties_apart].sum(), atol=1e-5)


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(0, 999))
def test_dense_rows_are_those_of_the_product(rows: int, middle: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = (
        sparse.random(*shape, 0.4, "csr", np.float32, rng=rng) for shape in ((rows, middle), (middle, columns))
    )
    assert np.allclose(dense_product(left, right), (left @ right).toarray(), atol=1e-6)


def test_a_product_of_zero_is_no_second_column() -> None:
    """Weights that have faded to 0 are stored; a column that only they led to counts once all the same."""
    zeros = sparse.csr_matrix((np.zeros(6, np.float32), [0, 1, 0, 1, 0, 1], [0, 2, 4, 6]), (3, 2))
    zeros.data[0] = 1.0
    found = top_products(zeros.T.tocsr(), zeros, np.zeros(2), shrink=1.0, most=2)
    assert not found.nnz
    ones = sparse.csr_matrix((np.array([0, 0, 1, 1], np.float32), [0, 1, 0, 1], [0, 2, 4]), (2, 2))
    pairs = top_products(ones.T.tocsr(), ones, np.zeros(2), shrink=1.0, most=2)
    assert pairs.toarray().tolist() == [[0, 1], [1, 0]]
