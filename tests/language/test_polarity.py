"""One clause: for, against or neither, and what it is about, in English and Chinese."""

import pytest

from strata.language.polarity import read

CLAUSES = {
    "plain": [("I love comedies", "for", "comedies"), ("我喜欢科幻电影", "for", "科幻电影")],
    "plain against": [("I hate horror", "against", "horror"), ("不喜欢爱情片", "against", "爱情片")],
    "negation": [
        ("I'm not a fan of war films", "against", "war films"),
        ("Musicals aren’t my thing", "against", "Musicals"),
        ("I don't think I like gin", "against", "gin"),
        ("对战争片不太感兴趣", "against", "战争片"),
    ],
    "double negation": [
        ("I don't dislike westerns", "for", "westerns"),
        ("I wouldn't say no to a stout", "for", "stout"),
        ("不是不喜欢动作片", "for", "动作片"),
        ("谁会不喜欢宫崎骏", "for", "宫崎骏"),
    ],
    "not bad": [("westerns are not bad", "for", "westerns"), ("科幻片还不错", "for", "科幻片")],
    "refusal": [
        ("no horror please", "against", "horror"),
        ("别再推荐恐怖片", "against", "恐怖片"),
        ("Stop showing me rom-coms", "against", "rom-coms"),
        ("Enough of superhero films already", "against", "superhero films"),
    ],
    "gave up": [
        ("I used to love horror", "against", "horror"),
        ("恐怖片看不下去", "against", "恐怖片"),
        ("I could do without romance", "against", "romance"),
    ],
    "no end": [("Nothing beats a good western", "for", "western"), ("动画片百看不厌", "for", "动画片")],
    "lukewarm": [("Comedies are so-so", "neutral", "Comedies"), ("恐怖片我觉得一般", "neutral", "恐怖片")],
    "others": [("My sister loves horror", "neutral", "horror")],
    "a mention": [("space opera", "neutral", "space opera"), ("爱情片", "neutral", "爱情片")],
}


@pytest.mark.parametrize(
    ("clause", "polarity", "about"), [case for cases in CLAUSES.values() for case in cases], ids=lambda each: each
)
def test_a_clause_is_read_for_its_polarity_and_its_thing(clause: str, polarity: str, about: str) -> None:
    reading = read(clause)
    assert (reading.polarity, reading.about) == (polarity, about)


@pytest.mark.parametrize("clause", ["Is this available in German?", "你们有多少部电影？", "The film runs two hours"])
def test_facts_and_questions_speak_neither_for_nor_against(clause: str) -> None:
    assert (read(clause).polarity, read(clause).cue) == ("neutral", None)


@pytest.mark.parametrize("clause", ["Thanks a lot!", "请", "", "  …", "please", "!!!"])
def test_politeness_and_signs_are_about_nothing(clause: str) -> None:
    assert read(clause).about == ""
