"""Fast scores of gradient-boosted trees for many rows: LightGBM's own, but for rounding.

LightGBM walks every row down every tree, and each step is a branch that the processor cannot predict. Here each test is
made for a block of rows at once and, for the rows that go right, removes the leaves to its left; a row's first
remaining leaf is where it ends (QuickScorer, Lucchese et al., SIGIR 2015). Small trees are grouped, so that one table
look-up gives the sum of their values. A batch of lists takes 2.9 times as long with lleaves and 10 times
with LightGBM's predict; a single call is alike (`python -m benchmarks.kernels --only forest`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import lightgbm
import numpy as np
from numba import njit

from strata._kernels.compiled import compiled
from strata._kernels.threads import side_by_side

MOST_LEAVES: Final = 32
"""Leaves per tree: one bit each."""
ALL: Final = 2**MOST_LEAVES - 1
TOGETHER: Final = 12
"""Tests, at most, of small trees that share one table of sums: 32 KB, of which little is ever read."""
TABLE: Final = 2**TOGETHER
LAST: Final = TABLE - 1
AT_ONCE: Final = 3
"""Tests that are made in one pass over the rows."""
ROWS: Final = 512
"""Rows per block: their features fit the processor's cache."""
ROWS_OF_A_THREAD: Final = 100_000
"""Rows per thread; fewer are scored in the caller's thread."""


@dataclass(frozen=True)
class Forest:
    """G groups of trees with N tests and V values between them, as flat arrays.

    Reading r is feature `feature_of[r]` (R,), with NaN below everything if `unknown_left[r]` (R,), else above. In test
    i a row goes right where reading `readings[i]` (N,) is above `thresholds[i]` (N,) float32, and then keeps only the
    leaves whose bits are set in `masks[i]` (N,) uint32. Group g owns the tests `tests[g]:tests[g + 1]`, a multiple of
    AT_ONCE, and the entries `ends[g]:ends[g + 1]` of `values` (V,) float64: a large tree's leaf values, left to right,
    or the TABLE sums of small trees by their remaining bits. In such a table a tree's last leaf has no bit: it remains
    if no other does.
    """

    feature_of: np.ndarray
    unknown_left: np.ndarray
    readings: np.ndarray
    thresholds: np.ndarray
    masks: np.ndarray
    tests: np.ndarray
    ends: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, *boosters: lightgbm.Booster, trees: int | None = None) -> Self:
        """Read all trees, or each booster's first `trees`. Raises ValueError for trees that do not fit this form."""
        tests: list[Node] = []
        values: list[np.ndarray] = []
        starts = [(0, 0)]
        for group in _groups(tree for booster in boosters for tree in booster.dump_model(trees)["tree_info"]):
            leaves: list[list[float]] = []
            for tree in group:
                its_tests, its_leaves = _read(tree["tree_structure"], sum(len(each) - 1 for each in leaves))
                tests += its_tests
                leaves.append(its_leaves)
            tests += [NO_NODE] * (-len(tests) % AT_ONCE)
            values.append(_table(leaves) if _is_small(group[0]) else np.array(leaves[0]))
            starts.append((len(tests), starts[-1][1] + len(values[-1])))
        read, thresholds, masks = zip(*tests, strict=True) if tests else ((),) * 3
        readings, of_test = np.unique(np.array(read, np.int64).reshape(-1, 2), axis=0, return_inverse=True)
        of_tests, of_values = np.array(starts, np.int64).T.copy()
        return cls(
            readings[:, 0].copy(), readings[:, 1] > 0, of_test.ravel().astype(np.int64),
            np.array(thresholds, np.float32), np.array(masks, np.uint32), of_tests, of_values,
            np.concatenate([np.zeros(0), *values]),
        )  # fmt: skip

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Sum over the trees of each row of `features` (n, F), read as float32: (n,)."""
        features = np.asarray(features, np.float32, order="F").T
        found, kernel = np.zeros(features.shape[1]), compiled(_kernel, error_model="numpy")
        trees = (
            self.feature_of, self.unknown_left, self.readings, self.thresholds, self.masks, self.tests, self.ends,
            self.values,
        )  # fmt: skip

        def fill(start: int) -> None:
            part = slice(start, start + ROWS_OF_A_THREAD)
            kernel(features[:, part], *trees, found[part])

        starts = range(0, len(found), ROWS_OF_A_THREAD)
        for _ in side_by_side(fill, starts) if len(starts) > 1 else map(fill, starts):
            pass
        return found


class Node(NamedTuple):
    """An inner node: (feature, whether NaN goes left), threshold above which a row goes right, leaves it then keeps."""

    reading: tuple[int, bool]
    threshold: np.float32
    mask: int


NO_NODE: Final = Node((0, True), np.float32(np.inf), ALL)
"""A test that changes nothing."""


def _is_small(tree: dict[str, Any]) -> bool:
    """Whether a tree fits into a table of sums."""
    return bool(tree["num_leaves"] <= TOGETHER + 1)


def _groups(trees: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Trees in order; neighbouring small ones share a group while they have at most TOGETHER tests."""
    groups: list[list[dict[str, Any]]] = []
    n_tests = TOGETHER
    for tree in trees:
        if tree["num_leaves"] > MOST_LEAVES:
            raise ValueError(f"a tree has {tree['num_leaves']} leaves; {MOST_LEAVES} are the most")
        n_tests += tree["num_leaves"] - 1
        if n_tests > TOGETHER or not groups:
            groups.append([])
            n_tests = tree["num_leaves"] - 1
        groups[-1].append(tree)
    return groups


