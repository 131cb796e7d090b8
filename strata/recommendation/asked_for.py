"""Places for what somebody searched for or asked about lately, as people expect to see of it in the next list."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from strata.interests.understanding import Meaning
from strata.recommendation.explanation import Reason

EVERY: Final = 5
"""One place in so many."""
LONGEST: Final = 60
"""Characters of words that are said again."""


class Wish(NamedTuple):
    """What somebody asked for, in their own words, and the `items` (n_items,) bool that it is about."""

    about: str
    items: np.ndarray


def asked_for(asked: Sequence[Meaning], topic_of: np.ndarray) -> list[Wish]:
    """What somebody `asked` for lately, in time order, the latest first, each once.

    The items carry what the words name or, where these name nothing, are of the topic meant. `topic_of` (n_items,).
    """
    found: dict[bytes, Wish] = {}
    for meaning in reversed(asked):
        items = topic_of == meaning.topic
        if len(meaning.carriers):
            items = np.isin(np.arange(len(topic_of)), meaning.carriers)
        found.setdefault(items.tobytes(), Wish(meaning.opinion.about, items))
    return list(found.values())


def with_asked_for(listed: np.ndarray, asked: Sequence[Wish]) -> np.ndarray:
    """A list of item rows (n,), best first, in which each EVERY places hold one that is `asked` for, if there is one.

    The wishes take turns. Where none of the places has an item of the wish, its best one of those left comes forward to
    the last of them; all others keep their order.
    """
    if not asked:
        return listed
    left = set(listed[np.any([wish.items[listed] for wish in asked], axis=0)].tolist())
    order: list[int] = []
    rest, turn = listed.tolist(), 0
    while left and len(rest) > EVERY:
        wish = asked[turn % len(asked)].items
        page = rest[:EVERY]
        if not wish[page].any():
            later = np.flatnonzero(wish[rest])
            page = [*page[:-1], rest[later[0]]] if len(later) else page
        order += page
        rest = [item for item in rest if item not in page]
        left.difference_update(page)
        turn += 1
    return np.array(order + rest, listed.dtype)


def as_asked(reason: Reason, item: int, asked: Sequence[Wish]) -> Reason:
    """The reason for an item row, which says so where it was asked for."""
    about = next((wish.about for wish in asked if wish.items[item]), None)
    if about is None:
        return reason
    if len(about) > LONGEST or not about.isprintable() or set(about) & set('<>⟨⟩"{}'):  # it would not read well
        about = "this"
    return replace(reason, text=f"You asked for {about} lately, {reason.text[:1].lower()}{reason.text[1:]}")
