"""Scores of gradient-boosted trees for many rows at a time: to the last bit LightGBM's own, at a fraction of its time.

LightGBM walks every row down every tree, and each step is a branch that a processor cannot foretell. Here each test of
a tree is made for a block of rows at once and rules out, for those that fail it, the leaves to its left; the first
leaf that remains is where a row ends (QuickScorer, Lucchese et al., SIGIR 2015).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import lightgbm
import numpy as np

from strata.compiled import compiled

MOST_LEAVES: Final = 32
"""Of one tree: each is a bit."""
ALL: Final = 2**MOST_LEAVES - 1
ROWS: Final = 256
"""Rows of a block, whose signals stay in the processor's cache."""
ROWS_OF_A_THREAD: Final = 16_384
"""Starting threads for fewer takes longer than the work."""


@dataclass(frozen=True)
class Forest:
    """T trees with N tests and L leaves between them, as flat arrays.

    A row goes right where signal `features` (N,) is above `thresholds` (N,) float32, and where it is NaN unless
    `unknown_left` (N,); that leaves it the leaves whose bits are set in `masks` (N,) uint32. Tree t owns the tests
    `tests[t]:tests[t + 1]` and the leaves `leaves[t]:leaves[t + 1]`, left to right, of `values` (L,) float64.
    """

    features: np.ndarray
    thresholds: np.ndarray
    unknown_left: np.ndarray
    masks: np.ndarray
    tests: np.ndarray
    leaves: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, *boosters: lightgbm.Booster, trees: int | None = None) -> Self:
        """Read trees of numbers, of at most MOST_LEAVES leaves, all or each one's first; ValueError for others."""
        tests: list[Test] = []
        values: list[float] = []
        starts = [(0, 0)]
        for tree in (tree for booster in boosters for tree in booster.dump_model(trees)["tree_info"]):
            its_tests, its_values = _read(tree["tree_structure"])
            if len(its_values) > MOST_LEAVES:
                raise ValueError(f"a tree has {len(its_values)} leaves; {MOST_LEAVES} are the most")
            tests += its_tests
            values += its_values
            starts.append((len(tests), len(values)))
        features, thresholds, unknown_left, masks = zip(*tests, strict=True) if tests else ((),) * 4
        of_tests, of_leaves = np.array(starts, np.int64).T.copy()
        return cls(
            np.array(features, np.int64), np.array(thresholds, np.float32), np.array(unknown_left, np.bool_),
            np.array(masks, np.uint32), of_tests, of_leaves, np.array(values, np.float64),
        )  # fmt: skip

    def scores(self, signals: np.ndarray) -> np.ndarray:
        """Sum over the trees of each row of `signals` (n, F), read as float32: (n,)."""
        signals = np.ascontiguousarray(signals, np.float32)
        found, kernel = np.zeros(len(signals)), compiled(_kernel, error_model="numpy")
        trees = (
            self.features, self.thresholds, self.unknown_left, self.masks, self.tests, self.leaves, self.values
        )  # fmt: skip

        def fill(start: int) -> None:
            part = slice(start, start + ROWS_OF_A_THREAD)
            kernel(signals[part], *trees, found[part])

        if len(signals) <= ROWS_OF_A_THREAD:
            fill(0)
            return found
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            list(threads.map(fill, range(0, len(signals), ROWS_OF_A_THREAD)))
        return found


class Test(NamedTuple):
    """One inner node: what `Forest` holds of it."""

    feature: int
    threshold: np.float32
    unknown_left: bool
    mask: int


def _read(node: dict[str, Any], first: int = 0) -> tuple[list[Test], list[float]]:
    """Tests below a node and the values of its leaves, left to right; `first`: leaves of its tree before these."""
    if "leaf_value" in node:
        return [], [node["leaf_value"]]
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise ValueError(f"trees test for {node['decision_type']}, unknown is {node['missing_type']}: not read here")
    tests_left, left = _read(node["left_child"], first)
    tests_right, right = _read(node["right_child"], first + len(left))
    exact = node["threshold"]
    with np.errstate(over="ignore", under="ignore"):
        threshold = np.float32(exact)
        if threshold > exact:  # float32 signals that pass are at most the number below it
            threshold = np.nextafter(threshold, np.float32(-np.inf))
    # Where learning saw no NaN, LightGBM reads it as 0.
    unknown_left = node["default_left"] if node["missing_type"] == "NaN" else exact >= 0
    mask = ALL & ~(((1 << len(left)) - 1) << first)
    test = Test(node["split_feature"], threshold, bool(unknown_left), mask)
    return [test, *tests_left, *tests_right], left + right


def _kernel(
    signals: np.ndarray,
    features: np.ndarray, thresholds: np.ndarray, unknown_left: np.ndarray, masks: np.ndarray,
    tests: np.ndarray, leaves: np.ndarray, values: np.ndarray,
    found: np.ndarray,
) -> None:  # fmt: skip
    """Fill `found` (n,) with the sum of the trees' values; all inner loops are over rows, free of branches."""
    n, n_signals = signals.shape
    turned = np.zeros((n_signals, ROWS), np.float32)  # a signal's rows side by side, as vector registers want them
    open_leaves, everything = np.empty(ROWS, np.uint32), np.uint32(ALL)
    value, total = np.empty(ROWS), np.empty(ROWS)
    for start in range(0, n, ROWS):
        part = signals[start : start + ROWS]
        turned[:, : len(part)] = part.T
        total[:] = 0
        for tree in range(len(leaves) - 1):
            open_leaves[:] = everything
            for test in range(tests[tree], tests[tree + 1]):
                known, threshold, mask = turned[features[test]], thresholds[test], masks[test]
                if unknown_left[test]:
                    for row in range(ROWS):
                        open_leaves[row] &= mask if known[row] > threshold else everything
                else:
                    for row in range(ROWS):
                        open_leaves[row] &= everything if known[row] <= threshold else mask
            ends = values[leaves[tree] : leaves[tree + 1]]
            value[:] = ends[-1]
            for leaf in range(len(ends) - 2, -1, -1):
                end, bit = ends[leaf], np.uint32(1) << np.uint32(leaf)
                for row in range(ROWS):
                    value[row] = end if open_leaves[row] & bit else value[row]
            for row in range(ROWS):
                total[row] += value[row]
        found[start : start + ROWS] = total[: len(part)]
