"""One large tree: the groups that the field's library finds, with weights that count."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from strata.interests.hierarchy import cut, means, merge


def blob(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 4), min_size=2, max_size=40), st.data())
def test_a_vector_of_some_weight_counts_as_so_many_equal_ones(
    seed: int, counts: list[int], data: st.DataObject
) -> None:
    vectors, weights = blob(seed, len(counts)), np.array(counts)
    n_groups = data.draw(st.integers(1, len(counts)))
    repeated = np.repeat(np.arange(len(counts)), counts)
    groups = cut(merge(vectors, weights), n_groups)
    expected = fcluster(linkage(vectors[repeated].astype(np.float64), "ward"), n_groups, "maxclust")
    assert adjusted_rand_score(expected, groups[repeated]) == 1


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_cuts_hold_as_many_groups_as_asked_for_and_are_nested(seed: int, n: int) -> None:
    merges = merge(blob(seed, n), np.ones(n))
    finer = cut(merges, n)
    assert len(np.unique(finer)) == n
    for n_groups in range(n - 1, 0, -1):
        groups = cut(merges, n_groups)
        assert sorted(set(groups)) == list(range(n_groups))
        assert len({(a, b) for a, b in zip(finer, groups, strict=True)}) == len(set(finer))
        finer = groups


def test_merging_the_means_of_groups_goes_on_where_the_groups_were_cut() -> None:
    vectors, weights = blob(1, 60), np.random.default_rng(1).integers(1, 5, 60)
    merges = merge(vectors, weights)
    narrow = cut(merges, 20)
    centres, totals = means(vectors, weights, narrow)
    assert totals.sum() == weights.sum()
    assert adjusted_rand_score(cut(merges, 6), cut(merge(centres, totals), 6)[narrow]) == 1
