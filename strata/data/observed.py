"""Compares what was read with what the settings mean by it: a mismatch is a finding, and may stop the run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from strata.data.behaviour_names import nearest
from strata.data.judged import Judged
from strata.data.parts import Parts
from strata.data.rules import TimeBounds, shown, undone_rows, unrated_rows
from strata.data.schema import (
    BEHAVIOUR,
    BEHAVIOURS,
    BRAND,
    COUNTED,
    CREATED,
    DESCRIPTION,
    DWELL,
    ITEM,
    PRICE,
    REMOVED,
    ROW,
    TEXT,
    TIMESTAMP,
    TITLE,
    USER,
    VALUE,
)
from strata.data.sources.finding import Finding

ENOUGH = 20
"""Rows from which one value in all of them says something."""
NOBODY: Final = (
    "null", "nan", "none", "n/a", "na", r"\n", "undefined", "unknown", "anonymous", "guest", "-", "-1", "0",
    "(null)", "<null>", "nil", "n.a.", "missing", "empty", "nat", "<na>", "#n/a", "#ref!", "#value!", "#name?", "?",
    "--", "(none)", "(empty)", "(not set)", "not set", "not available",
)  # fmt: skip
"""Ids that stand for a missing one."""
LARGE, LARGER = 0.2, 5
"""Share of all events of one user or item that is not to be believed, or that with so many times the second's."""
WEEKS_OF_1970 = datetime(1970, 2, 1, tzinfo=UTC)
"""What is given in s and read as ms, us or ns lies before."""
AHEAD = timedelta(days=3650)
"""How far ahead of the latest possible interaction an item may be announced."""


def unknown_behaviours(unknown: pl.Series, of: int) -> list[Finding]:
    """Names that are no behaviour, as given in some of `of` rows; they always stop the run."""
    counts = unknown.rename("name").value_counts()
    if counts.is_empty():
        return []
    counts = counts.sort("count", "name", descending=[True, False])
    names = [f"{name} ({count:,}{_meant(name)})" for name, count in counts.head(10).iter_rows()]
    more = f" and {counts.height - 10} more" if counts.height > 10 else ""
    first = str(counts["name"][0])
    example = f"behaviours: {{{first}: {nearest(first) or 'view'}}}"
    remedy = f"map them in source.interactions, such as {example}; known are {', '.join(BEHAVIOURS)}"
    what = f"unknown behaviour: {', '.join(names)}{more}"
    return [Finding(what, len(unknown), of, BEHAVIOUR, remedy=remedy, stops=True)]


def _meant(name: str) -> str:
    ours = nearest(name)
    return f", perhaps {ours}" if ours else ""


def misread(judged: Judged, bounds: TimeBounds) -> Judged:
    """With what it means where most refused times would be possible in another unit."""
    refused = judged.refused.lazy().select(ROW)
    read = judged.table.parts.each(lambda part: part.join(refused, on=ROW, how="semi").select(TIMESTAMP))
    impossible = read[TIMESTAMP].drop_nulls()
    impossible = impossible.filter(~impossible.is_between(bounds.start, bounds.end))
    if (hint := bounds.looks_like(impossible)) is None:
        return judged
    rules = [replace(rule, remedy=f"{hint}") if rule.column == TIMESTAMP else rule for rule in judged.rules]
    return replace(judged, rules=rules)


