"""A source without what should not be kept: ids become pseudonyms, personal data leaves the texts."""

from collections.abc import Collection
from dataclasses import replace

import polars as pl

from strata.data.parts import Parts, Store
from strata.data.schema import PROFILE_TEXT, TEXT, USER
from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable, Source
from strata.online.pseudonyms import Pseudonyms
from strata.online.scrubbing import scrub
from strata.online.tombstones import words

LEFT_OUT = '{"left out": "cleaning.pseudonymous is set; look the row up in the source"}'
"""What the quarantine has of a refused row, which names its user as the source does."""


def private(source: Source, pseudonyms: Pseudonyms | None, *, scrubbed: bool) -> Source:
    """The source with pseudonyms in place of users' ids, and without personal data in what users wrote.

    Rows as they were given, and examples of ids, are left out with the ids. Items are as they were.
    """
    tables = {"interactions": source.interactions, **({} if source.users is None else {"users": source.users})}
    if scrubbed:
        tables = {name: _scrubbed(table) for name, table in tables.items()}
    if pseudonyms is not None:
        ids = pl.concat([_ids(table) for table in tables.values()]).unique()
        names = pl.DataFrame(
            {USER: ids, "pseudonym": list(pseudonyms.of_all(ids).values())}, {USER: pl.String, "pseudonym": pl.String}
        )
        tables = {name: _named(table, names) for name, table in tables.items()}
    return replace(source, interactions=tables["interactions"], users=tables.get("users"))


def _ids(table: ReadTable) -> pl.Series:
    return table.parts.each(lambda part: part.select(pl.col(USER).drop_nulls().unique()))[USER]


def _named(table: ReadTable, names: pl.DataFrame) -> ReadTable:
    columns = table.parts.frames[0].collect_schema().names()

    def named(part: pl.LazyFrame) -> pl.LazyFrame:
        joined = part.join(names.lazy(), on=USER, how="left", maintain_order="left")
        return joined.with_columns(pl.col("pseudonym").alias(USER)).select(columns)

    given = table.given.with_columns(pl.lit(LEFT_OUT).alias("content"))
    return replace(
        table, parts=table.parts.map(named), given=given, findings=_without_examples(table.findings, set(names[USER]))
    )


def _without_examples(findings: list[Finding], ids: Collection[str]) -> list[Finding]:
    """Findings without examples that are the id of a user, or hold one as whole rows do."""
    return [
        replace(each, example=None) if each.example is not None and any(word in ids for word in words(each.example))
        else each
        for each in findings
    ]  # fmt: skip


def _scrubbed(table: ReadTable) -> ReadTable:
    store, count, texts = Store(), 0, 0
    column = TEXT if TEXT in table.parts.frames[0].collect_schema() else PROFILE_TEXT
    for rows in table.parts:
        clean = pl.Series(column, [text and scrub(text).text for text in rows[column]], pl.String)
        count += int((clean != rows[column]).sum())
        texts += rows.height - rows[column].null_count()
        store.add(rows.with_columns(clean))
    given = table.given.with_columns(
        pl.col("content").map_elements(lambda content: scrub(content).text, pl.String, skip_nulls=True)
    )
    found = (
        [Finding("personal data in texts: replaced by words such as ⟨e-mail⟩", count, texts, column)] if count else []
    )
    parts: Parts = store.parts()
    return replace(table, parts=parts, given=given, findings=[*table.findings, *found])
