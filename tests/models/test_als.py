"""Matrix factors: what they learn, whom they can score, and what they say led to an item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from strata.data.history import History
from strata.models.als import Als
from strata.models.item_model import weigh

N_USERS, N_ITEMS = 60, 25


def two_circles(seed: int, share: float = 0.5) -> History:
    """Half of the users choose among the first twelve items, half among the next twelve; nobody the last."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((N_USERS, 12)) < share)
    items = items + 12 * (users % 2)
    return History.from_columns(
        users, items, rng.random(len(users)) * 1e6, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS
    )


def fitted(history: History, half_life: float | None = None) -> Als:
    return Als.fit(history, factors=4, penalty=1.0, alpha=2.0, half_life=half_life, rounds=10, seed=7)


@pytest.mark.parametrize("half_life", [None, 5.0])
def test_each_circle_is_shown_its_own(half_life: float | None) -> None:
    history = two_circles(1)
    scores = fitted(history, half_life).scores(weigh(history, half_life))
    circles = np.stack([scores[:, :12], scores[:, 12:24]], axis=1)
    user = np.arange(N_USERS)
    assert (circles[user, user % 2].mean(1) > 3 * circles[user, 1 - user % 2].mean(1)).all()
    assert not scores[:, 24].any()  # nobody chose it


def test_a_history_scores_as_the_users_own_factors_do() -> None:
    """What is worked out from a history is what the library that learned the items gives for the user."""
    history = two_circles(2)
    model = fitted(history)
    confidence = history.matrix().astype(np.float32)
    confidence.data = 1 + model.alpha * confidence.data
    with threadpool_limits(1, "blas"):
        theirs = AlternatingLeastSquares(factors=4, regularization=1.0)
        theirs.item_factors = model.factors
        users = theirs.recalculate_user(np.arange(N_USERS), confidence)
    np.testing.assert_allclose(model.scores(weigh(history, None)), users @ model.factors.T, atol=1e-4)


@given(st.integers(0, 2**16))
def test_what_spoke_for_an_item_adds_up_to_its_score(seed: int) -> None:
    history = two_circles(seed)
    model = fitted(history)
    user = seed % N_USERS
    chosen = history.items[history.of(user)]
    scores = model.scores(weigh(history, None))[user]
    for item in (0, 12, 24):
        assert model.between(np.unique(chosen), item).sum() == pytest.approx(scores[item], abs=1e-3)


def test_one_user_scores_alone_as_among_others_to_the_last_bit() -> None:
    """Items that the same people chose differ by rounding alone, which a scale from worst to best would blow up."""
    history = two_circles(5)
    model, matrix = fitted(history), weigh(history, None)
    together = model.scores(matrix)
    for user in range(N_USERS):
        assert np.array_equal(model.scores(matrix[user]), together[[user]])


def test_somebody_without_a_history_scores_nothing() -> None:
    history = two_circles(3)
    nobody = History.from_columns(*np.zeros((4, 0)), n_users=2, n_items=N_ITEMS)
    assert not fitted(history).scores(weigh(nobody, None)).any()


def test_the_same_history_gives_the_same_factors() -> None:
    assert np.array_equal(fitted(two_circles(4)).factors, fitted(two_circles(4)).factors)
