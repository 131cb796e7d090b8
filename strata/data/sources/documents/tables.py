"""Documents as tables: items with title, text, date and author; what their authors did; or profile texts."""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from strata.data.schema import (
    ATTRIBUTES,
    BEHAVIOUR,
    BRAND,
    CATEGORIES,
    CREATED,
    DESCRIPTION,
    EVENT,
    INTERACTIONS,
    ITEM,
    ITEMS,
    LANGUAGE,
    PROFILE_TEXT,
    TAGS,
    TEXT,
    TIMESTAMP,
    TITLE,
    USER,
    USERS,
)
from strata.data.sources.documents.folder import TIME, read_folder
from strata.data.sources.documents.settings import DocumentsSettings
from strata.data.sources.finding import Finding
from strata.data.sources.frames import as_table
from strata.data.sources.source import ReadTable
from strata.errors import SourceError


class Documents:
    """The documents of a folder, read once, from which tables are made."""

    def __init__(self, folder: Path, settings: DocumentsSettings, without: Collection[Path] = ()) -> None:
        """Read those below `folder`, but for the files `without`; raises SourceError where there are none."""
        self.origin, self.settings = str(folder), settings
        self._frame, self._findings = read_folder(folder, settings, without)

    def items(self) -> ReadTable:
        """Every document as an item, its path as id; those that cannot be read are refused with their reason."""
        columns = {
            ITEM: pl.col("document"),
            TITLE: pl.col("title"),
            DESCRIPTION: pl.col("_text"),
            CATEGORIES: pl.col("categories"),
            TAGS: pl.col("tags"),
            BRAND: pl.col("authors").list.join(", ").replace("", None),
            LANGUAGE: pl.col("language"),
            CREATED: pl.col(TIME),
            ATTRIBUTES: pl.col("_more"),
        }
        return as_table(self.origin, self._frame, ITEMS, columns, reason=pl.col("_fault"), findings=self._findings)

    def writings(self) -> ReadTable:
        """One event for each document and each of its authors.

        Raises SourceError where no document names an author.
        """
        columns = {
            USER: pl.col("authors"),
            ITEM: pl.col("document"),
            BEHAVIOUR: pl.lit(self.settings.behaviour),
            TIMESTAMP: pl.col(TIME),
            TEXT: pl.col("_text"),
            EVENT: pl.format("{}#{}", "document", "authors"),
        }
        written, findings = self._of_authors("interactions")
        return as_table(self.origin, written, INTERACTIONS, columns, findings=findings)

    def profiles(self) -> ReadTable:
        """Authors as users: what they wrote, the latest first, is their profile text.

        Raises SourceError where no document names an author.
        """
        written, findings = self._of_authors("users")
        latest = written.sort(TIME, "document", descending=[True, False], nulls_last=True)
        people = latest.group_by("authors").agg("document", pl.col("_text").str.join("\n\n")).sort("authors")
        columns = {USER: pl.col("authors"), PROFILE_TEXT: pl.col("_text")}
        for fault, count in self._frame["_fault"].drop_nulls().value_counts().sort("_fault").iter_rows():
            findings.append(Finding(f"documents left out: {fault}", count, of=self._frame.height))
        return as_table(self.origin, people, USERS, columns, findings=[*self._findings, *findings])

    def _of_authors(self, table: str) -> tuple[pl.DataFrame, list[Finding]]:
        """A row for each readable document and each author that it names."""
        readable = self._frame.filter(pl.col("_fault").is_null())
        signed = readable.filter(pl.col("authors").list.len() > 0)
        if signed.is_empty():
            raise SourceError(
                f"{self.origin}: no document names its author; name the field (documents.fields: {{author: …}}), set "
                f"documents.folders to authors where each has a folder, or map source.{table}"
            )
        alone = readable.height - signed.height
        what, remedy = "documents without an author: nobody's writing", "name its field in documents.fields"
        findings = [Finding(what, alone, of=readable.height, remedy=remedy)] if alone else []
        return signed.explode("authors"), findings
