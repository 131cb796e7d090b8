"""Guesses how a text file is written: delimiter, quotation marks, header, lines above it."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal

from strata.data.guess import names
from strata.data.guess.baskets import baskets
from strata.data.sources.streams import UNIT

DELIMITERS: Final = ("::", "\t", ";", "|", ",", "\x01", "^")
RARE: Final = (" ", "~", "#", ":")
"""What also stands in texts and times: looked for where none of the usual ones divides a file."""
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)*([eE][-+]?\d+)?\s*")
_DAY = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_ROWS = 200


@dataclass(frozen=True)
class Layout:
    """`settings`: those of FileSettings that are not what they are by default. `unsure`: what cannot be told, and why.

    `records`: the first records, a header among them.
    """

    settings: dict[str, Any]
    records: list[list[str]]
    why: str
    unsure: dict[str, str]
    lists: bool = False
    """Whether its lines are lists of things rather than rows."""

    @property
    def headed(self) -> bool:
        """Whether the first record names the columns."""
        return self.settings.get("header") is not False


def layout(text: str, form: str) -> Layout | None:
    """How the beginning of a delimited file is written; null where it is no table.

    `form`: csv or tsv, what its ending says.
    """
    lines = text.lstrip("\ufeff").splitlines()[: _ROWS * 5]
    settings: dict[str, Any] = {}
    if lines and lines[0].startswith("#") and len(lines) > 1:
        settings["comment"] = "#"
        lines = [line for line in lines if not line.startswith("#")]
    for marks in (DELIMITERS, RARE):
        (score, width, _), mark, records, written = max((_try(lines, each) for each in marks), key=lambda each: each[0])
        if baskets(records):
            return Layout({}, records, f"its lines are lists divided by {mark!r}", {}, lists=True)
        if score >= (0.5 if marks is DELIMITERS else 0.98) and width >= 2:
            break
    else:
        return None
    if mark != ("\t" if form == "tsv" else ","):
        settings["delimiter"] = mark
    settings |= written
    whole = [place for place, record in enumerate(records) if len(record) == width]
    filled = (place for place in whole if 2 * sum(map(bool, map(str.strip, records[place]))) >= width)
    above = next(filled, whole[0])  # a title above the header leaves the other cells empty
    if above:
        settings["skip_lines"], records = above, records[above:]
    why = f"{score:.0%} of its lines have {width} columns between {mark!r}"
    known_form = names.form_of(records[:_ROWS])
    headed, sure, reason = (False, True, f"its cells have the form of {known_form}") if known_form else header(records)
    if not headed:
        settings["header"] = False
    elif headed and len(set(records[0])) < len(records[0]):
        settings |= {"skip_lines": above + 1, "header": _distinct(records[0])}
    unsure = {} if sure else {"header": reason}
    return Layout(settings, records, f"{why}; {reason}", unsure)


def header(records: list[list[str]]) -> tuple[bool, bool, str]:
    """Whether the first of some records names the columns, whether that is sure, and why."""
    first, below = records[0], [record for record in records[1:] if len(record) == len(records[0])]
    if not below:
        return True, False, "there is one line only"
    unlike = alike = 0
    for place, cell in enumerate(first):
        kinds = Counter(_kind(record[place]) for record in below if record[place].strip())
        kind, count = kinds.most_common(1)[0] if kinds else ("text", 0)
        if kind != "text" and count >= 0.8 * kinds.total():
            alike += _kind(cell) == kind
            unlike += _kind(cell) == "text" and bool(cell.strip())
    named = sum(names.known(cell) for cell in first)
    again = sum(cell in {record[place] for record in below} for place, cell in enumerate(first) if cell)
    if unlike and not alike:
        return True, True, "its first line names the columns"
    if alike and not named:
        return False, True, "its first line is data as the lines below are"
    if named and not again and not alike:
        return True, named >= 2 or named == len(first), "its first line has known names of columns"
    if again and named < 2:
        return False, not named, "words of its first line stand again below"
    return bool(named), False, "its first line may be data or names of columns"


def _kind(cell: str) -> str:
    return "number" if _NUMBER.fullmatch(cell) else "day" if _DAY.fullmatch(cell) else "text"


Tried = tuple[tuple[float, int, bool], str, list[list[str]], dict[str, Any]]


def _try(lines: list[str], mark: str) -> Tried:
    """How well a delimiter cuts lines, also the first, into equal numbers of cells; the cells; how marks are quoted."""
    ways: list[dict[str, Any]] = [{}]
    if any('"' in line for line in lines):
        ways += [{"escape": "\\"}] if any('\\"' in line for line in lines) else []
        ways += [{"quoted": False}]
    best: Tried | None = None
    bare = 0.0
    for way in ways:
        records = _records(lines, mark, way)
        widths = Counter(map(len, records[1:] or records))
        width, count = max(widths.items(), key=lambda each: (each[1], each[0])) if widths else (0, 0)
        share = count / max(len(records[1:] or records), 1)
        bare = share if way.get("quoted") is False else bare
        if way.get("quoted") is False and any(_enclosed(cell) for record in records for cell in record):
            share *= 0.9  # marks around cells do mean something
        swallowed = not way and any("\n" in cell and cell.count("\n") > 20 for record in records for cell in record)
        share *= 0.5 if swallowed else 1.0
        if best is None or share > best[0][0]:
            best = ((share, width, len((records or [[]])[0]) == width), mark, records, way)
    assert best is not None
    (share, width, first), _, records, way = best
    enclosed = re.compile(rf'(^|{re.escape(mark)})"([^"]|"")*"({re.escape(mark)}|$)')
    # Where lines are whole only within quotation marks, these are some, be they over several lines each.
    if not way and len(ways) > 1 and bare > share - 0.05 and not any(enclosed.search(line) for line in lines):
        way = {"quoted": False}
    inner = re.compile(rf'\\"(?!{re.escape(mark)}|$)')
    if not way and {"escape": "\\"} in ways and any(inner.search(line) for line in lines):
        way = {"escape": "\\"}
        records = _records(lines, mark, way)
    score = (round(share if width > 1 else 0.0, 2), width, first)
    return score, mark, records[:_ROWS], way


def _enclosed(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _records(lines: list[str], mark: str, way: dict[str, Any]) -> list[list[str]]:
    quoting: Literal[0, 3] = csv.QUOTE_NONE if way.get("quoted") is False else csv.QUOTE_MINIMAL
    text = "\n".join(lines).replace(mark, UNIT) if len(mark) > 1 else "\n".join(lines)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=UNIT if len(mark) > 1 else mark, quoting=quoting,
                        escapechar=way.get("escape"), doublequote="escape" not in way)  # fmt: skip
    try:
        return [record for record in reader if record]
    except csv.Error:
        return []


def _distinct(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
