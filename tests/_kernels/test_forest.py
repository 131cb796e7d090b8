"""Trees score as LightGBM scores them, but for rounding, whatever the features."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata._kernels.forest import MOST_LEAVES, ROWS, ROWS_OF_A_THREAD, Forest


def _learned(seed: int, leaves: int, rounds: int, unknown: float, n: int = 600) -> tuple[lightgbm.Booster, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 7)).astype(np.float32)
    features[:, 1] = np.round(features[:, 1])  # thresholds beside values that occur
    features[:, 2] = np.maximum(features[:, 2], 0)
    side = features[:, 3] > 0
    features[:, 3] = np.where(side, np.nextafter(TENTH, np.float32(1)), TENTH)  # no float32 lies between
    wanted = features[:, 0] * features[:, 1] + features[:, 2] + side
    features[:, 4:][rng.random((n, 3)) < unknown] = np.nan
    settings = {"num_leaves": leaves, "min_data_in_leaf": 2, "verbose": -1, "seed": seed, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(features, wanted, params={"verbose": -1}), rounds), features


TENTH = np.float32(0.1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), leaves=st.integers(2, MOST_LEAVES), rounds=st.integers(1, 30),
    unknown=st.sampled_from([0.0, 0.3]), n=st.sampled_from([0, 1, ROWS - 1, ROWS, ROWS + 1]),
)  # fmt: skip
def test_scores_are_lightgbms(seed: int, leaves: int, rounds: int, unknown: float, n: int) -> None:
    """Also of values that occur among the thresholds, of NaN where none was learned from, and of infinity."""
    booster, features = _learned(seed, leaves, rounds, unknown)
    asked = features[:n].copy()
    rng = np.random.default_rng(seed)
    for value in (np.nan, np.inf, -np.inf, 0.0):
        asked[rng.random(asked.shape) < 0.05] = value
    wanted = booster.predict(asked) if n else np.zeros(0)
    np.testing.assert_allclose(Forest.of(booster).scores(asked), wanted, rtol=1e-12, atol=1e-12)


def test_many_rows_are_shared_among_threads() -> None:
    """Where one thread's rows end changes nothing."""
    booster, features = _learned(1, 8, 10, 0.3)
    asked = np.tile(features, (2 * ROWS_OF_A_THREAD // len(features) + 2, 1))
    scores = Forest.of(booster).scores(asked)
    np.testing.assert_array_equal(scores, np.tile(scores[: len(features)], len(asked) // len(features)))
    np.testing.assert_allclose(scores, booster.predict(asked), rtol=1e-12)


def test_trees_that_cannot_be_read_are_refused() -> None:
    """More leaves than bits, or tests for categories, would give wrong scores."""
    booster, features = _learned(1, MOST_LEAVES + 1, 2, 0.0)
    with pytest.raises(ValueError, match=f"{MOST_LEAVES} are the most"):
        Forest.of(booster)
    categories = np.round(np.abs(features[:, :1]) * 4)
    data = lightgbm.Dataset(categories, categories[:, 0] % 3, categorical_feature=[0], params={"verbose": -1})
    booster = lightgbm.train({"num_leaves": 4, "min_data_in_leaf": 2, "verbose": -1}, data, 2)
    with pytest.raises(ValueError, match="not read here"):
        Forest.of(booster)
