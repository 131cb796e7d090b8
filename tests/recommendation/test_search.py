"""Search by words, texts and behaviour on a small shelf whose vectors say what lies near to what."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from strata._kernels.selection import NOTHING
from strata.data.catalogue import Catalogue
from strata.data.schema import ITEMS
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.vectors import unit
from strata.recommendation.search import Search
from strata.recommendation.search_settings import SearchSettings, WordSettings
from strata.recommendation.word_index import WordIndex

SHELF = [  # title, categories, description, year, place in the interest space
    ("Star Wars", ["Sci-Fi", "Action"], None, 1977, 0),
    ("Empire Strikes Back, The", ["Sci-Fi", "Action"], None, 1980, 0),
    ("Star Trek: The Motion Picture", ["Sci-Fi"], None, 1979, 0),
    ("Star Maps", ["Drama"], None, 1997, 1),
    ("Trappist beers of Belgium", ["brewing"], "Which abbeys sell?", 2014, 2),
    ("Monks", ["history"], "Their life. Once a beer was brewed for Lent.", 2013, 2),
    ("霸王别姬", ["剧情"], "京剧演员的一生", 1993, 3),
    ("猫的家", ["动物"], "养猫的人", 2001, 4),
    ("Les Misérables", ["Musical"], None, 1998, 5),
    ("Batman", ["Action"], None, 1989, 6),
    ("Batman Returns", ["Action"], None, 1992, 6),
    ("Film-maker's diary", ["Film-Noir"], None, 1950, 7),
    ("Dark alley", ["Film-Noir"], None, 1948, 7),
]
D, T = 8, 256


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    fields = ("item_id", "title", "description", "categories", "tags", "brand", "language", "created_at")
    rows = [
        (f"i{n:02}", title, said, kinds, [], None, "en", datetime(year, 6, 1, tzinfo=UTC))
        for n, (title, kinds, said, year, _) in enumerate(SHELF)
    ]
    schema = {name: ITEMS[name] for name in fields}
    return Catalogue(pl.DataFrame(rows, schema=schema, orient="row"))


@pytest.fixture(scope="module")
def search(catalogue: Catalogue) -> Search:
    """The texts lie at random, so that words and behaviour decide; the space has a direction for each place."""
    rng = np.random.default_rng(3)
    texts = unit(rng.normal(size=(len(SHELF), T)).astype(np.float32))
    places = np.eye(D, dtype=np.float32)[[place for *_, place in SHELF]]
    words = WordIndex.build(catalogue.items, WordSettings())
    index = (ItemIndex.build(vectors, IndexSettings()) for vectors in (texts, places))
    return Search.of(words, *index, catalogue, SearchSettings())


def titles(search: Search, text: str, k: int = 3, without: tuple[int, ...] = ()) -> list[str]:
    admitted = np.ones(len(SHELF), bool)
    admitted[list(without)] = False
    vector = unit(np.ones((1, T), np.float32))[0]
    return [search.titles[hit.row] for hit in search.find(text, vector, k, admitted)]


def test_an_exact_title_comes_first_and_then_what_its_people_choose(search: Search) -> None:
    assert titles(search, "star wars")[0] == "Star Wars"
    assert "Empire Strikes Back, The" in titles(search, "star wars"), "no word of it was said"
    assert titles(search, "the empire strikes back", 1) == ["Empire Strikes Back, The"]
    assert titles(search, "les miserables", 1) == ["Les Misérables"]


def test_a_franchise_is_found_by_its_name(search: Search) -> None:
    assert set(titles(search, "batman movies", 2)) == {"Batman", "Batman Returns"}


def test_like_a_title_gives_its_neighbours_without_itself(search: Search) -> None:
    for text in ("like Star Wars", "films similar to Star Wars", "像Star Wars一样的电影"):
        found = titles(search, text, 2)
        assert set(found) == {"Empire Strikes Back, The", "Star Trek: The Motion Picture"}
    hits = search.find("like Star Wars", np.full(T, T**-0.5, np.float32), 2, np.ones(len(SHELF), bool))
    assert [hit.like for hit in hits] == [0, 0]


def test_what_is_like_no_title_is_searched_by_its_words(search: Search) -> None:
    assert titles(search, "I love film noir", 2) == titles(search, "film noir", 2)
    hit = search.find("like nothing on this shelf", np.full(T, T**-0.5, np.float32), 1, np.ones(len(SHELF), bool))[0]
    assert hit.like == NOTHING


def test_a_category_of_two_words_is_found_as_one_name(search: Search) -> None:
    assert set(titles(search, "film noir", 2)) == {"Film-maker's diary", "Dark alley"}
    assert set(titles(search, "sci-fi", 3)) == {
        "Star Wars",
        "Empire Strikes Back, The",
        "Star Trek: The Motion Picture",
    }


def test_chinese_is_found_by_word_and_by_sign(search: Search) -> None:
    assert titles(search, "霸王别姬", 1) == ["霸王别姬"]
    assert titles(search, "京剧", 1) == ["霸王别姬"]
    assert titles(search, "想看关于猫的电影", 1) == ["猫的家"]


def test_years_put_items_of_theirs_first(search: Search) -> None:
    assert titles(search, "batman of the nineties", 1) == ["Batman Returns"]
    assert titles(search, "sci-fi from 1980", 1) == ["Empire Strikes Back, The"]


def test_unknown_words_give_the_nearest_text(search: Search, catalogue: Catalogue) -> None:
    vector = search.texts.vectors(np.array([7]))[0]
    found = search.find("xyzzy plugh", vector, 5, np.ones(len(SHELF), bool))
    assert found[0].row == 7
    assert found[0].because == "text"
    assert search.words.scores("xyzzy plugh").max() == 0


def test_what_filters_keep_out_never_comes(search: Search) -> None:
    assert "Star Wars" not in titles(search, "star wars", len(SHELF), without=(0,))
    assert titles(search, "star wars", 5, without=tuple(range(len(SHELF)))) == []
    assert len(titles(search, "star", 100)) == len(SHELF)


def test_a_reason_says_what_found_an_item(search: Search, catalogue: Catalogue) -> None:
    everything, vector = np.ones(len(SHELF), bool), unit(np.ones((1, T), np.float32))[0]
    assert search.find("star wars", vector, 1, everything)[0].reason(catalogue).generator == "title"
    reason = search.find("like star wars", vector, 1, everything)[0].reason(catalogue)
    assert (reason.text, reason.evidence) == ("like Star Wars", ("i00",))


def test_words_written_and_read_find_the_same(search: Search, tmp_path: Path) -> None:
    search.words.write(tmp_path)
    again = WordIndex.read(tmp_path, len(SHELF))
    for text in ("star wars", "beer", "京剧", "nothing of this"):
        np.testing.assert_array_equal(again.scores(text), search.words.scores(text))
        np.testing.assert_array_equal(again.named(text), search.words.named(text))


def test_an_empty_shelf_and_items_without_words_are_no_fault(catalogue: Catalogue) -> None:
    empty = WordIndex.build(catalogue.items.clear(), WordSettings())
    assert empty.scores("star").shape == (0,)
    blank = [pl.lit(None, ITEMS[name]).alias(name) for name in ("title", "categories", "description")]
    assert not WordIndex.build(catalogue.items.with_columns(blank), WordSettings()).scores("star").any()


def test_a_long_text_made_to_cost_time_is_read_at_once(search: Search) -> None:
    vector, everything = unit(np.ones((1, T), np.float32))[0], np.ones(len(SHELF), bool)
    started = time.process_time()
    for said in ("和" * 10_000, "of " * 3_000, "sci fi " * 1_500, "像" * 10_000, "like " * 2_000, "1980" * 2_500):
        assert search.find(said, vector, 3, everything)
    assert time.process_time() - started < 5
