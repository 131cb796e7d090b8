"""What is kept of a conversation: it comes back from a store as it was, and never names what a release lacks."""

import numpy as np

from strata.conversation.talk import Said, Shown, Talk
from strata.language.opinions import Opinion
from strata.language.years import Years

WANTED = Opinion("I like comedies", "for", "comedies")
TALK = Talk(
    user="u1", release="r1", turn=3, said=(Said(WANTED, 1, np.arange(4, dtype=np.float32)),), years=Years(1980, None),
    like="i1", gone=("i2",), passed=("i3", "i4"), shown=(Shown("i5", 0.5, "Popular"), Shown("i6", 0.4, "")),
)  # fmt: skip


def test_it_comes_back_from_a_store_as_it_was() -> None:
    again = Talk.of_json(TALK.as_json())
    np.testing.assert_array_equal(again.said[0].vector, TALK.said[0].vector)
    assert again.said[0].opinion == WANTED
    assert again.as_json() == TALK.as_json()


def test_what_a_release_lacks_is_dropped_everywhere() -> None:
    left = TALK.keeping(lambda item_id: item_id in {"i3", "i6"})
    assert (left.like, left.gone, left.passed) == (None, (), ("i3",))
    assert [each.item_id for each in left.shown] == ["i6"]
    assert TALK.keeping(lambda _: True).as_json() == TALK.as_json()


def test_a_later_word_ends_an_earlier_one_that_says_the_opposite() -> None:
    refused = Opinion("no comedies", "against", "comedies")
    other = Opinion("no westerns", "against", "westerns")
    vectors = np.zeros((1, 4), np.float32)
    assert [each.opinion for each in TALK.hearing([refused], vectors).said] == [refused]
    assert [each.opinion for each in TALK.hearing([other], vectors).said] == [WANTED, other]
