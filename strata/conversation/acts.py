"""What a turn does beside naming things: greets, starts over, points at a place of the list, asks why, names years."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from strata.conversation.patterns import courtesy, pattern, places
from strata.language.years import Years, years_of

Role = Literal["remove", "like", "why"]
THAT: Final = re.compile(
    r"\b(?:that|this|the) one\b|\b(?:that|this|it)\b|(?:这|那)(?:个|部|本|条|款|首)", re.IGNORECASE
)
LONG: Final = 6
"""Words from which a turn that mentions a reason or says hello has something of its own to say as well."""


@dataclass(frozen=True)
class Act:
    """What a turn does. `place`: of the last list, counted from 1, −1 the last; `role`: what is to become of it.

    `newer`, `older`: than what was shown. `words`: the rest, which may name things.
    """

    small_talk: bool = False
    reset: bool = False
    different: bool = False
    why: bool = False
    place: int | None = None
    role: Role | None = None
    years: Years = Years()
    newer: bool = False
    older: bool = False
    words: str = ""


def act_of(text: str) -> Act:
    """Read a turn."""
    said = text.strip()
    if courtesy().match(said):
        return Act(small_talk=True)
    if found := pattern("reset").search(said):
        return Act(reset=True, words=_after(said, found))
    place, role, rest = _pointed(said)
    if role == "why" or (place is None and pattern("why").search(said)):
        return Act(why=True, place=place, role="why")
    years, rest = years_of(rest)
    newer, older = (pattern(each).search(rest) is not None for each in ("newer", "older"))
    rest = pattern("newer").sub(" ", pattern("older").sub(" ", rest)) if newer or older else rest
    if role is None and (newer or older):
        place, role = _place_of(said), "like" if _place_of(said) is not None else None
    different = role is None and (pattern("again").search(said) or pattern("different").search(rest)) is not None
    if different:
        rest = pattern("different").sub(" ", pattern("again").sub(" ", rest))
    if not (role or years or newer or older or different) and (hello := pattern("small_talk").search(said)):
        rest = said[: hello.start()] + " " + said[hello.end() :]
        return Act(small_talk=True, words="" if courtesy().match(rest) else _trimmed(rest))
    return Act(different=different, place=place, role=role, years=years, newer=newer, older=older, words=_trimmed(rest))


def _pointed(said: str) -> tuple[int | None, Role | None, str]:
    """The place of the last list that a turn points at, what is to become of it, and the rest of the turn."""
    for place, name in places():
        if found := name.search(said):
            role = _role(said)
            if role is not None:
                return (place or -1), role, _other_parts(said, found)
    if (found := THAT.search(said)) and len(said.split()) <= LONG:
        role = _role(said)
        if role == "why" or (role is not None and re.search(r"one\b|[这那]", found.group(), re.IGNORECASE)):
            return None, role, _other_parts(said, found)
        if role == "like":
            return None, role, _other_parts(said, found)
    return None, None, said


def _place_of(said: str) -> int | None:
    """The place that a turn names, whatever it says of it."""
    return next(((place or -1) for place, name in places() if name.search(said)), None)


def _role(said: str) -> Role | None:
    roles: tuple[tuple[str, Role], ...] = (("why", "why"), ("remove", "remove"), ("likeness", "like"))
    return next((role for name, role in roles if pattern(name).search(said)), None)


def _other_parts(said: str, found: re.Match[str]) -> str:
    """The sentence parts that do not hold what was found: they may say more."""
    bounds = [0, *(each.end() for each in re.finditer(r"[,.;!?，。；！？]|\bbut\b|但是?|不过", said)), len(said)]
    parts = [(start, stop) for start, stop in zip(bounds, bounds[1:], strict=False) if stop > start]
    return " ".join(said[start:stop] for start, stop in parts if not start <= found.start() < stop)


def _after(said: str, found: re.Match[str]) -> str:
    """What follows a new start: what came before it is over."""
    return _trimmed(pattern("reset").sub(" ", said[found.end() :]))


def _trimmed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" ,.;:!，。；：！、")