def ratings(events: Parts, lowest: float, neutral: float, highest: float, at_most: float) -> list[Finding]:
    """Whether ratings fit their scale and have values; above a share of `at_most` outside of it the run stops."""
    value, rated = pl.col(VALUE), (pl.col(BEHAVIOUR) == "rate") & pl.col(VALUE).is_not_null()
    outside = rated & ~value.is_between(lowest, highest)
    facts = events.each(
        lambda part: part.select(
            rated=rated.sum(), missing=unrated_rows().sum(), low=value.filter(rated).min(),
            high=value.filter(rated).max(), outside=outside.sum(), nothing=(outside & value.is_in([0.0, -1.0])).sum(),
            negative=(outside & (value == -1)).sum(), **_first(outside, VALUE),
        )
    )  # fmt: skip
    sums = facts.select(pl.col("rated", "missing", "outside", "nothing", "negative").sum()).row(0, named=True)
    found = _unrated(sums["missing"], sums["rated"])
    if not sums["rated"]:
        return found
    low, high = float(facts["low"].min()), float(facts["high"].max())  # type: ignore[arg-type]
    if count := sums["outside"]:
        share, first = count / sums["rated"], float(_earliest(facts)[VALUE])
        scale = f"cleaning.rating, {lowest:g} to {highest:g}"
        what = f"ratings outside {scale}: observed {low:g} to {high:g}, taken for the nearest end"
        # The scale is wider than set, unless hardly anything lies in it.
        ends = (low, high) if share > 0.9 else (min(low, lowest), max(high, highest))
        remedy = "set cleaning.rating to the scale, such as lowest: {:g}, highest: {:g}, neutral: {:g}"
        remedy = remedy.format(*ends, sum(ends) / 2)
        if sums["nothing"] == count:
            values = ["-1"] * (sums["negative"] > 0) + ["0"] * (sums["negative"] < count)
            remedy = (
                f"{' and '.join(values)} likely means 'no rating': say so by source.interactions.unrated: "
                f"{{{first:g}: view}}"
            )
        found.append(Finding(what, count, sums["rated"], VALUE, f"{first:g}", remedy, stops=share > at_most))
    elif sums["rated"] >= ENOUGH and low < high and (high <= neutral or low >= neutral):
        scale = f"cleaning.rating, {lowest:g} to {highest:g}"
        what = f"all ratings lie on one side of neutral ({neutral:g}) in {scale}: observed {low:g} to {high:g}"
        found.append(Finding(what, sums["rated"], sums["rated"], VALUE, remedy="set cleaning.rating to the scale"))
    return found


def _first(holds: pl.Expr, *columns: str) -> dict[str, pl.Expr]:
    """Of the first row of a part of which `holds` is true: its number and `columns`."""
    return {name: pl.col(name).filter(holds).first() for name in (ROW, *columns)}


def _earliest(facts: pl.DataFrame) -> dict[str, Any]:
    """Of the first rows of all parts the first."""
    return facts.filter(pl.col(ROW).is_not_null()).sort(ROW).row(0, named=True)


def _unrated(missing: int, rated: int) -> list[Finding]:
    if not missing:
        return []
    what = "rating without a value: neutral, weight 0"
    remedy = "name the column of value, set source.interactions.unrated: {empty: view}, or cleaning.unrated: refuse"
    return [Finding(what, missing, missing + rated, VALUE, remedy=remedy, stops=not rated and missing >= ENOUGH)]


def signs(events: Parts) -> list[Finding]:
    """Negative values: purchases are turned against their items, others are told."""
    bought = pl.col(BEHAVIOUR).is_in(COUNTED)
    others = (pl.col(BEHAVIOUR) != "rate") & (pl.col(VALUE) < 0) & ~bought
    undone, other = (
        events.each(
            lambda part, holds=holds: part.select(  # type: ignore[misc]
                pl.len(), count=holds.sum(), bought=bought.sum(), **_first(holds, BEHAVIOUR, VALUE)
            )
        )
        for holds in (undone_rows(), others)
    )
    found = []
    if count := int(undone["count"].sum()):
        what, remedy = (
            "negative value of a purchase: counts against the item",
            "set cleaning.returns: refuse to drop them",
        )
        example = f"{_earliest(undone)[VALUE]:g}"
        found.append(Finding(what, count, int(undone["bought"].sum()), VALUE, example, remedy))
    if count := int(other["count"].sum()):
        first = _earliest(other)
        what = f"negative value of {first[BEHAVIOUR]}: without effect on its sign"
        remedy = "map such rows to dislike or hide if they speak against the item"
        found.append(Finding(what, count, int(other["len"].sum()), VALUE, f"{first[VALUE]:g}", remedy))
    return found


def weightless(events: Parts, weights: Mapping[str, float]) -> list[Finding]:
    """Behaviours that are there and weigh nothing."""
    counts = events.counts(BEHAVIOUR)
    counts = counts.sort("count", BEHAVIOUR, descending=[True, False])
    remedy = "give cleaning.weights of it another value if it says something"
    return [
        Finding(f"the behaviour {name} weighs 0", count, events.height, BEHAVIOUR, remedy=remedy)
        for name, count in counts.iter_rows()
        if weights[name] == 0
    ]


