"""Turns frames of raw rows into tables, once an adapter knows where each column comes from."""

from collections.abc import Mapping, Sequence

import polars as pl

from strata.data.parts import Parts
from strata.data.schema import REASON, ROW
from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable
from strata.data.sources.values import printable

OWN = "_"
"""Prefix of columns that the adapter computed: not part of the row as given."""


def as_table(
    origin: str,
    given: pl.DataFrame,
    table: pl.Schema,
    columns: Mapping[str, pl.Expr],
    *,
    reason: pl.Expr | None = None,
    findings: Sequence[Finding] = (),
) -> ReadTable:
    """The rows of `given` as rows of `table`: `columns` maps our columns to expressions, the others stay empty.

    `reason`: null, or why a row cannot be used.
    """
    rows = given.with_row_index(ROW, offset=1).select(
        pl.col(ROW).cast(pl.Int64),
        *(columns.get(name, _nothing(dtype)).cast(dtype).alias(name) for name, dtype in table.items()),
        (pl.lit(None) if reason is None else reason).cast(pl.String).alias(REASON),
    )
    raw = given.select(pl.exclude(f"^{OWN}.*$"))
    content = pl.struct(pl.lit(origin).alias("file"), *(printable(*column) for column in raw.schema.items()))
    numbered = raw.lazy().with_row_index(ROW, offset=1)
    shown = numbered.select(pl.col(ROW).cast(pl.Int64), content.struct.json_encode().alias("content"))
    return ReadTable(origin, Parts.of(rows), shown, list(findings))


def stacked(origin: str, parts: Sequence[ReadTable]) -> ReadTable:
    """Concatenate tables, with rows numbered on from part to part."""
    rows, given, above = [], [], 0
    findings: list[Finding] = []
    for part in parts:
        rows.append(part.rows.with_columns(pl.col(ROW) + above))
        given.append(part.given.with_columns(pl.col(ROW) + above))
        findings += part.findings
        above += part.height
    return ReadTable(origin, Parts.of(pl.concat(rows)), pl.concat(given), findings)


def _nothing(dtype: pl.DataType) -> pl.Expr:
    return pl.lit([] if dtype.is_nested() else None, dtype)
