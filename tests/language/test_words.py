"""The catalogue's words, and how near clauses lie to it beside what everyday sentences do."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from strata.embeddings.vectors import unit
from strata.language.glossary import in_english
from strata.language.nearness import Nearness
from strata.language.vocabulary import Vocabulary, stem
from strata.language.words import Words, everyday_texts

ITEMS = pl.DataFrame(
    {
        "title": ["Star Trek: Generations", "Batman Forever", "Rio Bravo", "恐怖蜡像馆", "The Water"],
        "categories": [["Sci-Fi"], ["Action"], ["Western"], ["恐怖"], None],
        "tags": [["space"], None, ["red-wine"], None, ["wine"]],
    }
)
VOCABULARY = Vocabulary.of(ITEMS)
LABELS = VOCABULARY.labels["label"].to_list()


def names(about: str) -> tuple[list[str], list[int], bool]:
    named = VOCABULARY.named(about)
    return sorted(LABELS[row] for row in named.labels), named.items.tolist(), named.whole


@pytest.mark.parametrize(
    ("about", "labels", "items", "whole"),
    [
        ("westerns", ["Western"], [2], True),
        ("old westerns", ["Western"], [2], False),
        ("wine", ["red-wine", "wine"], [2, 4], True),
        ("star trek films", [], [0], True),
        ("batman", [], [1], True),
        ("恐怖片", ["恐怖"], [3], True),
        ("tax forms", [], [], False),
        ("12345", [], [], False),
    ],
)
def test_labels_and_titles_are_named_in_any_number(
    about: str, labels: list[str], items: list[int], *, whole: bool
) -> None:
    assert names(about) == (labels, items, whole)


@pytest.mark.parametrize(
    ("word", "expected"), [("comedies", "comedy"), ("glasses", "glass"), ("films", "film"), ("bus", "bus")]
)
def test_stems_have_no_plural(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_chinese_words_are_put_into_the_english_of_a_catalogue() -> None:
    assert in_english("恐怖片") == "horror"
    assert in_english("没有这个词") == ""


def words_of(rng: np.random.Generator) -> tuple[Words, np.ndarray]:
    """Items along the first axis, everyday sentences anywhere but there."""
    texts = unit(np.eye(8)[np.zeros(len(ITEMS), int)] + 0.05 * rng.normal(size=(len(ITEMS), 8)))
    return Words.of(ITEMS, texts, lambda read: unit(rng.normal(size=(len(read), 8)) * [0.1, *[1] * 7])), texts


def test_words_are_read_as_they_were_written(tmp_path: Path) -> None:
    words, _ = words_of(np.random.default_rng(1))
    words.write(tmp_path)
    again = Words.read(tmp_path, len(ITEMS))
    assert np.array_equal(again.everyday, words.everyday)
    assert np.array_equal(again.labels, words.labels)
    assert again.named("westerns").items.tolist() == [2]
    assert again.is_sign("westerns", again.named("westerns"))
    assert not again.is_sign("water", again.named("water")), "a single word stands in titles by chance"


def test_what_lies_nearer_than_everyday_sentences_is_clear_and_they_are_not() -> None:
    words, texts = words_of(np.random.default_rng(2))
    chinese = np.array([not text.isascii() for text in everyday_texts()])
    nearness = Nearness(unit(texts.mean(0)[None]), words.labels, words.everyday, chinese)
    assert nearness.near(texts, np.zeros(len(texts), bool)).clear.all()
    assert nearness.near(texts, np.ones(len(texts), bool)).clear.all()
    assert nearness.near(words.everyday, chinese).clear.mean() <= 0.05
