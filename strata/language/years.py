"""The years that a text asks for: before 1960, from the eighties, 九十年代的."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

EARLIEST, LATEST = 0, 9999
DECADES: Final = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970,
    "eighties": 1980, "nineties": 1990, "noughties": 2000,
}  # fmt: skip
TENS: Final = {sign: 1920 + 10 * place for place, sign in enumerate("二三四五六七八九")}
YEAR: Final = r"(?:18|19|20)\d\d"
OF: Final = r"(?:\b(?:from|of|in|the|early|late|mid)[\s-]+){0,3}"


class Years(NamedTuple):
    """Both are inside."""

    first: int
    last: int


def _decade(match: re.Match[str]) -> Years:
    said = match["decade"].casefold()
    if said in DECADES or said in TENS:
        first = DECADES.get(said) or TENS[said]
    else:
        first = int(said) if len(said) == 4 else int(said) + (2000 if said < "20" else 1900)
    return Years(first, first + 9)


READINGS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Years]], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (
            rf"(?:\b(?:between|from)\s+)?\b(?P<first>{YEAR})\s*(?:-|–|and|to|until|到|至)\s*(?P<last>{YEAR})",
            lambda match: Years(int(match["first"]), int(match["last"])),
        ),
        (rf"{OF}\b(?P<decade>\d{{3}}0)['’]?s\b", _decade),
        (rf"{OF}['’]?\b(?P<decade>[02-9]0)['’]?s\b", _decade),
        (rf"{OF}\b(?P<decade>{'|'.join(DECADES)})\b", _decade),
        (r"(?P<decade>(?:\d\d)?\d0)\s*年代", _decade),
        (rf"(?P<decade>[{''.join(TENS)}])十\s*年代", _decade),
        (
            rf"\b(?:before|until|pre|older than|earlier than)[\s-]*(?P<year>{YEAR})\b",
            lambda match: Years(EARLIEST, int(match["year"]) - 1),
        ),
        (rf"(?P<year>{YEAR})\s*年?\s*(?:以前|之前)", lambda match: Years(EARLIEST, int(match["year"]) - 1)),
        (
            rf"\b(?:after|since|post|newer than|later than)[\s-]*(?P<year>{YEAR})\b",
            lambda match: Years(int(match["year"]), LATEST),
        ),
        (rf"(?P<year>{YEAR})\s*年?\s*(?:以后|之后|以来)", lambda match: Years(int(match["year"]), LATEST)),
        (
            rf"\b(?:from|of|in|released in|made in)\s+(?P<year>{YEAR})\b",
            lambda match: Years(int(match["year"]), int(match["year"])),
        ),
        (rf"(?P<year>{YEAR})\s*年", lambda match: Years(int(match["year"]), int(match["year"]))),
    )
)
"""In this order: what one takes, the next no longer see."""


def years_of(text: str) -> tuple[Years | None, str]:
    """The years asked for, from the first to the last where several are named, and the text without them."""
    found = []
    for pattern, read in READINGS:
        found += [read(match) for match in pattern.finditer(text)]
        text = pattern.sub(" ", text)
    if not found:
        return None, text
    return Years(min(years.first for years in found), max(years.last for years in found)), text
