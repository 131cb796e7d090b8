"""The table of methods: hits, and what lists have beside them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import DAY, History
from strata.embeddings.vectors import unit
from strata.evaluation.report import BESIDE, CONFIGURED, EXPECTED, OURS, EvaluateSettings, as_markdown, judge, summarise
from strata.evaluation.window import Window
from tests.strategies import DIMENSION, N_ITEMS, TIME, histories

VECTORS = unit(np.random.default_rng(7).normal(size=(N_ITEMS, DIMENSION)))
THEMES = np.arange(N_ITEMS) % 3
SETTINGS = EvaluateSettings(bootstrap=20)


def report_of(window: Window, ours: np.ndarray) -> dict:
    popular = np.tile(np.arange(10), (len(window.users), 1))
    return summarise(judge({EXPECTED: popular, OURS: ours}, window, SETTINGS.k), SETTINGS, VECTORS, THEMES)


@given(histories(positive=True), st.integers(0, 2**16))
@settings(max_examples=50)
def test_any_rankings_of_any_window_make_a_table_of_finite_figures(history: History, seed: int) -> None:
    window = Window.of(history, TIME - 200 * DAY, TIME)
    rng = np.random.default_rng(seed)
    ours = np.array([rng.permutation(N_ITEMS)[:10] for _ in window.users], int).reshape(-1, 10)
    report = report_of(window, ours)
    for method in (EXPECTED, OURS):
        assert all(np.isfinite(value) for value in report["metrics"][method].values())
        assert {f"{name}@10" for name in BESIDE} <= set(report["metrics"][method])
    assert report["metrics"][EXPECTED]["serendipity@10"] == 0
    table = as_markdown(report)
    assert table.count(f"| **{OURS}** |") == 2
    assert all(name in table for name in BESIDE)


def test_a_list_like_the_users_own_is_calibrated_and_one_of_few_themes_is_not() -> None:
    items = np.array([0, 1, 2, 3])
    history = History.from_columns(
        np.zeros(4, np.int64), items, np.array([1.0, 2.0, 3.0, 300.0]) * DAY, np.ones(4), n_users=1, n_items=N_ITEMS
    )
    window = Window.of(history, 100 * DAY, 400 * DAY)
    mixed, narrow = np.array([[3, 4, 5, 6, 7, 8, 9, 10, 11]]), np.array([[3, 6, 9]])
    alike, apart = (report_of(window, ours)["metrics"][OURS] for ours in (mixed, narrow))
    assert alike["miscalibration@10"] < 1e-6 < apart["miscalibration@10"]
    assert alike["coverage@10"] == 0.75
    assert apart["gini@10"] > alike["gini@10"]
    assert alike["serendipity@10"] == 0  # item 3 is a hit that popularity has too


def test_the_lists_that_requests_get_stand_beside_the_rankers_own_or_are_said_to_be_the_same() -> None:
    window = window_of_four()
    ours, popular = np.tile(np.arange(10), (4, 1)), np.tile(np.arange(9, -1, -1), (4, 1))
    rankings = {EXPECTED: popular, OURS: ours, CONFIGURED: popular}
    report = summarise(judge(rankings, window, SETTINGS.k), SETTINGS, VECTORS, THEMES)
    assert as_markdown(report).count(f"| **{CONFIGURED}** |") == 2
    assert report["comparison"]["best_baseline"] == EXPECTED, "what is configured is no baseline"
    same = {**report_of(window, ours), "configured": "the same lists: no rules"}
    assert f"| **{CONFIGURED}** | the same lists: no rules |" in as_markdown(same)


def test_the_baseline_that_validation_names_is_compared_even_where_another_did_better_later() -> None:
    window = window_of_four()
    hits = np.concatenate([window.relevant[row].indices[:1] for row in range(4)])[:, None]
    rankings = {EXPECTED: hits, "item-kNN": hits * 0 + 11, OURS: hits}
    report = summarise(judge(rankings, window, SETTINGS.k), SETTINGS, VECTORS, THEMES, {EXPECTED: 0.1, "item-kNN": 0.2})
    assert report["comparison"]["best_baseline"] == EXPECTED
    named = report["validation"]["comparison"]
    assert named["best_baseline"] == "item-kNN"
    assert named["low"] <= named["difference"] <= named["high"]
    assert "Strata − item-kNN (best baseline on validation)" in as_markdown(report)


def window_of_four() -> Window:
    """Four users with a past, each of whom chooses one of the first four items later."""
    users = np.tile(np.arange(4), 2)
    times = np.repeat([1.0, 300.0], 4) * DAY
    history = History.from_columns(
        users, np.append(np.arange(4, 8), np.arange(4)), times, np.ones(8), n_users=4, n_items=N_ITEMS
    )
    return Window.of(history, 100 * DAY, 400 * DAY)
