"""Compares what was read with what the settings mean by it: a mismatch is a finding, and may stop the run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from strata.data.behaviour_names import nearest
from strata.data.judged import Judged
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
    impossible = judged.table.rows.filter(pl.col(ROW).is_in(judged.refused[ROW].implode()))[TIMESTAMP].drop_nulls()
    impossible = impossible.filter(~impossible.is_between(bounds.start, bounds.end))
    if (hint := bounds.looks_like(impossible)) is None:
        return judged
    rules = [replace(rule, remedy=f"{hint}") if rule.column == TIMESTAMP else rule for rule in judged.rules]
    return replace(judged, rules=rules)


def ratings(rows: pl.DataFrame, lowest: float, neutral: float, highest: float, at_most: float) -> list[Finding]:
    """Whether ratings fit their scale and have values; above a share of `at_most` outside of it the run stops."""
    rated = rows.filter((pl.col(BEHAVIOUR) == "rate") & pl.col(VALUE).is_not_null())[VALUE]
    found = _unrated(rows, len(rated))
    if rated.is_empty():
        return found
    low, high = float(rated.min()), float(rated.max())  # type: ignore[arg-type]
    outside = rated.filter(~rated.is_between(lowest, highest))
    scale = f"cleaning.rating, {lowest:g} to {highest:g}"
    if len(outside):
        share = len(outside) / len(rated)
        what = f"ratings outside {scale}: observed {low:g} to {high:g}, taken for the nearest end"
        # The scale is wider than set, unless hardly anything lies in it.
        ends = (low, high) if share > 0.9 else (min(low, lowest), max(high, highest))
        remedy = "set cleaning.rating to the scale, such as lowest: {:g}, highest: {:g}, neutral: {:g}"
        remedy = remedy.format(*ends, sum(ends) / 2)
        if set(outside.unique()) <= {0.0, -1.0}:
            named = " and ".join(f"{value:g}" for value in sorted(outside.unique()))
            remedy = (
                f"{named} likely means 'no rating': say so by source.interactions.unrated: {{{outside[0]:g}: view}}"
            )
        found.append(Finding(what, len(outside), len(rated), VALUE, f"{outside[0]:g}", remedy, stops=share > at_most))
    elif len(rated) >= ENOUGH and low < high and (high <= neutral or low >= neutral):
        what = f"all ratings lie on one side of neutral ({neutral:g}) in {scale}: observed {low:g} to {high:g}"
        found.append(Finding(what, len(rated), len(rated), VALUE, remedy="set cleaning.rating to the scale"))
    return found


def _unrated(rows: pl.DataFrame, rated: int) -> list[Finding]:
    missing = int(rows.select(unrated_rows().sum()).item())
    if not missing:
        return []
    what = "rating without a value: neutral, weight 0"
    remedy = "name the column of value, set source.interactions.unrated: {empty: view}, or cleaning.unrated: refuse"
    return [Finding(what, missing, missing + rated, VALUE, remedy=remedy, stops=not rated and missing >= ENOUGH)]


def signs(rows: pl.DataFrame) -> list[Finding]:
    """Negative values: purchases are turned against their items, others are told."""
    negative = rows.filter((pl.col(BEHAVIOUR) != "rate") & (pl.col(VALUE) < 0))
    if negative.is_empty():
        return []
    undone = negative.filter(undone_rows())
    others = negative.filter(~pl.col(BEHAVIOUR).is_in(COUNTED))
    found = []
    if undone.height:
        what, remedy = (
            "negative value of a purchase: counts against the item",
            "set cleaning.returns: refuse to drop them",
        )
        bought = int(rows[BEHAVIOUR].is_in(COUNTED).sum())
        found.append(Finding(what, undone.height, bought, VALUE, f"{undone[VALUE][0]:g}", remedy))
    if others.height:
        what = f"negative value of {others[BEHAVIOUR][0]}: without effect on its sign"
        remedy = "map such rows to dislike or hide if they speak against the item"
        found.append(Finding(what, others.height, rows.height, VALUE, f"{others[VALUE][0]:g}", remedy))
    return found


def weightless(rows: pl.DataFrame, weights: Mapping[str, float]) -> list[Finding]:
    """Behaviours that are there and weigh nothing."""
    counts = rows[BEHAVIOUR].value_counts().sort("count", BEHAVIOUR, descending=[True, False])
    remedy = "give cleaning.weights of it another value if it says something"
    return [
        Finding(f"the behaviour {name} weighs 0", count, rows.height, BEHAVIOUR, remedy=remedy)
        for name, count in counts.iter_rows()
        if weights[name] == 0
    ]


def constant(rows: pl.DataFrame, columns: tuple[str, ...]) -> list[Finding]:
    """Columns with one value in all rows where it is given, of ENOUGH rows or more."""
    found = []
    for name in columns:
        given = rows[name].drop_nulls()
        if len(given) >= ENOUGH and given.n_unique() == 1:
            what = (
                "all events have one timestamp: nothing can be learned from time"
                if name == TIMESTAMP
                else f"{name} is the same in all rows"
            )
            found.append(
                Finding(what, len(given), rows.height, name, str(given[0]), "check that the right column is mapped")
            )
    return found


def crowded(rows: pl.DataFrame, column: str) -> list[Finding]:
    """Ids that stand for a missing one, and one with an implausible share of all events."""
    counts = rows[column].value_counts(sort=True)
    named = counts.filter(pl.col(column).str.to_lowercase().is_in(NOBODY) & (pl.col("count") > 1))
    remedy = "if it stands for a missing id, list it under missing in source.interactions, or leave those rows out"
    usual = counts.select(pl.col("count").median()).item() or 1
    # "0" is an id like others where ids are numbers from 0 on.
    named = named.filter(~pl.col(column).is_in(["0"]) | (pl.col("count") > LARGER * usual))
    found = [
        Finding(f"{column} {name} looks like a missing one", count, rows.height, column, name, remedy)
        for name, count in named.sort(column).iter_rows()
    ]
    if counts.height >= ENOUGH and rows.height >= 5 * ENOUGH:
        (name, count), (_, second) = counts.head(2).iter_rows()
        share = count / rows.height
        if name not in named[column] and (share > LARGE or (share > LARGE / 4 and count > LARGER * second)):
            what = f"one {column} has {share:.0%} of all events"
            found.append(Finding(what, count, rows.height, column, name, remedy))
    return found


def of_interactions(rows: pl.DataFrame) -> list[Finding]:
    """What is odd about accepted interactions, whatever the settings."""
    columns = (TIMESTAMP, VALUE, DWELL, TEXT)
    return [*constant(rows, columns), *(finding for column in (USER, ITEM) for finding in crowded(rows, column))]


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


def of_items(rows: pl.DataFrame) -> list[Finding]:
    """What is odd about accepted items, whatever the settings."""
    return constant(rows, (TITLE, DESCRIPTION, BRAND, PRICE, CREATED))