def constant(rows: Parts, columns: tuple[str, ...]) -> list[Finding]:
    """Columns with one value in all rows where it is given, of ENOUGH rows or more."""
    given = {name: pl.col(name).drop_nulls() for name in columns}
    looks = {f"count {name}": column.len() for name, column in given.items()}
    looks |= {f"first {name}": column.first() for name, column in given.items()}
    looks |= {f"alike {name}": (column == column.first()).all() for name, column in given.items()}
    facts, found = rows.each(lambda part: part.select(**looks)), []
    for name in columns:
        count = int(facts[f"count {name}"].sum())
        of_part = facts.filter(pl.col(f"count {name}") > 0)
        values = of_part[f"first {name}"]
        if count >= ENOUGH and of_part[f"alike {name}"].all() and values.n_unique() == 1:
            what = (
                "all events have one timestamp: nothing can be learned from time"
                if name == TIMESTAMP
                else f"{name} is the same in all rows"
            )
            remedy = "check that the right column is mapped"
            found.append(Finding(what, count, rows.height, name, str(values[0]), remedy))
    return found


def crowded(events: Parts, column: str) -> list[Finding]:
    """Ids that stand for a missing one, and one with an implausible share of all events."""
    counts = events.counts(column)
    named = counts.filter(pl.col(column).str.to_lowercase().is_in(NOBODY) & (pl.col("count") > 1))
    remedy = "if it stands for a missing id, list it under missing in source.interactions, or leave those rows out"
    usual = counts.select(pl.col("count").median()).item() or 1
    # "0" is an id like others where ids are numbers from 0 on.
    named = named.filter(~pl.col(column).is_in(["0"]) | (pl.col("count") > LARGER * usual))
    found = [
        Finding(f"{column} {name} looks like a missing one", count, events.height, column, name, remedy)
        for name, count in named.sort(column).iter_rows()
    ]
    if counts.height >= ENOUGH and events.height >= 5 * ENOUGH:
        (name, count), (_, second) = counts.head(2).iter_rows()
        share = count / events.height
        if name not in named[column] and (share > LARGE or (share > LARGE / 4 and count > LARGER * second)):
            what = f"one {column} has {share:.0%} of all events"
            found.append(Finding(what, count, events.height, column, name, remedy))
    return found


def of_interactions(events: Parts) -> list[Finding]:
    """What is odd about accepted interactions, whatever the settings."""
    columns = (TIMESTAMP, VALUE, DWELL, TEXT)
    return [*constant(events, columns), *(finding for column in (USER, ITEM) for finding in crowded(events, column))]


def item_times(rows: pl.DataFrame, bounds: TimeBounds, at_most: float) -> tuple[pl.DataFrame, list[Finding]]:
    """Items without impossible times, which are left empty and told; above a share of `at_most` the run stops.

    Items may be older than any interaction. Impossible are times of January 1970 other than a day's start, which a
    wrong unit gives, and those ten years ahead; a removal so far ahead is none, and never stops.
    """
    found = []
    for name in (CREATED, REMOVED):
        when = pl.col(name)
        day = when.dt.truncate("1d") == when
        epoch = (when >= datetime(1970, 1, 1, tzinfo=UTC)) & (when < WEEKS_OF_1970) & ~day
        ahead = when > bounds.end + AHEAD
        for impossible, kind in ((epoch, "lies in January 1970"), (ahead, "lies years ahead")):
            times = rows.filter(impossible)[name]
            if times.is_empty():
                continue
            given = rows.height - rows[name].null_count()
            hint = bounds.looks_like(times)
            stops = len(times) / given > at_most and (name == CREATED or hint is not None)
            remedy = hint or "correct source.items.time_unit"
            found.append(Finding(f"{name} {kind}: left empty", len(times), given, name, shown(times[0]), remedy, stops))
            rows = rows.with_columns(pl.when(~impossible.fill_null(value=False)).then(when).alias(name))
    return rows, found


def of_items(rows: Parts) -> list[Finding]:
    """What is odd about accepted items, whatever the settings."""
    return constant(rows, (TITLE, DESCRIPTION, BRAND, PRICE, CREATED))
