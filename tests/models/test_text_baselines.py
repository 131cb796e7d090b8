"""TF-IDF ranks by the words of what a user had."""

import numpy as np

from strata.data.history import DAY, History
from strata.models.settings import MeanVectorGrid
from strata.models.text_baselines import tfidf

WORDS = [["red", "wine"], ["white", "wine"], ["war", "film"], ["film", "music"], []]
GRID = MeanVectorGrid(half_life=(1.0,))


def history(*chosen: int) -> History:
    """One user's choices, a day apart, and a second user without any."""
    times = np.arange(len(chosen)) * DAY
    return History.from_columns(
        np.zeros(len(chosen), int), np.array(chosen), times, np.ones(len(chosen)), n_users=2, n_items=len(WORDS)
    )


def test_items_that_share_words_come_first_and_silent_users_score_nothing() -> None:
    scores = tfidf(WORDS, GRID).fit(history(0), DAY, half_life=None)(np.array([0, 1]))
    assert np.argsort(-scores[0]).tolist()[:2] == [0, 1]
    assert not scores[0, 2:].any()
    assert not scores[1].any()


def test_what_was_chosen_last_counts_most() -> None:
    model = tfidf(WORDS, GRID)
    scores = model.fit(history(1, 2), 2 * DAY, half_life=1.0)(np.array([0]))[0]
    assert scores[3] > scores[0]
    scores = model.fit(history(2, 1), 2 * DAY, half_life=1.0)(np.array([0]))[0]
    assert scores[0] > scores[3]


def test_a_catalogue_without_words_scores_nothing() -> None:
    model = tfidf([[] for _ in WORDS], GRID)
    assert not model.fit(history(0), DAY, half_life=None)(np.array([0])).any()
