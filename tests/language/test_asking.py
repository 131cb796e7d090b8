"""A search is read for what it names, what it should be like, and its years."""

import pytest

from strata.language.asking import read_asked
from strata.language.years import Years


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("like Star Wars", "Star Wars"),
        ("Films similar to The Godfather, please", "The Godfather"),
        ("I really liked Heat", "Heat"),
        ("in the vein of 'Fargo'", "Fargo"),
        ("something like Alien but funny", "Alien"),
        ("像Star Wars一样的电影", "Star Wars"),
        ("类似霸王别姬的片子", "霸王别姬"),
        ("有没有跟活着差不多的", "活着"),
        ("《大话西游》那样的喜剧", "大话西游"),
        ("space opera", ""),
        ("likeable rogues", ""),
        ("想看关于猫的电影", ""),
    ],
)
def test_what_something_should_be_like_is_found_in_both_languages(text: str, like: str) -> None:
    assert read_asked(text).like == like


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("musicals before 1960", None, 1959),
        ("anything after 1990", 1991, None),
        ("comedies of the thirties and forties", 1930, 1949),
        ("80s action", 1980, 1989),
        ("the 1970s", 1970, 1979),
        ("between 1985 and 1988", 1985, 1988),
        ("horror from 1994", 1994, 1994),
        ("九十年代的科幻片", 1990, 1999),
        ("80年代", 1980, 1989),
        ("2010年以后的", 2011, None),
        ("1960年以前的歌舞片", None, 1959),
    ],
)
def test_years_are_read_in_both_languages(text: str, first: int | None, last: int | None) -> None:
    assert read_asked(text).years == Years(first, last)


@pytest.mark.parametrize("text", ["2001: A Space Odyssey", "20,000 Leagues", "Apollo 13", "Se7en", "100 dalmatians"])
def test_a_number_in_a_title_is_no_year(text: str) -> None:
    asked = read_asked(text)
    assert not asked.years
    assert asked.words == text


def test_only_what_is_looked_for_is_left_of_the_words() -> None:
    assert read_asked("Please recommend me some movies, submarine").words == "submarine"
    assert read_asked("请推荐几部恐怖电影").words == "恐怖"
    assert read_asked("movies").words == "movies", "there is nothing else to look for"
