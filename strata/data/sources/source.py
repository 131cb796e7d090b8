"""What an adapter returns: three raw tables, whatever the source."""

from dataclasses import dataclass, field

import polars as pl

from strata.data.sources.finding import Finding


@dataclass(frozen=True)
class ReadTable:
    """One table as its source gave it, before any rule of cleaning.

    `origin`: what to call it in messages, for example the file.
    `rows`: `row` (1-based data row of the source), the columns of its schema in strata/data/schema.py, and
    `reason` (null, or why the row could not be parsed).
    `given`: lazily, `row` and `content` (the row as it was given, as JSON), for the quarantine.
    `findings`: what was guessed, changed or left out while reading.
    """

    origin: str
    rows: pl.DataFrame
    given: pl.LazyFrame
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """The tables of one platform; without `users`, users are those who interact."""

    interactions: ReadTable
    items: ReadTable
    users: ReadTable | None = None