def _table(leaves: Sequence[Sequence[float]]) -> np.ndarray:
    """Sum of the values of trees with these leaves, by the bits of the leaves that remain: (TABLE,)."""
    found, first, bits = np.zeros(TABLE), 0, np.arange(TABLE)
    for of_tree in leaves:
        last = len(of_tree) - 1
        of_bits = np.full(2**last, of_tree[-1])
        for leaf in reversed(range(last)):
            of_bits[2**leaf :: 2 ** (leaf + 1)] = of_tree[leaf]  # where this bit is set and none below
        found += of_bits[bits >> first & 2**last - 1]
        first += last
    return found


def _read(node: dict[str, Any], first: int = 0) -> tuple[list[Node], list[float]]:
    """Tests below a node and the values of its leaves, left to right; `first`: bit of its first leaf."""
    if "leaf_value" in node:
        return [], [node["leaf_value"]]
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise ValueError(f"trees test for {node['decision_type']}, unknown is {node['missing_type']}: not read here")
    tests_left, left = _read(node["left_child"], first)
    tests_right, right = _read(node["right_child"], first + len(left))
    exact = node["threshold"]
    with np.errstate(over="ignore", under="ignore"):
        threshold = np.float32(exact)
        if float(threshold) > exact:  # round down: no float32 feature lies between the two
            threshold = np.nextafter(threshold, np.float32(-np.inf))
    # Where training saw no NaN, LightGBM reads NaN as 0.
    unknown_left = node["default_left"] if node["missing_type"] == "NaN" else exact >= 0
    mask = ALL & ~(((1 << len(left)) - 1) << first)
    test = Node((node["split_feature"], bool(unknown_left)), threshold, mask)
    return [test, *tests_left, *tests_right], left + right


def _kernel(
    features: np.ndarray,
    feature_of: np.ndarray, unknown_left: np.ndarray,
    readings: np.ndarray, thresholds: np.ndarray, masks: np.ndarray,
    tests: np.ndarray, ends: np.ndarray, values: np.ndarray,
    found: np.ndarray,
) -> None:  # fmt: skip
    """Fill `found` (n,) with the sum of the trees' values, from `features` (F, n).

    Inner loops run over rows, without branches.
    """
    n, everything = features.shape[1], np.uint32(ALL)
    known = np.zeros((len(feature_of), ROWS), np.float32)
    left, total = np.empty(ROWS, np.uint32), np.empty(ROWS)
    for start in range(0, n, ROWS):
        size = min(ROWS, n - start)
        for reading in range(len(feature_of)):
            unknown = -np.inf if unknown_left[reading] else np.inf
            _know(features[feature_of[reading], start : start + size], unknown, known[reading])
        total[:] = 0
        for group in range(len(ends) - 1):
            end = values[ends[group] : ends[group + 1]]
            left[:] = LAST if len(end) == TABLE else ALL
            for test in range(tests[group], tests[group + 1], AT_ONCE):
                a, b, c = known[readings[test]], known[readings[test + 1]], known[readings[test + 2]]
                ta, tb, tc = thresholds[test], thresholds[test + 1], thresholds[test + 2]
                ma, mb, mc = masks[test], masks[test + 1], masks[test + 2]
                for row in range(ROWS):
                    of_two = (ma if a[row] > ta else everything) & (mb if b[row] > tb else everything)
                    left[row] &= of_two & (mc if c[row] > tc else everything)
            if len(end) == TABLE:
                for row in range(ROWS):
                    total[row] += end[left[row]]
            else:
                _add_leaves(left, end, total)
        found[start : start + ROWS] = total[:size]


@njit()
def _know(feature: np.ndarray, unknown: float, known: np.ndarray) -> None:
    """Copy a feature (n,) to `known`, with `unknown` for NaN, so that a test is one comparison."""
    for row in range(len(feature)):
        known[row] = feature[row] if feature[row] == feature[row] else unknown


@njit()
def _add_leaves(left: np.ndarray, ends: np.ndarray, total: np.ndarray) -> None:
    """Add to `total` (ROWS,) the value of each row's first remaining leaf in one tree."""
    value = np.full(ROWS, ends[-1])
    for leaf in range(len(ends) - 2, -1, -1):
        end, bit = ends[leaf], np.uint32(1) << np.uint32(leaf)
        for row in range(ROWS):
            value[row] = end if left[row] & bit else value[row]
    for row in range(ROWS):
        total[row] += value[row]
