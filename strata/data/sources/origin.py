"""Where the rows of a table come from: a file, or a table or query of the source's database."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from strata.settings import Settings


class Origin(Settings):
    """One of `file`, `table` and `query`."""

    file: Path = Path()
    """Relative to the source's folder; `*` stands for any characters: part-*.csv.gz are read as one table."""
    from_table: str | None = Field(default=None, alias="table")
    """A table or view of source.database, SCHEMA.NAME where it is not in the usual schema."""
    query: str | None = None
    """A SELECT; its rows keep the order that it states."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = ["file"] * ("file" in self.model_fields_set)
        given += [name for name, value in (("table", self.from_table), ("query", self.query)) if value is not None]
        if len(given) != 1:
            raise ValueError(f"give one of file, table and query ({' and '.join(given) or 'none'} is given)")
        return self

    @property
    def asked(self) -> str | None:
        """What is asked of the database, None where the rows lie in a file."""
        return f"table {self.from_table}" if self.from_table is not None else self.query
