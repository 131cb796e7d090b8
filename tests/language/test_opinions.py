"""Whole texts: clause by clause, with what a clause leaves to its neighbours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.language.clauses import MOST, clauses, sentences
from strata.language.opinions import opinions, things


def said(text: str) -> list[tuple[str, str]]:
    return [(each.polarity, each.about) for each in opinions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I hate horror, show me comedies", [("against", "horror"), ("for", "comedies")]),
        ("something funny, no musicals", [("for", "funny"), ("against", "musicals")]),
        ("不要恐怖片，想看喜剧", [("against", "恐怖片"), ("for", "喜剧")]),
        ("anything but westerns", [("against", "westerns")]),
        ("not horror but comedy", [("against", "horror"), ("for", "comedy")]),
        ("comedies instead of dramas", [("for", "comedies"), ("against", "dramas")]),
        ("I prefer ale to lager", [("for", "ale"), ("neutral", "lager")]),
        ("除了恐怖片都行", [("against", "恐怖片")]),
        ("love stories without comedy", [("neutral", "love stories"), ("against", "comedy")]),
        ("I love musicals and hate horror", [("for", "musicals"), ("against", "horror")]),
        ("I like westerns but no romance", [("for", "westerns"), ("against", "romance")]),
    ],
)
def test_a_sentence_may_want_one_thing_and_refuse_another(text: str, expected: list[tuple[str, str]]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I hate horror, westerns and musicals", ["against"] * 3),
        ("no horror, musicals or westerns please", ["against"] * 3),
        ("no horror, comedies", ["against", "neutral"]),
        ("Horror films, they bore me", ["against"]),
        ("Westerns? No thanks.", ["against"]),
        ("恐怖片，看不下去", ["against"]),
        ("以前爱看武侠，现在不看了", ["against"]),
    ],
)
def test_clauses_without_a_thing_or_a_cue_go_with_their_neighbours(text: str, expected: list[str]) -> None:
    assert [polarity for polarity, _ in said(text)] == expected


def test_a_mention_is_told_from_an_opinion() -> None:
    mention, opinion = opinions("Retired engineer, loves the sea")
    assert (mention.said, opinion.said) == (False, True)
    assert opinion.about == "sea"


def test_names_joined_by_and_stay_whole() -> None:
    assert said("I love Beauty and the Beast") == [("for", "Beauty and the Beast")]
    assert said("slow films about space and loneliness") == [("neutral", "slow films about space and loneliness")]


def test_only_what_is_about_something_is_to_be_read_by_the_model() -> None:
    assert [each.about for each in things(["Thanks!", "no horror please", "你好，谢谢"])] == ["horror"]


@given(st.text(max_size=200))
def test_any_text_is_read_and_what_it_is_about_stands_in_it(text: str) -> None:
    found = opinions(text)
    assert len(found) <= MOST
    plain = text.replace("’", "'").replace("`", "'")
    assert all(each.about in plain for each in found)


def test_texts_are_read_sentence_by_sentence_and_clause_by_clause() -> None:
    text = "I brew at home. Fan of sour beers, mostly; no whisky! 我喜欢茶。也喜欢咖啡"
    assert sentences(text) == [
        "I brew at home.", "Fan of sour beers, mostly", "no whisky!", "我喜欢茶。", "也喜欢咖啡",
    ]  # fmt: skip
    assert [each.text for each in clauses(text)][1:3] == ["Fan of sour beers", "mostly"]
    assert sentences("Linguist") == ["Linguist"]
    assert sentences("k") == ["k"]
    assert len(clauses("no. " * 500)) == MOST
