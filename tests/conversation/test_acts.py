"""What turns do beside naming things, in English and Chinese."""

import pytest

from strata.conversation.acts import Act, act_of
from strata.language.years import Years, years_of


@pytest.mark.parametrize(
    ("said", "years"),
    [
        ("films of the sixties", Years(1960, 1969)),
        ("late 80s please", Years(1986, 1989)),
        ("the 2000s", Years(2000, 2009)),
        ("90年代初的", Years(1990, 1993)),
        ("before the seventies", Years(None, 1969)),
        ("after 1995", Years(1996, None)),
        ("since 1995", Years(1995, None)),
        ("no older than 1990", Years(1990, None)),
        ("nothing after 1980", Years(None, 1980)),
        ("don't show me anything before 1990", Years(1990, None)),
        ("between 1972 and 1976", Years(1972, 1976)),
        ("1980年以前的", Years(None, 1979)),
        ("1980到1985年", Years(1980, 1985)),
        ("something from 1994", Years(1994, 1994)),
        ("48 hours, a great film", Years()),
    ],
)
def test_years(said: str, years: Years) -> None:
    assert years_of(said)[0] == years


def test_years_meet_and_the_later_word_wins() -> None:
    assert Years(1970, None).within(Years(None, 1979)) == Years(1970, 1979)
    assert Years(1990, None).within(Years(1960, 1969)) == Years(1990, None)
    assert not Years()
    assert Years(1990)


@pytest.mark.parametrize("said", ["hello!", "thx", "ok cool", "谢谢你", "好的", "how are you", "哈哈"])
def test_small_talk_changes_nothing(said: str) -> None:
    assert act_of(said) == Act(small_talk=True, words=act_of(said).words)


@pytest.mark.parametrize("said", ["no, start over please", "重新来吧", "forget everything", "let's reset"])
def test_a_new_start(said: str) -> None:
    assert act_of(said).reset


@pytest.mark.parametrize(
    ("said", "place", "role"),
    [
        ("not the second one", 2, "remove"),
        ("drop number 3", 3, "remove"),
        ("more like the last one", -1, "like"),
        ("第二个不要", 2, "remove"),
        ("像第一个那样的", 1, "like"),
        ("why the third?", 3, "why"),
        ("I've already seen that one", None, "remove"),
        ("something like that but newer", None, "like"),
    ],
)
def test_places_of_the_list(said: str, place: int | None, role: str) -> None:
    found = act_of(said)
    assert (found.place, found.role) == (place, role)
    assert found.newer == ("newer" in said)


@pytest.mark.parametrize("said", ["surprise me", "换一批", "something completely different", "again"])
def test_asking_for_others(said: str) -> None:
    assert act_of(said).different


@pytest.mark.parametrize(
    "said", ["I love first-rate thrillers", "a film about the last emperor of China", "想看关于战争的电影"]
)
def test_words_that_look_like_places_are_none(said: str) -> None:
    found = act_of(said)
    assert (found.place, found.role) == (None, None)
    assert found.words
