"""The class head: it learns what can be told apart, is as often right as it says, and fills only gaps."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from strata.data.filters import Filters
from strata.data.inferred import Inferred, table_of
from strata.embeddings.class_head import ClassHead, HeadSettings
from strata.embeddings.class_labels import ClassLabels, named, texts_without_classes
from strata.embeddings.learning_classes import Examples, learn
from strata.embeddings.vectors import unit
from strata.evaluation.classification import calibration_error, macro_f1
from tests.strategies import catalogue

CLASSES = ("jazz", "opera", "rock")
HOW = HeadSettings(least_items=3, epochs=4, batch=512, folds=2)


def made(n: int, noise: float, second: float = 0.2) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Vectors (n, 16) around one centre for each class, and labels: one class each, for some (`second`) maybe two."""
    rng = np.random.default_rng(1)
    first = rng.integers(len(CLASSES), size=n)
    labels = np.eye(len(CLASSES), dtype=bool)[first]
    labels[np.arange(n), rng.integers(len(CLASSES), size=n)] |= rng.random(n) < second
    centres = np.eye(len(CLASSES), 16)
    return unit(labels @ centres + noise * rng.normal(size=(n, 16))), sparse.csr_matrix(labels)


def labels_of(given: sparse.csr_matrix) -> ClassLabels:
    return ClassLabels(CLASSES, given, np.asarray(given.sum(1)).ravel() > 0, given.shape[0])


def test_separable_classes_are_told() -> None:
    vectors, labels = made(400, 0.02, second=0)
    head = ClassHead.fit(vectors[:300], labels[:300], CLASSES, HOW)
    assert macro_f1(head.confidences(vectors[300:]) >= 0.5, labels[300:].toarray()) > 0.97


def test_confidence_is_the_share_that_is_right_on_items_it_has_not_seen() -> None:
    vectors, labels = made(3000, 0.5)
    known, unseen = np.arange(1500), np.arange(1500, 3000)
    examples = Examples.of(vectors, known, np.zeros((0, 16)), np.zeros(0, np.int64))
    head, facts = learn(examples, labels_of(labels), np.eye(3, 16, dtype=np.float32), HOW)
    sure, right = head.confidences(vectors[unseen]), labels[unseen].toarray()
    assert 0.2 < sure.mean() < 0.6, "the classes are so easy or hard that any confidence would do"
    assert calibration_error(sure.ravel(), right.ravel()) < 0.04
    assert facts["items"]["n"] == len(known)
    assert facts["items"]["macro_f1"] == pytest.approx(macro_f1(sure >= head.thresholds["items"], right), abs=0.06)


def test_texts_of_users_are_calibrated_by_their_own() -> None:
    """They say less of their item than its own text does: the same raw confidence means less."""
    vectors, labels = made(600, 0.1)
    rng = np.random.default_rng(3)
    of_texts = rng.integers(600, size=1200)
    idle = rng.random(1200) < 0.5
    texts = unit(np.where(idle[:, None], rng.normal(size=(1200, 16)), vectors[of_texts]))
    examples = Examples.of(vectors, np.arange(600), texts, of_texts)
    head, facts = learn(examples, labels_of(labels), np.eye(3, 16, dtype=np.float32), HOW)
    assert head.calibration["items"] != head.calibration["texts"]
    assert facts["texts"]["calibration_error"] < 0.12
    assert facts["texts"]["macro_f1"] < facts["items"]["macro_f1"]


def test_a_head_is_the_same_after_a_round_trip_and_for_the_same_seed(tmp_path: Path) -> None:
    vectors, labels = made(100, 0.2)
    examples = Examples.of(vectors, np.arange(100), vectors[:5], np.arange(5))
    head, again = (learn(examples, labels_of(labels), np.eye(3, 16, dtype=np.float32), HOW)[0] for _ in range(2))
    head.write(tmp_path / "head")
    np.testing.assert_array_equal(head.confidences(vectors), again.confidences(vectors))
    np.testing.assert_array_equal(
        ClassHead.read(tmp_path / "head").confidences(vectors, "texts"), head.confidences(vectors, "texts")
    )


def test_only_classes_of_enough_items_are_learned_and_items_without_any_are_known() -> None:
    column = pl.Series([["a", "b"], ["a"], [], None, ["a", "rare"], ["rare"]], dtype=pl.List(pl.String))
    labels = ClassLabels.of(column, least=3)
    assert labels.classes == ("a",)
    assert labels.of_item.toarray().ravel().tolist() == [True, True, False, False, True, False]
    assert labels.given.tolist() == [True, True, False, False, True, True]
    assert ClassLabels.of(column, least=3, learned_from=np.array([0, 1, 1, 1, 1, 1], bool)).classes == ()
    assert ClassLabels.of(column, least=9).most == 3


def test_the_text_that_is_classified_does_not_name_the_classes() -> None:
    items = catalogue()
    told = {name for names in items["categories"].to_list() for name in names}
    assert told
    for text, title in zip(texts_without_classes(items), items["title"], strict=True):
        assert not [name for name in told if name in text.replace(title or "", "")]


def test_the_surest_classes_come_first() -> None:
    found = named(("a", "b", "c"), np.array([[0.4, 0.9, 0.1], [0.0, 0.1, 0.2]]), 0.3)
    assert found == [[("b", 0.9), ("a", 0.4)], []]


def test_a_filter_takes_inferred_categories_only_where_that_is_asked() -> None:
    from strata.data.catalogue import Catalogue

    items = catalogue().with_columns(
        pl.when(pl.col("item_id") == pl.col("item_id").first()).then([]).otherwise("categories").alias("categories")
    )
    shop = Catalogue(items)
    first, category = shop.ids[0], items["categories"].to_list()[1][0]
    inferred = Inferred(table_of("categories", np.array([first], object), [[(category, 0.7)]]))
    given = Filters(categories=[category]).mask(shop, inferred)
    asked = Filters(categories=[category], inferred=True).mask(shop, inferred)
    assert not given[0]
    assert asked[0]
    assert (asked[1:] == given[1:]).all()
    assert inferred.of(first)[0].name == category
    assert inferred.of(shop.ids[1]) == ()
