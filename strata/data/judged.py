"""One table's rows, split into accepted and refused ones; no row is lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl

from strata.data.limits import Counts
from strata.data.parts import Parts, gathered
from strata.data.rules import Kind, Rule, refusals, repeated
from strata.data.schema import BEHAVIOUR, COUNTED, EVENT, QUARANTINE, REASON, ROW, TABLE, VALUE
from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable

KIND = "kind"
AGAIN, SUMMED = "the same event again", "bought again at the same time: summed into the first"
"""Why an event is refused that equals an earlier one, where the file has no event ids."""


@dataclass(frozen=True)
class Judged:
    """A table as read, the rules it was judged by, its accepted rows and the `refused`: `row`, `reason`, `kind`.

    `parts`: the accepted rows; of a table that was judged by users, each user's rows are in one part, parts by users.
    """

    table: ReadTable
    rules: Sequence[Rule]
    parts: Parts
    refused: pl.DataFrame
    findings: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, table: ReadTable, rules: Sequence[Rule], by: str | None = None) -> Self:
        """Refuse rows that the reader could not read or for which a rule holds; the first reason counts.

        `by`: the column of ids by which a table is parted that memory does not hold.
        """
        refused: list[pl.DataFrame] = []

        def accepted() -> Iterator[pl.DataFrame]:
            for rows in table.parts:
                good, bad = _judge(rows, rules)
                refused.append(bad)
                yield good

        parts = gathered(accepted(), table.parts, by)
        return cls(table, rules, parts, pl.concat(refused).sort(ROW), list(table.findings))

    @property
    def accepted(self) -> pl.DataFrame:
        """All accepted rows, in memory."""
        return self.parts.whole()

    def without(self, rows: pl.DataFrame, reason: str | pl.Expr, column: str, kind: Kind, remedy: str) -> Self:
        """The accepted `rows` refused after all, with what a rule would say of them."""
        if rows.is_empty():
            return self
        told = pl.lit(reason) if isinstance(reason, str) else reason
        more = rows.select(ROW, told.alias(REASON), pl.lit(kind).alias(KIND))
        rules = [Rule(each, pl.lit(value=True), column, remedy, kind) for each in more[REASON].unique().sort()]
        out = more.select(ROW).lazy()
        parts = self.parts.map(lambda part: part.join(out, on=ROW, how="anti", maintain_order="left"))
        refused = pl.concat([self.refused, more]).sort(ROW)
        return replace(self, rules=[*self.rules, *rules], parts=parts, refused=refused)

    def distinct(self, column: str, purchases: str = "drop") -> Self:
        """Of equal values in `column` the first row stays.

        `purchases`: of events of what is bought that are equal because the file gives no event ids, "keep" all, under
        ids of their own, or "sum" their values.
        """
        again = repeated(self.parts, self.table.parts, column)
        bought = pl.col("derived") & (pl.col(BEHAVIOUR).is_in(COUNTED) if column == EVENT else pl.lit(value=False))
        several = again.filter(bought) if purchases != "drop" else again.clear()
        again = again.join(several, on=ROW, how="anti", maintain_order="left")
        given, made = again.filter(~pl.col("derived")), again.filter("derived")
        found = self.without(given, f"duplicate {column}", column, "duplicates", "the first stays; correct the data")
        found = found.without(made, AGAIN, EVENT, "repeats", "map event_id if they are different events")
        if several.is_empty():
            return found
        done = "kept, each counts" if purchases == "keep" else "summed into the first"
        found.findings.append(
            Finding(
                f"bought again at the same time: {done}",
                several.height,
                found.table.height,
                remedy="set cleaning.repeated_purchases (keep, sum, drop), or map the file's event_id",
            )
        )
        return found._renamed(several) if purchases == "keep" else found._summed(several)

    def _renamed(self, several: pl.DataFrame) -> Self:
        """Rows equal to an earlier one get ids of their own, such as ID-2."""
        named = several.lazy().select(ROW, name=pl.format("{}-{}", EVENT, pl.col("again") + 1))

        def renamed(part: pl.LazyFrame) -> pl.LazyFrame:
            rows = part.join(named, on=ROW, how="left", maintain_order="left")
            return rows.with_columns(pl.coalesce("name", EVENT).alias(EVENT)).drop("name")

        return replace(self, parts=self.parts.map(renamed))

    def _summed(self, several: pl.DataFrame) -> Self:
        """Rows equal to an earlier one added to its value."""
        sums = several.group_by(EVENT).agg(more=pl.col(VALUE).sum()).lazy()
        found = self.without(several, SUMMED, EVENT, "repeats", "nothing is lost: see cleaning.repeated_purchases")
        value = pl.col(VALUE) + pl.col("more").fill_null(0.0)

        def summed(part: pl.LazyFrame) -> pl.LazyFrame:
            rows = part.join(sums, on=EVENT, how="left", maintain_order="left")
            return rows.with_columns(value.alias(VALUE)).drop("more")

        return replace(found, parts=found.parts.map(summed))

    def quarantine(self, name: str) -> pl.DataFrame:
        """The refused rows as given, in the schema QUARANTINE."""
        # Not a join: a filter is done before any row is written as JSON.
        given = self.table.given.filter(pl.col(ROW).is_in(self.refused[ROW].implode())).collect(engine="streaming")
        rows = self.refused.join(given, on=ROW, how="left", maintain_order="left")
        return rows.select(pl.lit(name).alias(TABLE), ROW, REASON, "content").match_to_schema(QUARANTINE)

    def counts(self, quarantine: pl.DataFrame) -> Counts:
        """Row counts, with examples from the refused rows as given."""
        read = self.table.height
        refused = refusals(self.refused, self.table.parts, quarantine, self.rules)
        return Counts(self.table.origin, read, read - self.refused.height, refused, self.findings)


def _judge(rows: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that no rule refuses, and of the others `row`, `reason` and `kind`."""
    if BEHAVIOUR in rows.columns:
        rows = rows.with_columns(pl.col(BEHAVIOUR).str.to_lowercase().str.replace_all("[_ ]", "-"))
    reason = pl.coalesce(pl.col(REASON), *(pl.when(rule.holds).then(pl.lit(rule.reason)) for rule in rules))
    kinds = {rule.reason: rule.kind for rule in rules}
    rows = rows.with_columns(reason.alias(REASON))
    kind = pl.col(REASON).replace_strict(kinds, default="bad_values", return_dtype=pl.String).alias(KIND)
    refused = rows.filter(pl.col(REASON).is_not_null()).select(ROW, REASON, kind)
    return rows.filter(pl.col(REASON).is_null()), refused
