"""Trees that order candidates: what learning them promises, whatever was learned before from the same examples."""

import numpy as np

from strata.ranking.examples import Examples
from strata.ranking.lambdamart import ENOUGH, LEFT_OUT, SIZES, boost, dataset, n_fits

RNG = np.random.default_rng(7)


def examples(users: int, rows: int = 10) -> Examples:
    """Users with some candidates each, of which those are chosen more often whose first signal is large."""
    signals = RNG.normal(size=(users * rows, 4)).astype(np.float32)
    chosen = signals[:, 0] + RNG.normal(size=len(signals)) > 1
    queries = np.repeat(np.arange(users), rows)
    return Examples(queries, signals, chosen, np.bincount(queries, chosen).astype(np.int64))


def test_sizes_tried_before_on_the_same_examples_change_nothing() -> None:
    slices = [examples(60), examples(40)]
    data = dataset(slices)
    before = boost(data, 4, 30, seed=1)
    again = boost(data, 8, 20, seed=2)
    alone = boost(dataset(slices), 8, 20, seed=2)
    assert again.num_trees() == 20 != before.num_trees()
    assert again.dump_model()["tree_info"] == alone.dump_model()["tree_info"]


def test_slices_are_left_out_until_enough_users_judge() -> None:
    few, many = examples(5), examples(ENOUGH, rows=1)
    tries = len(SIZES)
    assert n_fits([few] * (LEFT_OUT + 2), apart=1, seeds=2) == LEFT_OUT * tries + 2
    assert n_fits([few, few, many], apart=1, seeds=2) == tries + 2
    assert n_fits([many, few, few], apart=1, seeds=1) == 3 * tries + 1, "the many are the last to be left out"
    assert n_fits([few], apart=1, seeds=1) == 1, "where all are left out, nothing is learned from"
