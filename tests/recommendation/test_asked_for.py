"""What somebody asked for lately has a place among each five, and every other item keeps its order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strata.recommendation.asked_for import EVERY, Wish, with_asked_for

N = 40
LISTED = st.lists(st.integers(0, N - 1), unique=True, max_size=N).map(lambda rows: np.array(rows, np.int64))
WISHES = st.lists(st.lists(st.booleans(), min_size=N, max_size=N), max_size=3).map(
    lambda masks: [Wish(str(n), np.array(mask)) for n, mask in enumerate(masks)]
)


@given(LISTED, WISHES)
def test_nothing_is_lost_and_what_nobody_asked_for_keeps_its_order(listed: np.ndarray, asked: list[Wish]) -> None:
    found = with_asked_for(listed, asked)
    assert sorted(found.tolist()) == sorted(listed.tolist())
    others = [item for item in listed.tolist() if not any(wish.items[item] for wish in asked)]
    assert [item for item in found.tolist() if item in set(others)] == others


@given(LISTED, WISHES.filter(lambda asked: len(asked) == 1))
def test_one_place_in_five_has_what_was_asked_for_as_long_as_there_is_any(
    listed: np.ndarray, asked: list[Wish]
) -> None:
    found = with_asked_for(listed, asked)
    wanted = asked[0].items[found]
    for start in range(0, len(found) - EVERY, EVERY):
        assert wanted[start : start + EVERY].any() or not wanted[start:].any()
    best = [item for item in listed.tolist() if asked[0].items[item]]
    assert [item for item in found.tolist() if asked[0].items[item]] == best


def test_wishes_take_turns_the_latest_first() -> None:
    listed = np.arange(N)
    latest, earlier = (Wish(name, np.isin(listed, rows)) for name, rows in (("new", [30, 31]), ("old", [20, 21])))
    found = with_asked_for(listed, [latest, earlier])
    assert found[[4, 9, 14, 19]].tolist() == [30, 20, 31, 21]
