"""Trees that order candidates: what learning them promises, whatever was learned before from the same examples."""

import numpy as np
import pytest
from pydantic import ValidationError

from strata.ranking.examples import Examples
from strata.ranking.lambdamart import LambdaMart, boost, dataset, n_fits
from strata.ranking.settings import Size, TreeSettings

RNG = np.random.default_rng(7)
TREES = TreeSettings()


def examples(users: int, rows: int = 10) -> Examples:
    """Users with some candidates each, of which those are chosen more often whose first feature is large."""
    features = RNG.normal(size=(users * rows, 4)).astype(np.float32)
    chosen = features[:, 0] + RNG.normal(size=len(features)) > 1
    queries = np.repeat(np.arange(users), rows)
    return Examples(queries, features, chosen, np.bincount(queries, chosen).astype(np.int64))


def test_sizes_tried_before_on_the_same_examples_change_nothing() -> None:
    windows = [examples(60), examples(40)]
    data = dataset(windows, TREES)
    before = boost(data, 4, 30, 1, TREES)
    again = boost(data, 8, 20, 2, TREES)
    alone = boost(dataset(windows, TREES), 8, 20, 2, TREES)
    assert again.num_trees() == 20 != before.num_trees()
    assert again.dump_model()["tree_info"] == alone.dump_model()["tree_info"]


def test_slices_are_left_out_until_enough_users_judge() -> None:
    few, many = examples(5), examples(TREES.enough, rows=1)
    tries, most = len(TREES.sizes), TREES.left_out
    assert n_fits([few] * (most + 2), TREES, apart=1, seeds=2) == most * tries + 2
    assert n_fits([few, few, many], TREES, apart=1, seeds=2) == tries + 2
    assert n_fits([many, few, few], TREES, apart=1, seeds=1) == 3 * tries + 1, "the many are the last to be left out"
    assert n_fits([few], TREES, apart=1, seeds=1) == 1, "where all are left out, nothing is learned from"


def test_trees_are_learned_as_the_settings_say() -> None:
    windows, sizes = [examples(60), examples(40), examples(50)], (Size(leaves=3, rounds=(5, 10)),)
    settings = TREES.model_copy(update={"sizes": sizes, "few_leaves": 3, "learning_rate": 0.2, "min_data_in_leaf": 2})
    trees = LambdaMart.fit(windows, list("abcd"), settings, apart=1, seeds=(1,))
    assert [(tried["leaves"], tried["rounds"]) for tried in trees.report["tried"]] == [(3, 5), (3, 10)]
    text = trees.boosters[0].model_to_string()
    assert "[learning_rate: 0.2]" in text
    assert "[min_data_in_leaf: 2]" in text
    assert trees.boosters[0].num_trees() == trees.report["chosen"]["rounds"]


def test_sizes_that_cannot_be_learned_or_computed_are_refused() -> None:
    four = {"leaves": 4, "rounds": [10]}
    for wrong, reason in (
        ({"sizes": [four]}, "few_leaves is 8, but sizes have 4 leaves"),
        ({"sizes": [four, four], "few_leaves": 4}, "two of sizes"),
        ({"sizes": [{"leaves": 64, "rounds": [10]}], "few_leaves": 64}, "less than or equal to 32"),
    ):
        with pytest.raises(ValidationError, match=reason):
            TreeSettings.model_validate(wrong)
