"""Tombstones: who was forgotten leaves every table at every load, and is told by a count alone."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import polars as pl

from strata.data.journal_folder import PLACE, Erasure
from strata.data.schema import REASON, ROW, USER
from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable
from strata.online.erasures import erased

BETWEEN: Final = re.compile(r"[\s,;|\"']+")
"""What may stand beside an id in a row that could not be read."""


@dataclass(frozen=True)
class Tombstones:
    """By a journal's name: the hash of each forgotten user, and the place of the erasure."""

    places: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, erasures: Iterable[Erasure]) -> Self:
        """Of a data set."""
        places: dict[str, dict[str, int]] = {}
        for each in erasures:
            places.setdefault(each.journal, {})[each.user] = each.place
        return cls(places)

    def among(self, users: pl.Series, kept_by: str | None = None) -> pl.DataFrame:
        """Those of some ids that are forgotten: `user_id`, `erased`, the place of the erasure in the journal `kept_by`.

        The place is null where another journal has the erasure, or none is named.
        """
        found: dict[str, int | None] = {}
        for journal, places in self.places.items():
            for user in users:
                if (place := places.get(erased(user, journal))) is not None:
                    found[user] = place if journal == kept_by and user not in found else None
        return pl.DataFrame({USER: list(found), "erased": list(found.values())}, {USER: pl.String, "erased": pl.Int64})

    def leave(self, rows: pl.LazyFrame, kept_by: str) -> pl.LazyFrame:
        """A journal's rows without those that were kept before their user was forgotten."""
        gone = self.among(rows.select(pl.col(USER).unique()).collect()[USER], kept_by)
        if gone.is_empty():
            return rows
        marked = rows.join(gone.lazy(), on=USER, how="left", maintain_order="left")
        before = pl.col("erased").is_null() | (pl.col(PLACE) <= pl.col("erased"))
        return marked.filter(~(pl.col(USER).is_in(gone[USER].implode()) & before)).drop("erased")

    def leave_table(self, table: ReadTable) -> ReadTable:
        """A table of the source without the forgotten, whether their rows could be read or not."""
        if not self.places:
            return table
        unread = self._unread(table)
        without = ~pl.col(ROW).is_in(unread.implode())
        if USER in table.parts.frames[0].collect_schema():
            users = table.parts.each(lambda part: part.select(pl.col(USER).drop_nulls().unique())).unique()[USER]
            gone = self.among(users)[USER]
            without &= ~pl.col(USER).is_in(gone.implode()).fill_null(value=False)
        parts = table.parts.map(lambda part: part.filter(without))
        findings = [replace(each, example=None) if self._named(each.example) else each for each in table.findings]
        if count := table.height - parts.height:
            findings.append(Finding("rows of users who were forgotten: left out", count, table.height))
        return replace(table, parts=parts, findings=findings)

    def _unread(self, table: ReadTable) -> pl.Series:
        """Numbers of the rows that could not be read and name somebody who is forgotten."""
        rows = table.parts.each(lambda part: part.filter(pl.col(REASON).is_not_null()).select(ROW))[ROW]
        if rows.is_empty():
            return rows
        given = table.given.filter(pl.col(ROW).is_in(rows.implode())).collect(engine="streaming")
        return given.filter(pl.Series(map(self._named, given["content"]), dtype=pl.Boolean))[ROW]

    def _named(self, text: str | None) -> bool:
        """Whether a text, or a word of it, is the id of somebody who is forgotten."""
        return text is not None and not self.among(pl.Series(list(words(text)), dtype=pl.String)).is_empty()


def words(text: str) -> Iterator[str]:
    """A text, what it holds as JSON, and the words of each."""
    try:
        content = json.loads(text)
    except ValueError:
        content = text
    for leaf in {text, *_leaves(content)}:
        yield leaf
        yield from filter(None, BETWEEN.split(leaf))


def _leaves(content: Any) -> Iterator[str]:
    match content:
        case dict():
            for part in content.values():
                yield from _leaves(part)
        case list():
            for part in content:
                yield from _leaves(part)
        case None:
            return
        case _:
            yield str(content)
