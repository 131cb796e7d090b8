"""What an adapter returns: three raw tables, whatever the source."""

from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class ReadTable:
    """One table as its source gave it, before any rule of cleaning.

    `origin`: what to call it in messages, for example the file.
    `rows`: `row` (1-based data row of the source), the columns of its schema in strata/data/schema.py, and
    `reason` (null, or why the row could not be parsed).
    `given`: lazily, `row` and `content` (the row as it was given, as JSON), for the quarantine.
    `warnings`: what was changed while reading, with the number of rows or values.
    """

    origin: str
    rows: pl.DataFrame
    given: pl.LazyFrame
    warnings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The tables of one platform; without `users`, users are those who interact."""

    interactions: ReadTable
    items: ReadTable
    users: ReadTable | None = None
