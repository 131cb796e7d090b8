"""What a file's behaviours and ratings mean: its names as ours, values that are no rating, times that are an order."""

import polars as pl

from strata.data.schema import BEHAVIOUR, EVENT, TIME, TIMESTAMP, VALUE
from strata.data.sources.events import event_ids
from strata.data.sources.finding import Finding
from strata.data.sources.mapping import InteractionsSettings
from strata.data.sources.sequence import DRAW, spaced

RATE = "rate"


def meant(rows: pl.DataFrame, settings: InteractionsSettings) -> tuple[pl.DataFrame, list[Finding]]:
    """Interactions in our behaviours, with times and ids, without rows that settings leave out; and what changed."""
    rows, findings = _named(rows, settings)
    if TIMESTAMP in settings.constants:
        said = "timestamp is one constant: every interaction is of the same moment"
        findings.append(Finding(said, rows.height, remedy="leave it out and set `time: none`", stops=True))
    for value, behaviour in settings.unrated.items():
        here = pl.col(VALUE).is_null() if value == "empty" else pl.col(VALUE) == value
        here = here & (pl.col(BEHAVIOUR) == RATE)
        said = f"rate with {'no value' if value == 'empty' else f'value {value:g}'} is no rating: read as {behaviour}"
        if count := int(rows.select(here.sum()).item() or 0):
            findings.append(Finding(said, count, of=rows.height, remedy="as `unrated` says"))
        meaning = pl.when(here).then(pl.lit(behaviour)).otherwise(BEHAVIOUR).alias(BEHAVIOUR)
        rows = rows.with_columns(meaning, pl.when(~here).then(VALUE).alias(VALUE))
    if settings.time != "clock":
        ids = event_ids(rows.with_columns(pl.lit(None, TIME).alias(TIMESTAMP)))
        rows = spaced(rows.with_columns(pl.coalesce(EVENT, ids).alias(DRAW)), ordered=settings.time == "order")
        findings.append(_untimed(rows.height, settings.time))
    return rows.with_columns(pl.coalesce(EVENT, event_ids(rows)).alias(EVENT)), findings


def _named(rows: pl.DataFrame, settings: InteractionsSettings) -> tuple[pl.DataFrame, list[Finding]]:
    left = [theirs for theirs, ours in settings.behaviours.items() if ours is None]
    out = rows.filter(pl.col(BEHAVIOUR).is_in(left))
    findings = []
    for name, count in out.group_by(BEHAVIOUR).len().sort(BEHAVIOUR).iter_rows():
        findings.append(Finding(f"behaviour {name}: left out", count, of=rows.height, remedy="as `behaviours` says"))
    if left:
        rows = rows.filter(~pl.col(BEHAVIOUR).is_in(left).fill_null(value=False))
    names = {theirs: ours for theirs, ours in settings.behaviours.items() if ours is not None}
    return rows.with_columns(pl.col(BEHAVIOUR).replace(names)), findings


def _untimed(rows: int, time: str) -> Finding:
    known = "only the order of a user's interactions is known" if time == "order" else "the interactions have no times"
    return Finding(
        f"{known}: made times of the year 2001 stand in, so tiers, recency and what is popular lately mean nothing",
        rows,
        remedy="map timestamp and leave `time` out, if there are times; all else works, the split is by user",
    )
