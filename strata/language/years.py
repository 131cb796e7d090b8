"""The years that a text asks for: "from the seventies", "after 1995", "nothing made before 1993", 九十年代的."""

import re
from dataclasses import dataclass
from typing import Final

YEAR: Final = r"(?P<year>(?:1[89]|20)\d\d)"
NOT: Final = r"(?:\b(?:no|not|nothing|none|without|don't|never|avoid|skip)\b[^,.;]{0,30}?|不要|别|不看|除了)"
BETWEEN: Final = re.compile(
    r"(?:between|from)?\s*(?P<first>(?:1[89]|20)\d\d)\s*年?\s*(?:and|to|until|till|through|[-–—~～]|到|至)\s*"
    r"(?P<last>(?:1[89]|20)\d\d)\s*年?(?:之间)?",
    re.IGNORECASE,
)
SIDES: Final = {
    "since": re.compile(
        rf"(?:since|from|no older than|not older than|at least from)\s+{YEAR}(?:\s*(?:on|onwards?|or (?:later|newer)))"
        rf"|(?:since|no older than|not older than)\s+(?P<year2>(?:1[89]|20)\d\d)"
        rf"|(?P<year3>(?:1[89]|20)\d\d)\s*年?\s*(?:or (?:later|newer)|onwards?|及?以来|及以后|起)",
        re.IGNORECASE,
    ),
    "after": re.compile(
        rf"(?:after|later than|newer than|past|more recent than)\s+{YEAR}"
        r"|(?P<year2>(?:1[89]|20)\d\d)\s*年?\s*(?:以后|之后|后)",
        re.IGNORECASE,
    ),
    "before": re.compile(
        rf"(?:before|earlier than|older than|prior to|pre-?)\s*{YEAR}"
        r"|(?P<year2>(?:1[89]|20)\d\d)\s*年?\s*(?:以前|之前|前)",
        re.IGNORECASE,
    ),
    "until": re.compile(
        rf"(?:until|till|up to|no newer than|not newer than|no later than)\s+{YEAR}"
        r"|(?P<year2>(?:1[89]|20)\d\d)\s*(?:or (?:earlier|older|before))",
        re.IGNORECASE,
    ),
}
NAMES: Final = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970,
    "eighties": 1980, "nineties": 1990, "noughties": 2000,
}  # fmt: skip
SIGNS: Final = {sign: 1920 + 10 * place for place, sign in enumerate("二三四五六七八九")}
TENS: Final = re.compile(
    rf"\b(?:the\s+)?(?P<part>early|mid|late)?[- ]?['’]?"
    rf"(?:(?P<tens>(?:1[89]|20)?\d0)['’]?s|(?P<name>{'|'.join(NAMES)}))\b"
    rf"|(?:(?P<ten>(?:1[89]|20)?\d0)|(?P<sign>[{''.join(SIGNS)}])十)\s*年代(?P<when>初|中|末)?",
    re.IGNORECASE,
)
BEFORE: Final = re.compile(r"(?:before|older than|pre-?|earlier than)\s*(?:the\s+)?$", re.IGNORECASE)
AFTER: Final = re.compile(r"(?:after|since|newer than|later than)\s*(?:the\s+)?$", re.IGNORECASE)
ALONE: Final = re.compile(
    rf"\b(?:from|in|of|made in|released in)\s+(?:the year\s+)?{YEAR}\b"
    r"|(?P<year2>(?:1[89]|20)\d\d)\s*年(?:的|拍的|上映的)?",
    re.IGNORECASE,
)
"""A year that is only named is often a title's."""


@dataclass(frozen=True)
class Years:
    """Items of these years and none else, both ends inside; None leaves an end open."""

    first: int | None = None
    last: int | None = None

    def within(self, other: "Years") -> "Years":
        """What both allow; the later word wins where nothing would be left."""
        first = max((each for each in (self.first, other.first) if each is not None), default=None)
        last = min((each for each in (self.last, other.last) if each is not None), default=None)
        return self if first is not None and last is not None and first > last else Years(first, last)

    def __bool__(self) -> bool:
        return self.first is not None or self.last is not None


def years_of(text: str) -> tuple[Years, str]:
    """The years a text asks for, and the text without the words that say so."""
    if found := BETWEEN.search(text):
        return Years(int(found["first"]), int(found["last"])), _without(text, found)
    for side, pattern in SIDES.items():
        if found := pattern.search(text):
            year = int(next(each for each in found.groups() if each))
            span = {
                "since": Years(first=year), "after": Years(first=year + 1),
                "before": Years(last=year - 1), "until": Years(last=year),
            }[side]  # fmt: skip
            refused = _refused(text, found)
            return (_beyond(span) if refused else span), _without(text, found, refused=refused)
    if decades := list(TENS.finditer(text)):
        spans = [_tens(each) for each in decades]
        first, last, at, stop = spans[0][0], max(span[1] for span in spans), decades[0].start(), decades[-1].end()
        if before := BEFORE.search(text[:at]):
            return Years(last=first - 1), text[: before.start()] + text[stop:]
        if after := AFTER.search(text[:at]):
            return Years(first=last + 1), text[: after.start()] + text[stop:]
        return Years(min(span[0] for span in spans), last), TENS.sub(" ", _without(text, decades[0]))
    if found := ALONE.search(text):
        year = int(found["year"] or found["year2"])
        return Years(year, year), _without(text, found)
    return Years(), text


def _beyond(span: Years) -> Years:
    """What is left when a span is refused."""
    return Years(first=span.last + 1) if span.last is not None else Years(last=(span.first or 0) - 1)


def _refused(text: str, found: re.Match[str]) -> bool:
    said = found.group().casefold()
    if said.startswith(("no ", "not ")):
        return False
    return re.search(NOT + r"$", text[: found.start()], re.IGNORECASE) is not None


def _without(text: str, found: re.Match[str], *, refused: bool = False) -> str:
    before = text[: found.start()]
    if refused:
        before = re.sub(NOT + r"$", "", before, flags=re.IGNORECASE)
    return (
        re.sub(r"\b(?:from|of|in|made|released|only things?|anything|things?|the)\s*$", "", before, flags=re.I)
        + text[found.end() :]
    )


def _tens(found: re.Match[str]) -> tuple[int, int]:
    """First and last year of a decade, or of its early, middle or late part."""
    groups = found.groupdict()
    said = groups["tens"] or groups["ten"]
    if said is None:
        first = NAMES[groups["name"].casefold()] if groups["name"] else SIGNS[groups["sign"]]
    else:
        first = int(said) if len(said) == 4 else int(said) + (1900 if int(said) >= 20 else 2000)
    part = groups["part"] or {"初": "early", "中": "mid", "末": "late"}.get(groups["when"] or "", "")
    low, high = {"early": (0, 3), "mid": (3, 6), "late": (6, 9)}.get(part.casefold(), (0, 9))
    return first + low, first + high
