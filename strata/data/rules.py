"""Rules that refuse rows, each with what kind of fault it is, its column and its remedy; and what they refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import polars as pl

from strata.data.parts import Parts, repeating
from strata.data.schema import (
    BEHAVIOUR,
    BEHAVIOURS,
    COUNTED,
    DWELL,
    EVENT,
    ITEM,
    REASON,
    ROW,
    TEXT,
    TIMESTAMP,
    USER,
    VALUE,
    WORDED,
)
from strata.data.sources.events import event_ids
from strata.data.sources.finding import Finding

Kind = Literal["bad_values", "orphans", "duplicates", "repeats", "suspicious"]
"""What is wrong with a refused row; each kind has a limit of its own."""
CORRECT = "correct the data, or the section source of params.yaml"
UNKNOWN_BEHAVIOUR = "unknown behaviour"
LONGEST = 100
"""Characters of an example."""
UNITS = ((1e3, "s", "ms"), (1e6, "s", "us"), (1e-3, "ms", "s"), (1e-6, "us", "s"))
"""Factor between a time as read and as meant, the unit meant and the unit read."""


@dataclass(frozen=True)
class Rule:
    """A row for which `holds` is true is refused for `reason`."""

    reason: str
    holds: pl.Expr
    column: str
    remedy: str = CORRECT
    kind: Kind = "bad_values"


@dataclass(frozen=True)
class Refusal:
    """Rows refused for one reason; `row`: the first of them, 1-based in its file."""

    kind: Kind
    finding: Finding
    row: int

    def __str__(self) -> str:
        return f"{self.finding}; first: row {self.row}"


@dataclass(frozen=True)
class TimeBounds:
    """When interactions are possible: from `earliest` on, and before `end`, which a setting or the clock gives."""

    earliest: date
    latest: date | None
    now: datetime

    @property
    def start(self) -> datetime:
        """First moment."""
        return datetime.combine(self.earliest, time.min, UTC)

    @property
    def end(self) -> datetime:
        """First moment that is too late."""
        if self.latest is None:
            return self.now + timedelta(microseconds=1)
        return datetime.combine(self.latest + timedelta(days=1), time.min, UTC)

    def rules(self) -> list[Rule]:
        """Of the column timestamp."""
        when = pl.col(TIMESTAMP)
        late = "timestamp lies in the future"
        if self.latest is not None:
            late = f"timestamp is after cleaning.latest ({self.latest})"
        wider = "correct source.interactions.time_unit, or set"
        return [
            Rule("no timestamp", when.is_null(), TIMESTAMP),
            Rule("timestamp is zero", when.dt.epoch("us") == 0, TIMESTAMP),
            Rule(
                f"timestamp is before cleaning.earliest ({self.earliest})",
                when < self.start,
                TIMESTAMP,
                f"{wider} cleaning.earliest",
            ),
            Rule(late, when >= self.end, TIMESTAMP, f"{wider} cleaning.latest"),
        ]

    def looks_like(self, times: pl.Series) -> str | None:
        """Says that `times` look like s read as ms, if most of them would then be possible; else None."""
        for factor, meant, read in UNITS:
            meant_times = times.dt.epoch("us").cast(pl.Float64) * factor
            possible = meant_times.is_between(self.start.timestamp() * 1e6, self.end.timestamp() * 1e6)
            if 2 * possible.sum() > len(times):
                return f"these look like {meant} read as {read}: set time_unit: {meant}"
        return None


def identified(column: str) -> list[Rule]:
    """Rules of an id column."""
    return [
        Rule(f"no {column}", pl.col(column).is_null(), column),
        Rule(f"{column} is not valid UTF-8", pl.col(column).str.contains("\ufffd", literal=True), column),
    ]


def of_events(bounds: TimeBounds, *, unrated: bool, undone: bool) -> list[Rule]:
    """Rules of interactions apart from unknown ids.

    `unrated`, `undone`: whether ratings without a value and purchases of a negative one are refused.
    """
    behaviour = pl.col(BEHAVIOUR)
    rules = [
        *identified(USER),
        Rule(f"no {ITEM}", pl.col(ITEM).is_null() & ~worded(), ITEM),
        identified(ITEM)[1],
        Rule("no behaviour", behaviour.is_null(), BEHAVIOUR),
        Rule(UNKNOWN_BEHAVIOUR, ~behaviour.is_in(BEHAVIOURS), BEHAVIOUR, "map it to a known one"),
        *bounds.rules(),
        Rule(f"{DWELL} is negative", pl.col(DWELL) < 0, DWELL),
    ]
    if unrated:
        rules.append(Rule("rating without a value", unrated_rows(), VALUE, "set cleaning.unrated: neutral"))
    if undone:
        remedy = "set cleaning.returns: against, to count them against their items"
        rules.append(Rule("negative value of a purchase", undone_rows(), VALUE, remedy))
    return rules


def worded() -> pl.Expr:
    """Events that say something without an item."""
    return pl.col(ITEM).is_null() & pl.col(TEXT).is_not_null() & pl.col(BEHAVIOUR).is_in(WORDED)


def unrated_rows() -> pl.Expr:
    """Ratings without a value."""
    return (pl.col(BEHAVIOUR) == "rate") & pl.col(VALUE).is_null()


def undone_rows() -> pl.Expr:
    """Returns and cancelled orders: a negative quantity or price of what is bought."""
    return pl.col(BEHAVIOUR).is_in(COUNTED) & (pl.col(VALUE) < 0).fill_null(value=False)


def known(column: str, table: str, ids: pl.Series) -> Rule:
    """Refuses what `table` does not know, by its accepted ids."""
    such = f"{table} have ids such as {ids.min()!r}; " if len(ids) else ""
    remedy = f"{such}add them to {table}, or set cleaning.orphans: keep"
    return Rule(f"{column} is not in {table}", ~pl.col(column).is_in(ids.implode()), column, remedy, "orphans")


def repeated(accepted: Parts, read: Parts, column: str) -> pl.DataFrame:
    """Accepted rows whose value of `column` stood before.

    With their place `again` (1 …) and `derived`: whether the value is an event id that the reader made of the row as
    read, because the file has none.
    """
    shared = repeating(accepted, column)
    shared = shared.with_columns(again=pl.int_range(pl.len()).over(column), derived=pl.lit(value=False))
    if column == EVENT and shared.height:
        numbers = shared.select(ROW).lazy()
        given = read.each(lambda part: part.join(numbers, on=ROW, how="semi"))
        given = shared.select(ROW).join(given, on=ROW, how="left", maintain_order="left")
        shared = shared.with_columns(derived=(event_ids(given) == shared[EVENT]).fill_null(value=False))
    return shared.filter(pl.col("again") > 0)


def refusals(refused: pl.DataFrame, read: Parts, content: pl.DataFrame, rules: Sequence[Rule]) -> list[Refusal]:
    """What was refused (`row`, `reason`, `kind`), most frequent first, with the first row's value as example.

    `read`: all rows read; `content`: the refused rows as given. Reasons that no rule has are the reader's.
    """
    of_rule = {rule.reason: rule for rule in rules}
    groups = refused.group_by(REASON, "kind").agg(pl.len(), pl.col(ROW).min())
    firsts = groups.select(ROW).lazy()
    rows = read.each(lambda part: part.join(firsts, on=ROW, how="semi"))
    found = []
    for reason, kind, count, row in groups.sort(["len", REASON], descending=[True, False]).iter_rows():
        rule = of_rule.get(reason)
        value = None if rule is None else rows.row(by_predicate=pl.col(ROW) == row, named=True)[rule.column]
        if value is None:
            value = content.row(by_predicate=pl.col(ROW) == row, named=True)["content"]
        remedy = CORRECT if rule is None else rule.remedy
        column = None if rule is None else rule.column
        found.append(Refusal(kind, Finding(reason, count, read.height, column, shown(value), remedy), row))
    return found


def shown(value: Any) -> str:
    """A value as an example in a message."""
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
    text = f"{value:g}" if isinstance(value, float) else text
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
