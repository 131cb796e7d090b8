"""Tells what divides the entries of lists that are written as plain text: Drama|War, Drama War, #drama#war."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

MARKS: Final = ("|", ";", " > ", "::", "~", " · ", "<br>", "\n", ", ", ",", "/")
HASH, BLANK = "#", " "
ALSO_WORDS: Final = (" & ", " - ", " + ", "+")
"""What divides entries in some files and stands within an entry, such as Food & Drink, in more."""
_LONG = 40


class Divided(NamedTuple):
    """`mark`: what divides entries; `share`: of the cells that hold it; `sure`: whether it can hardly be a word's."""

    mark: str
    share: float
    why: str
    sure: bool


def divided(values: Sequence[str]) -> Divided | None:
    """What divides the texts of some cells into entries that come again; null where nothing does."""
    hashed = sum(value.startswith(HASH) for value in values) >= 0.9 * len(values)
    for mark in (*MARKS, HASH) if hashed else MARKS:
        several = sum(mark in value.lstrip(HASH) for value in values)
        if not several or several < 0.1 * len(values):
            continue
        pieces = Counter(piece.strip() for value in values for piece in value.split(mark) if piece.strip())
        if sum(map(len, pieces)) > _LONG * len(pieces):
            continue
        again = sum(count > 1 for count in pieces.values()) > 0.2 * len(pieces)
        again |= len(pieces) < 0.9 * len(set(values))
        share = several / len(values)
        return Divided(mark, share, f"{share:.0%} of the cells hold several, divided by it", mark == "|" or again)
    return _by_blanks(values) or _by_words(values)


def _by_words(values: Sequence[str]) -> Divided | None:
    """A mark of ALSO_WORDS, of which only a person can tell, where most of what it divides stands in several cells."""
    for mark in ALSO_WORDS:
        cells = [{piece.strip() for piece in value.split(mark)} for value in dict.fromkeys(values)]
        pieces = Counter(piece for cell in cells for piece in cell)
        again = sum(count > 1 for piece, count in pieces.items())
        several = sum(len(cell) > 1 for cell in cells)
        if several > 1 and 2 * again > len(pieces):
            why = f"most of what stands beside {mark!r} stands in other cells as well: does it divide them?"
            return Divided(mark, several / len(cells), why, sure=False)
    return None


def _by_blanks(values: Sequence[str]) -> Divided | None:
    """Blanks, where most words stand first in one cell and after another word in another: in a name each has its place.

    Drama War, War Comedy; but Science Fiction, Historical Fiction.
    """
    cells = [cell for value in dict.fromkeys(values) if len(cell := value.split(BLANK)) > 1]
    first = {cell[0] for cell in cells}
    after = {word for cell in cells for word in cell[1:]}
    if not cells or 2 * len(first & after) <= len(first | after):
        return None
    share = sum(BLANK in value for value in values) / len(values)
    return Divided(BLANK, share, "most words stand before and behind others: do blanks divide them?", sure=False)
