"""What measures classes: macro-F1 and its interval, precision of the surest, and hidden labels that stay hidden."""

import numpy as np
import polars as pl
import pytest

from benchmarks.language.inferred import Hidden, calibration_interval, centroids
from benchmarks.language.judged_classes import Told, macro_interval, macro_row, precision_at, precision_rows
from benchmarks.language.text_classes import surest
from strata.data.schema import ITEMS
from strata.evaluation.classification import best_threshold, macro_f1


def cases(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, 3) that mostly follow what is true (n, 3)."""
    rng = np.random.default_rng(4)
    true = rng.random((n, 3)) < [0.5, 0.3, 0.1]
    return true + rng.normal(0, 0.4, (n, 3)), true


def test_macro_f1_is_the_mean_of_the_classes_and_lies_in_its_interval() -> None:
    scores, true = cases()
    told = scores > 0.5
    by_hand = [2 * (t & y).sum() / (t.sum() + y.sum()) for t, y in zip(told.T, true.T, strict=True)]
    assert macro_f1(told, true) == pytest.approx(np.mean(by_hand))
    found = macro_interval(told, true)
    assert found.low < found.mean == macro_f1(told, true) < found.high
    assert macro_interval(told, true, told).high == 0


def test_the_best_threshold_beats_its_neighbours() -> None:
    scores, true = cases()
    best = best_threshold(scores, true)
    assert all(
        macro_f1(scores >= best, true) >= macro_f1(scores >= best + step, true) for step in (-0.3, -0.1, 0.1, 0.3)
    )
    assert best_threshold(scores, true, least=0.9) >= 0.9


def test_rows_compare_the_first_method_with_the_best_of_the_others() -> None:
    scores, true = cases()
    noise = np.random.default_rng(1).random(true.shape)
    told = {"ours": Told(scores, 0.5), "noise": Told(noise, 0.5), "worse": Told(scores + 3 * noise, 1.5)}
    first, *others = macro_row("a-row", "What is told.", told, true)
    assert first.reference_name == "worse"
    assert first.value > (first.reference or 1)
    assert [row.id for row in others] == ["a-row-noise", "a-row-worse"]
    first, *_ = precision_rows("a-row", "What is told.", told, true, k=1)
    assert first.value == pytest.approx(precision_at(scores, true, 1).mean())


def test_nothing_told_by_chance_is_calibrated_and_sure_errors_are_not() -> None:
    rng = np.random.default_rng(2)
    sure = rng.random((500, 2))
    right = rng.random((500, 2)) < sure
    everything = np.ones((500, 2), bool)
    assert calibration_interval(sure, everything, right).mean < 0.06
    assert calibration_interval(sure, everything, ~right).low > 0.2


def test_hidden_labels_teach_nothing_and_name_nothing() -> None:
    kinds = [("red", "warm"), ("blue", "cold")] * 45
    rows = [{"item_id": f"i{n:03d}", "title": f"{look} thing", "tags": [tag]} for n, (look, tag) in enumerate(kinds)]
    items = pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)
    hidden = Hidden.of(items, "tags", 5)
    assert hidden.hides.sum() == 30
    assert hidden.labels.classes == ("cold", "warm")
    assert not [text for text in hidden.texts if "warm" in text or "cold" in text]
    told = centroids(hidden)
    assert macro_f1(told.classes, hidden.labels.of_item[np.flatnonzero(hidden.hides)].toarray()) == 1


def test_of_several_texts_the_surest_counts() -> None:
    found = surest(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.3]]), np.array([0, 0, 1]))
    assert found.tolist() == [[0.8, 0.9], [0.3, 0.3]]
