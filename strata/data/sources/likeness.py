"""Ids that two tables write differently: a spreadsheet took leading zeros, pandas gave ".0", an export left quotes."""

from collections.abc import Callable
from typing import Final

import polars as pl

from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable

MOST: Final = 0.5
"""Share of the ids without a counterpart above which their spelling, not what they name, is at fault."""
_ENTRY, _MARK = r"[^\s,|;]+", r"-\d$"
"""One of several ids in a cell, and what may stand behind it, as in N1-0 N2-1."""
_FORMS: Final[dict[str, tuple[Callable[[pl.Expr], pl.Expr], str]]] = {
    "leading zeros": (lambda ids: ids.str.replace(r"^0+(.)", "${1}"), "number_ids: true"),
    "'.0' at the end": (lambda ids: ids.str.replace(r"\.0+$", ""), "number_ids: true"),
    "leading zeros and '.0'": (lambda ids: ids.str.extract(r"^0*(.+?)(?:\.0+)?$"), "number_ids: true"),
    "quotation marks": (lambda ids: ids.str.strip_chars("\"'"), "quoted: true, or write them alike"),
    "capital letters": (lambda ids: ids.str.to_lowercase(), ""),
}


def spelled_otherwise(interactions: ReadTable, other: ReadTable, column: str, name: str) -> list[Finding]:
    """How many interactions would find their `column` in table `name`, `other`, were it spelled alike.

    It stops where that is so of more than half of those that find none.
    """
    known = other.rows.select(pl.col(column).drop_nulls().unique())
    counts = interactions.parts.counts(column).drop_nulls().rename({"count": "len"})
    lost = counts.join(known, on=column, how="anti").sort("len", column, descending=[True, False])
    each = lost.with_columns(pl.col(column).str.extract_all(_ENTRY).alias("entry")).explode("entry")
    each = each.with_columns(pl.col("entry").str.replace(_MARK, ""))
    several = each.filter(pl.col("entry") != pl.col(column)).join(known, left_on="entry", right_on=column, how="semi")
    several = lost.join(several, on=column, how="semi", maintain_order="left")
    if (count := int(several["len"].sum())) > MOST * int(lost["len"].sum()):
        what = f"{column} is not in {name}, and holds several that are"
        remedy = "set `unfold` to make a row of each"
        return [Finding(what, count, interactions.height, column, several[column][0], remedy, stops=True)]
    best: Finding | None = None
    for what, (form, setting) in _FORMS.items():
        alike = known.select(form(pl.col(column)).alias("form"), pl.col(column).alias("theirs")).unique("form")
        found = lost.with_columns(form(pl.col(column)).alias("form")).join(alike, on="form", maintain_order="left")
        count = int(found["len"].sum())
        if count and (best is None or count > best.count):
            best = Finding(
                f"{column} is not in {name}, and would be but for {what}",
                count,
                of=interactions.height,
                column=column,
                example=f"{found[column][0]} / {found['theirs'][0]}",
                remedy=f"set {setting} in both tables" if setting else "write them alike in both tables",
                stops=count > MOST * int(lost["len"].sum()),
            )
    return [best] if best else []
