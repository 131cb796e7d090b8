"""Texts that were written ahead of requests and ship with a release: worded names of topics, summaries of profiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import polars as pl

from strata.storage import write_table

SCHEMA: Final = pl.Schema({"key": pl.String(), "task": pl.String(), "about": pl.String(), "text": pl.String()})
"""Hash of the evidence, name or summary, id of the topic or user, and the text."""
FILE: Final = "texts.parquet"


@dataclass(frozen=True)
class Wording:
    """`texts`: by the hash of their evidence, so that none outlives what it says; `names`: by the id of the topic."""

    texts: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pl.DataFrame) -> Self:
        """The texts of a table of SCHEMA."""
        names = table.filter(pl.col("task") == "name")
        return cls(dict(table.select("key", "text").iter_rows()), dict(names.select("about", "text").iter_rows()))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a release's texts; none where it ships none."""
        path = folder / FILE
        return cls.of(pl.read_parquet(path)) if path.exists() else cls()


def write_wording(table: pl.DataFrame, folder: Path) -> None:
    """Write a table of SCHEMA."""
    write_table(table.match_to_schema(SCHEMA).select(SCHEMA.names()), folder / FILE)
