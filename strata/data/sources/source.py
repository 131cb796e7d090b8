"""What an adapter returns: three raw tables, whatever the source."""

from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from strata.data.parts import Parts
from strata.data.sources.finding import Finding

Clock = Literal["clock", "order", "none"]
"""What the times of interactions are: times; a user's order alone; or nothing at all. But for the first, they are made
(strata/data/sources/sequence.py) and say nothing of days, of how long an interest lasts, or of what came before what
between two users."""


@dataclass(frozen=True)
class ReadTable:
    """One table as its source gave it, before any rule of cleaning.

    `origin`: what to call it in messages, for example the file.
    `parts`: `row` (1-based data row of the source), the columns of its schema in strata/data/schema.py, and
    `reason` (null, or why the row could not be parsed).
    `given`: lazily, `row` and `content` (the row as it was given, as JSON), for the quarantine.
    `findings`: what was guessed, changed or left out while reading.
    """

    origin: str
    parts: Parts
    given: pl.LazyFrame
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> pl.DataFrame:
        """All parts as one frame, in memory."""
        return self.parts.whole()

    @property
    def height(self) -> int:
        """Rows read."""
        return self.parts.height


@dataclass(frozen=True)
class Source:
    """The tables of one platform; without `users`, users are those who interact.

    `clock`: what the times of the interactions are.
    """

    interactions: ReadTable
    items: ReadTable
    users: ReadTable | None = None
    clock: Clock = "clock"
