"""Metrics beyond hits say what their definitions say, for lists of any length."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from strata._kernels.selection import NOTHING
from strata.evaluation.beyond_accuracy import SMOOTHING, gini, intra_list_diversity, miscalibration, serendipity, shares
from tests.strategies import N_ITEMS, vectors

LISTS = st.lists(
    st.lists(st.integers(0, N_ITEMS - 1), unique=True, max_size=5).map(
        lambda items: items + [NOTHING] * (5 - len(items))
    ),
    min_size=1,
    max_size=4,
).map(np.array)


@given(LISTS)
def test_diversity_is_the_mean_over_all_pairs(ranked: np.ndarray) -> None:
    unit = vectors()
    for value, items in zip(intra_list_diversity(ranked, unit), ranked, strict=True):
        pairs = [1 - unit[a] @ unit[b] for a, b in combinations(items[items != NOTHING], 2)]
        assert value == pytest.approx(np.mean(pairs) if pairs else 0, abs=1e-5)


@given(LISTS)
def test_a_list_of_the_wanted_mix_is_calibrated_and_none_is_worse_than_nothing_in_common(ranked: np.ndarray) -> None:
    groups = np.where(ranked == NOTHING, NOTHING, ranked % 3)
    own = shares(groups, 3)
    assert miscalibration(groups, own) == pytest.approx(np.zeros(len(own)), abs=1e-9)
    wanted = np.tile([0.5, 0.3, 0.2], (len(own), 1))
    error = miscalibration(groups, wanted)
    assert (error >= -1e-9).all()
    assert (error <= np.log(1 / SMOOTHING) + 1e-9).all()


def test_nothing_in_common_is_the_worst_mix() -> None:
    assert miscalibration(np.array([[0, 0]]), np.array([[0.0, 1.0]]))[0] == pytest.approx(np.log(1 / SMOOTHING))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8).filter(any))
def test_gini_is_half_the_relative_mean_difference(exposure: list[int]) -> None:
    ranked = np.repeat(np.arange(len(exposure)), exposure)[None]
    counts = np.array(exposure)
    expected = abs(counts[:, None] - counts).mean() / (2 * counts.mean())
    assert gini(ranked, len(exposure)) == pytest.approx(expected)


def test_what_popularity_finds_too_is_no_serendipity() -> None:
    ranked, popular = np.array([[0, 1, 2], [3, 4, NOTHING], [5, 6, 7]]), np.array([[0, 9, 8], [9, 8, 7], [5, 6, 7]])
    relevant = sparse.lil_matrix((3, N_ITEMS))
    relevant[0, [0, 1, 2]] = relevant[2, [5, 6]] = 1
    assert serendipity(ranked, relevant.tocsr(), popular) == pytest.approx([2 / 3, 0, 0])
