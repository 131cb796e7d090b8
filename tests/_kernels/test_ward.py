"""Fast Ward gives the groups that scipy's gives, whatever the order of rows and blocks and the number of threads."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from strata._kernels.ward import ward_groups

heights = st.floats(0, 30).map(lambda height: height + 0.00123)  # not round: rounding decides at a tie with the cut


@st.composite
def blocks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Up to six blocks of up to 40 vectors, of length 1 or not, far from the origin or not, some of them equal."""
    counts = draw(st.lists(st.integers(0, 40), max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.normal(draw(st.sampled_from([0, 20])), 1, (sum(counts), draw(st.sampled_from([1, 2, 16, 33]))))
    if draw(st.booleans()):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if len(vectors) and draw(st.booleans()):
        vectors = vectors[rng.integers(0, len(vectors), len(vectors))]
    return vectors.astype(np.float32), np.cumsum([0, *counts])


def by_first_member(groups: np.ndarray) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in groups.tolist()]


def by_scipy(vectors: np.ndarray, offsets: np.ndarray, height: float) -> list[int]:
    groups: list[int] = []
    for start, end in pairwise(offsets):
        tree = linkage(vectors[start:end].astype(float), "ward") if end - start > 1 else None
        groups += by_first_member(fcluster(tree, height, "distance")) if tree is not None else [0] * (end - start)
    return groups


def many_blocks() -> tuple[np.ndarray, np.ndarray]:
    """So many that they are shared out to threads."""
    rng = np.random.default_rng(2)
    offsets = np.cumsum([0, *rng.integers(0, 60, 2_000)])
    return rng.normal(size=(offsets[-1], 8)).astype(np.float32), offsets


@given(blocks(), heights)
def test_groups_are_those_of_scipy_numbered_by_first_member(blocks, height: float) -> None:
    vectors, offsets = blocks
    assert ward_groups(vectors, offsets, height).tolist() == by_scipy(vectors, offsets, height)


@pytest.mark.parametrize(("leaves", "dimension"), [(256, 384), (1_200, 48)])
def test_a_long_history_too(leaves: int, dimension: int) -> None:
    rng = np.random.default_rng(leaves)
    centres = rng.normal(size=(30, dimension))
    vectors = (centres[rng.integers(0, 30, leaves)] + 0.5 * rng.normal(size=(leaves, dimension))).astype(np.float32)
    for height in (0.8, 1.2, 4.0):
        height *= dimension**0.5
        found = ward_groups(vectors, np.array([0, leaves]), height)
        assert found.tolist() == by_scipy(vectors, np.array([0, leaves]), height)


@given(blocks())
def test_height_zero_joins_equal_vectors_and_no_others(blocks) -> None:
    vectors, offsets = blocks
    equal = [np.unique(vectors[start:end], axis=0, return_inverse=True)[1] for start, end in pairwise(offsets)]
    expected = [number for groups in equal for number in by_first_member(groups)]
    assert ward_groups(vectors, offsets, 0).tolist() == expected


@given(blocks())
def test_without_a_limit_a_block_is_one_group(blocks) -> None:
    assert not ward_groups(*blocks, np.inf).any()


@given(blocks(), heights, st.integers(0, 9))
def test_order_of_rows_only_renames_groups(blocks, height: float, seed: int) -> None:
    vectors, offsets = blocks
    rng = np.random.default_rng(seed)
    order = np.concatenate([np.zeros(0, int), *(rng.permutation(np.arange(*ends)) for ends in pairwise(offsets))])
    original, shuffled = ward_groups(vectors, offsets, height), ward_groups(vectors[order], offsets, height)
    for start, end in pairwise(offsets):
        assert by_first_member(original[order][start:end]) == shuffled[start:end].tolist()


def test_order_of_blocks_changes_nothing() -> None:
    vectors, offsets = many_blocks()
    order = np.random.default_rng(3).permutation(len(offsets) - 1)
    rows = np.concatenate([np.arange(offsets[block], offsets[block + 1]) for block in order])
    moved = ward_groups(vectors[rows], np.cumsum([0, *np.diff(offsets)[order]]), 3.0)
    assert np.array_equal(moved, ward_groups(vectors, offsets, 3.0)[rows])


def test_number_of_threads_changes_nothing() -> None:
    vectors, offsets = many_blocks()
    alone = ward_groups(vectors, offsets, 3.0, threads=1)
    assert 0 < alone.max() < 59
    for threads in (2, 3, 16):
        assert np.array_equal(ward_groups(vectors, offsets, 3.0, threads=threads), alone)


def test_vectors_may_lie_in_any_way_and_stay_as_they_are(tmp_path) -> None:
    vectors, offsets = many_blocks()
    np.save(tmp_path / "vectors.npy", vectors)
    expected = ward_groups(vectors, offsets, 3.0)
    for same in (np.load(tmp_path / "vectors.npy", mmap_mode="r"), np.asfortranarray(vectors), vectors.astype(float)):
        assert np.array_equal(ward_groups(same, offsets.astype(np.int32), 3.0), expected)
    assert np.array_equal(vectors, np.load(tmp_path / "vectors.npy"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize(("row", "block"), [(0, 0), (3, 2), (1_500, 3)])
def test_a_vector_that_is_not_finite_is_refused_by_name(value: float, row: int, block: int) -> None:
    vectors = np.ones((2_000, 5), np.float32)
    vectors[row, 4] = vectors[1_999, 0] = value
    with pytest.raises(ValueError, match=rf"vectors: row {row} \(block {block}\) is not finite"):
        ward_groups(vectors, np.array([0, 3, 3, 4, 2_000]), 1.0, threads=2)


def test_offsets_and_heights_that_make_no_sense_are_refused() -> None:
    vectors = np.ones((4, 2), np.float32)
    for offsets in ([0, 5], [0, 3], [1, 4], [0, 3, 2, 4], []):
        with pytest.raises(ValueError, match="must rise from 0 to 4"):
            ward_groups(vectors, np.array(offsets), 1.0)
    for height in (-1.0, np.nan):
        with pytest.raises(ValueError, match="must be a distance"):
            ward_groups(vectors, np.array([0, 4]), height)
