"""Recognises files whose lines are lists, as baskets are: as many cells as there were things, any of them first."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

MANUAL: Final = "docs/data.md says under Baskets how rows are made of them"
_ONE_WIDTH, _FEWEST, _ANYWHERE = 0.9, 3, 0.3


def baskets(records: Sequence[Sequence[str]]) -> bool:
    """Whether records have many lengths, none of them the usual one, and what stands first also stands later."""
    widths = Counter(map(len, records))
    if len(widths) < _FEWEST or max(widths.values()) >= _ONE_WIDTH * len(records):
        return False
    first = {record[0].strip() for record in records}
    later = [cell.strip() for record in records for cell in record[1:]]
    return sum(cell in first for cell in later if cell) > _ANYWHERE * len(later)
