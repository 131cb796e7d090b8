"""Predicted ratings: they find what was planted, stay on the scale, follow what a person rated, and know no future."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from strata.data.ratings import Ratings
from strata.data.schema import BEHAVIOUR, ITEM_ROW, TIME, TIMESTAMP, USER_ROW, USERS, VALUE
from strata.data.stated_groups import groups_of
from strata.data.weights import RatingSettings
from strata.embeddings.vectors import unit
from strata.evaluation.ratings import FACTORISED, OURS, auc, judge_ratings, ratings_markdown, simple_predictions
from strata.models.predicted_ratings import (
    PredictedRatings,
    RatingModelSettings,
    none_predicted,
    predicted_by,
    tune_factors,
    why_none,
)
from strata.models.rating_factors import RatingFactors
from strata.models.rating_signs import ItemFacts

N_USERS, N_ITEMS, N = 120, 60, 4_000
SCALE, HOW = RatingSettings(), RatingModelSettings(windows=3)
CHOSEN = {"factors": 4, "shrink": 1, "penalty": 5}


def made() -> tuple[Ratings, ItemFacts, sparse.csr_matrix, np.ndarray]:
    """Ratings in two tastes: who likes the first half of the items dislikes the second; what each would give (u, i)."""
    rng = np.random.default_rng(2)
    taste, kind = rng.choice([-1, 1], N_USERS), np.where(np.arange(N_ITEMS) < N_ITEMS // 2, 1, -1)
    true = 3 + rng.normal(0, 0.4, N_ITEMS) + 1.2 * taste[:, None] * kind
    pairs = rng.permutation(N_USERS * N_ITEMS)[:N]
    users, items = np.divmod(pairs, N_ITEMS)
    values = np.clip(np.round(true[users, items] + rng.normal(0, 0.4, N)), 1, 5)
    ratings = Ratings(users.astype(np.int32), items.astype(np.int32), values, np.arange(N) * 3600.0, N_USERS, N_ITEMS)
    vectors = unit(np.eye(2)[(kind < 0).astype(int)] @ np.eye(2, 8) + 0.1 * rng.normal(size=(N_ITEMS, 8)))
    classes = sparse.csr_matrix(np.eye(2)[(kind < 0).astype(int)])
    groups = sparse.csr_matrix(np.eye(2)[(taste > 0).astype(int)])
    return ratings, ItemFacts(vectors, classes), groups, true


RATINGS, FACTS, GROUPS, TRUE = made()
MIDDLE = 3_000 * 3600.0
MODEL = PredictedRatings.fit(RATINGS, MIDDLE, FACTS, GROUPS, CHOSEN, SCALE, HOW)


def rmse(predicted: np.ndarray, values: np.ndarray) -> float:
    return float(np.sqrt(((predicted - values) ** 2).mean()))


def test_predictions_are_nearer_than_means_and_not_farther_than_the_factorisation() -> None:
    past, seen = RATINGS.before(MIDDLE), RATINGS.between(MIDDLE, 1e12)
    asked = seen.users, seen.items
    predictions = simple_predictions(past, *asked)
    predictions[FACTORISED] = predicted_by(MODEL.signs.factors, past, *asked)
    predictions[OURS] = MODEL.of_users(*asked)
    report = judge_ratings(predictions, past, seen, SCALE)
    errors = {name: found["slices"]["all"]["rmse"] for name, found in report["methods"].items()}
    assert errors[OURS] == pytest.approx(rmse(predictions[OURS], seen.values), abs=1e-6)
    assert errors[OURS] < 0.7 < min(errors[name] for name in ("global mean", "user mean", "item mean"))
    assert errors[OURS] <= errors[FACTORISED] + 0.02
    assert report["methods"][OURS]["auc"] > 0.9
    shown = ratings_markdown(report)
    assert f"| **{OURS}** | {errors[OURS]:.4f} |" in shown
    assert sum(report["ratings"][name] for name in ("head items", "tail items")) == len(seen)


def test_every_prediction_is_on_the_scale() -> None:
    users, items = (part.ravel() for part in np.meshgrid(np.arange(N_USERS), np.arange(N_ITEMS)))
    found = MODEL.of_users(users, items)
    assert found.min() >= SCALE.lowest
    assert found.max() <= SCALE.highest
    assert np.corrcoef(found, TRUE[users, items])[0, 1] > 0.85


def test_a_visitor_is_predicted_as_a_user_with_the_same_ratings_who_states_nothing() -> None:
    everything = np.arange(N_ITEMS)
    silent = PredictedRatings.fit(RATINGS, MIDDLE, FACTS, sparse.csr_matrix((N_USERS, 0)), CHOSEN, SCALE, HOW)
    mine = silent.signs.given[7]
    visitor = silent.of_visitor(mine.indices, mine.data, everything)
    np.testing.assert_allclose(visitor, silent.of_users(np.full(N_ITEMS, 7), everything))


def test_better_ratings_of_alike_items_raise_what_is_predicted() -> None:
    asked, rated = np.array([0]), np.arange(1, 6)
    low, middle, high = (MODEL.of_visitor(rated, np.full(5, value), asked)[0] for value in (1.0, 3.0, 5.0))
    assert low < middle < high
    nobody = MODEL.of_visitor(np.zeros(0, np.int64), np.zeros(0), np.arange(N_ITEMS))
    assert np.corrcoef(nobody, TRUE.mean(0))[0, 1] > 0.5


def test_what_comes_later_changes_nothing() -> None:
    later = RATINGS.times >= MIDDLE
    turned = Ratings(
        RATINGS.users, RATINGS.items, np.where(later, 6 - RATINGS.values, RATINGS.values), RATINGS.times,
        N_USERS, N_ITEMS,
    )  # fmt: skip
    again = PredictedRatings.fit(turned, MIDDLE, FACTS, GROUPS, CHOSEN, SCALE, HOW)
    np.testing.assert_array_equal(again.weights, MODEL.weights)
    np.testing.assert_array_equal(
        again.of_users(np.arange(9), np.arange(9)), MODEL.of_users(np.arange(9), np.arange(9))
    )


def test_a_model_predicts_the_same_after_a_round_trip(tmp_path: Path) -> None:
    MODEL.write(tmp_path / "ratings", {"chosen": CHOSEN})
    read = PredictedRatings.read(tmp_path / "ratings", lambda: FACTS)
    assert read is not None
    users, items = np.arange(50), np.arange(50)
    np.testing.assert_allclose(read.of_users(users, items), MODEL.of_users(users, items), atol=1e-4)
    assert why_none(tmp_path / "ratings") == ""


def test_without_ratings_it_says_why(tmp_path: Path) -> None:
    none_predicted(tmp_path / "ratings", "its data has 3 ratings")
    assert PredictedRatings.read(tmp_path / "ratings", lambda: FACTS) is None
    assert why_none(tmp_path / "ratings") == "its data has 3 ratings"
    assert PredictedRatings.read(tmp_path / "nothing", lambda: FACTS) is None


def test_factors_solve_for_biases_and_tastes() -> None:
    factors = RatingFactors.fit(RATINGS, factors=2, shrink=0, penalty=1, seed=1)
    users, items = (part.ravel() for part in np.meshgrid(np.arange(N_USERS), np.arange(N_ITEMS)))
    assert rmse(predicted_by(factors, RATINGS, users, items), TRUE[users, items]) < 0.3
    chosen, tried = tune_factors(RATINGS, MIDDLE, 1e12, [CHOSEN, CHOSEN | {"penalty": 1e6}], 7)
    assert chosen == CHOSEN
    assert tried[0]["rmse"] < tried[1]["rmse"]


def test_only_the_latest_rating_of_an_item_counts_and_other_events_none(tmp_path: Path) -> None:
    rows = {USER_ROW: [0, 0, 0, 1], ITEM_ROW: [1, 1, 0, 1], BEHAVIOUR: ["rate", "rate", "view", "rate"],
            TIMESTAMP: [1, 2, 3, 4], VALUE: [1.0, 9.0, 4.0, None]}  # fmt: skip
    pl.DataFrame(rows).with_columns(pl.col(TIMESTAMP).cast(TIME)).write_parquet(tmp_path / "events.parquet")
    found = Ratings.read(tmp_path / "events.parquet", SCALE, n_users=2, n_items=2)
    assert (found.users.tolist(), found.items.tolist(), found.values.tolist()) == ([0], [1], [5.0])


def test_groups_are_what_many_state_and_numbers_are_cut_into_ranges() -> None:
    stated = [
        [{"key": "age", "value": str(n)}, {"key": "job", "value": "nurse" if n % 2 else f"rare {n}"}]
        for n in range(150)
    ]
    accounts = pl.DataFrame([{"user_id": str(n), "attributes": each} for n, each in enumerate(stated)] + [
        {"user_id": "z", "attributes": []}], schema=USERS)  # fmt: skip
    groups = groups_of(accounts).toarray()
    assert groups.shape == (151, 7)  # six ranges of ages, and nurses
    assert groups[:150, :6].sum(1).tolist() == [1.0] * 150
    assert groups[:, 6].sum() == 75
    assert not groups[150].any()


def test_auc_counts_pairs_in_order() -> None:
    scores, positive = np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False])
    assert auc(scores, positive) == pytest.approx(3.5 / 4)
    assert auc(scores, np.ones(4, bool)) == 0.5
