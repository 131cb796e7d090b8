"""Rows for terminals of any width: wrapped blocks with a mark, a name and details, or a table with one row per line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions
from rich.text import Text

from strata.cli.terminal import wrapped
from strata.interests.tier_words import worded

Place = Literal["group", "mark", "name", "id", "fact", "text", "note"]
"""Where a column goes: in a heading above rows that share it (group), before the name (mark), behind it (id; fact, with
the column's name), or on its own lines below (text; note, with the column's name)."""

Columns = Mapping[str, Place]
COLOURS = {"core": "bold magenta", "stable": "cyan", "momentary": "yellow"}
STYLES: Mapping[Place, str] = {"name": "bold", "id": "dim"}
GAP = 2
"""Spaces between cells, and before rows."""


def tier(name: str, *, timed: bool = True) -> Text:
    """The name of a tier in its colour; nothing for the one of what nothing is known of, where data are not `timed`."""
    return Text(worded(name, timed=timed), COLOURS[name])


def percent(share: float) -> str:
    """A share in whole percent; what is there, however little, is never 0%."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


@dataclass(frozen=True)
class Rows:
    """Rows of cells under a title. `columns`: name → place, one per cell; empty cells take no space.

    Leading spaces of a name indent its row. Cells that are Text keep their own style.
    """

    title: str
    columns: Columns
    rows: Sequence[Sequence[str | Text]]
    foot: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Draw wrapped to the width, or as a table if wrapping is off."""
        yield from _hanging(Text(self.title, "bold underline"), Text(), 0, console, options)
        yield from self._table() if options.no_wrap else self._stacked(console, options)
        if self.foot:
            yield from _hanging(Text(self.foot, "dim"), Text(), 0, console, options)

    def _table(self) -> Iterator[Text]:
        """One row per line, columns aligned."""
        lines = [[Text(name, "dim") for name in self.columns], *map(self._styled, self.rows)]
        widths = [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = [
                _padded(cell, width, right=place == "mark")
                for cell, width, place in zip(line, widths, self.columns.values(), strict=True)
            ]
            joined = Text(" " * GAP).join(cells)
            joined.rstrip()
            yield joined

    def _stacked(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Each row on lines of its own, below the heading of its group."""
        rows, heading = [self._styled(row) for row in self.rows], ""
        widest = max((mark.cell_len for row in rows for mark in self._at(row, "mark")), default=0)
        gutter = widest if widest <= options.max_width // 2 else 0
        for row in rows:
            for group in self._at(row, "group"):
                if group.plain != heading:
                    yield group
                    heading = group.plain
            yield from self._stack(row, gutter, console, options)

    def _stack(self, row: Sequence[Text], gutter: int, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """One row: the mark in a gutter (on a line below if the gutter is 0), the name, and the other cells."""
        head = Text(" " * GAP).join([*self._at(row, "name"), *self._at(row, "id", "fact")])
        depth = len(head.plain) - len(head.plain.lstrip())
        indent = GAP + depth + (gutter + GAP if gutter else 0)
        marks, below = self._at(row, "mark"), self._at(row, "text", "note")
        lead = _padded(marks[0], gutter, right=True) if gutter and marks else Text()
        yield from _hanging(head[depth:], Text.assemble(" " * GAP, lead), indent, console, options)
        for text in below if gutter else (*marks, *below):
            yield from _hanging(text, Text(), indent if gutter else indent + GAP, console, options)

    def _styled(self, row: Sequence[str | Text]) -> list[Text]:
        places = self.columns.values()
        return [
            cell if isinstance(cell, Text) else Text(cell, STYLES.get(place, ""))
            for cell, place in zip(row, places, strict=True)
        ]

    def _at(self, row: Sequence[Text], *places: Place) -> list[Text]:
        """The non-empty cells of some places, with the column's name for facts and notes."""
        found = []
        for (column, place), cell in zip(self.columns.items(), row, strict=True):
            if cell and place in places:
                found.append(Text.assemble((f"{column} ", "dim"), cell) if place in ("fact", "note") else cell)
        return found


def _hanging(text: Text, lead: Text, indent: int, console: Console, options: ConsoleOptions) -> Iterator[Text]:
    """The lines of a text after `lead`, all indented."""
    for line in wrapped(text, console, options.max_width - indent, options):
        yield Text.assemble(_padded(lead, indent), line)
        lead = Text()


def _padded(text: Text, width: int, *, right: bool = False) -> Text:
    """`text` filled with spaces to `width` columns."""
    spaces = " " * max(width - text.cell_len, 0)
    return Text.assemble(spaces, text) if right else Text.assemble(text, spaces)
