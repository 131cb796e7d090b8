"""What a data set has of journals joins the tables of its source: events, items, users who are new."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from strata.data.journal_folder import AT, EVENTS, PLACE, WITHDRAWN, JournalFolder, tag
from strata.data.parts import Parts
from strata.data.schema import (
    ATTRIBUTES,
    AUDIO,
    CHOSEN,
    CREATED,
    IMAGE,
    ITEM,
    ITEMS,
    REASON,
    REMOVED,
    ROW,
    TIME,
    TIMESTAMP,
    USER,
    WEIGHT,
)
from strata.data.sources.finding import Finding
from strata.data.sources.source import ReadTable, Source
from strata.online.tombstones import Tombstones

NO_REASON: Final = pl.lit(None, pl.String).alias(REASON)


def ingested(source: Source, folder: JournalFolder | None) -> Source:
    """The source with what its journals kept.

    Events count beside those of the source, under their own ids. The last word on an item stands in place of the
    source's row; a withdrawn one is removed from that time on. Who is in no table of users is a new user. Of the
    forgotten nothing is left: rows of the source go whatever their time, rows of a journal up to the erasure. Where
    the times of the source are made, those of events follow them.
    """
    if folder is None:
        return source
    stones = Tombstones.of(folder.erasures())
    interactions, items = stones.leave_table(source.interactions), stones.leave_table(source.items)
    users = source.users and stones.leave_table(source.users)
    events = _events(folder, stones)
    if source.clock != "clock":
        events = _following(interactions, events)
    return replace(
        source,
        interactions=_with_events(interactions, events, folder),
        items=_with_changes(items, [file.path for file in folder.files("items")]),
        users=users and _with_new(users, events),
    )


def _events(folder: JournalFolder, stones: Tombstones) -> list[pl.LazyFrame]:
    """The events of each journal, numbered on from one to the next by their places."""
    found, above = [], 0
    for journal, place in sorted(folder.places.items()):
        paths = [file.path for file in folder.files("events") if file.tag == tag(journal)]
        if paths:
            rows = stones.leave(pl.scan_parquet(paths, glob=False), journal)
            found.append(rows.with_columns((pl.col(PLACE) + above).alias(ROW)))
        above += place
    return found


def _following(table: ReadTable, events: list[pl.LazyFrame]) -> list[pl.LazyFrame]:
    """Events a second after the last made time of the source, as far apart as they were."""
    when = pl.col(TIMESTAMP)
    begin = pl.concat([rows.select(when.min()).collect() for rows in events] or [EVENTS.to_frame().select(when)])
    end = table.parts.each(lambda part: part.select(when.max()))
    first, last = begin[TIMESTAMP].min(), end[TIMESTAMP].max()
    if first is None or last is None:
        return events
    later = pl.lit(last, TIME) - pl.lit(first, TIME) + pl.duration(seconds=1)
    return [rows.with_columns((when + later).cast(TIME)) for rows in events]


def _with_events(table: ReadTable, events: list[pl.LazyFrame], folder: JournalFolder) -> ReadTable:
    if not events:
        return table
    above = _last_row(table)
    numbered = [rows.with_columns(pl.col(ROW) + above) for rows in events]
    nothing = (pl.lit(None, pl.Float32).alias(WEIGHT), pl.lit(None, pl.Boolean).alias(CHOSEN), NO_REASON)
    columns = table.parts.frames[0].collect_schema().names()
    joined = [rows.with_columns(nothing).select(columns) for rows in numbered]
    content = pl.struct(pl.lit(str(folder.path)).alias("file"), *EVENTS.names()).struct.json_encode().alias("content")
    given = [rows.select(ROW, content) for rows in numbered]
    parts = Parts((*table.parts.frames, *joined), table.parts.folder)
    what = f"events that the service kept: joined, as the rows after {above:,}"
    found = Finding(what, parts.height - table.height, parts.height)
    return ReadTable(table.origin, parts, pl.concat([table.given, *given]), [*table.findings, found])


def _with_changes(table: ReadTable, files: list[Path]) -> ReadTable:
    if not files:
        return table
    said = pl.scan_parquet(files, glob=False).sort(AT, PLACE).collect()
    last = said.unique(ITEM, keep="last", maintain_order=True)
    came = said.filter(~pl.col(WITHDRAWN)).unique(ITEM, keep="first").select(ITEM, came=pl.col(AT))
    withdrawn = last.filter(WITHDRAWN).select(ITEM, pl.col(AT).alias("withdrawn_at"))
    new = said.filter(~pl.col(WITHDRAWN)).unique(ITEM, keep="last", maintain_order=True)
    above = _last_row(table)
    new = new.with_row_index(ROW, offset=above + 1).with_columns(pl.col(ROW).cast(pl.Int64), NO_REASON)
    columns = [ROW, *ITEMS.names(), REASON]
    new = _as_before(new, table.rows, came)
    kept = table.rows.filter(pl.col(REASON).is_not_null() | ~pl.col(ITEM).is_in(new[ITEM].implode()))
    rows = pl.concat([kept.select(columns), new.select(columns)])
    ended = rows.join(withdrawn, on=ITEM, how="left", maintain_order="left")
    rows = ended.with_columns(pl.coalesce("withdrawn_at", REMOVED).alias(REMOVED)).select(columns)
    counts = {
        "items that the service was told of: new": new.height - (table.height - kept.height),
        "items that the service was told of: in place of the source's": table.height - kept.height,
        "items that the service was told to withdraw: removed from then on": int(
            rows[ITEM].is_in(withdrawn[ITEM].implode()).sum()
        ),
    }
    findings = [Finding(what, count, rows.height) for what, count in counts.items() if count]
    given = new.lazy().select(ROW, pl.struct(ITEMS.names()).struct.json_encode().alias("content"))
    return ReadTable(table.origin, Parts.of(rows), pl.concat([table.given, given]), [*table.findings, *findings])


def _as_before(new: pl.DataFrame, before: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
    """Items as they were sent, with what cannot be sent as it was: pictures and sounds, and when they were created.

    A new item that does not say when it was created was created when it came.
    """
    kept = before.filter(pl.col(REASON).is_null()).unique(ITEM, keep="first").select(ITEM, CREATED, IMAGE, AUDIO)
    known = pl.col(ITEM).is_in(kept[ITEM].implode())
    joined = new.join(kept, on=ITEM, how="left", suffix=" before", maintain_order="left")
    joined = joined.join(came, on=ITEM, how="left", maintain_order="left")
    created = pl.when(known).then(f"{CREATED} before").otherwise("came")
    restored = [pl.coalesce(name, f"{name} before").alias(name) for name in (IMAGE, AUDIO)]
    return joined.with_columns(pl.coalesce(CREATED, created).alias(CREATED), *restored)


def _with_new(table: ReadTable, events: list[pl.LazyFrame]) -> ReadTable:
    """Users of whom nothing is known but what they did."""
    known = table.parts.each(lambda part: part.select(pl.col(USER).unique())).lazy()
    did = [rows.select(USER).unique().join(known, on=USER, how="anti").collect() for rows in events]
    if not did or (new := pl.concat(did).unique().sort(USER)).is_empty():
        return table
    rows = new.with_row_index(ROW, offset=_last_row(table) + 1).with_columns(pl.col(ROW).cast(pl.Int64))
    schema = table.parts.frames[0].collect_schema()
    given = rows.lazy().select(ROW, pl.struct(USER).struct.json_encode().alias("content"))
    rows = rows.match_to_schema(schema, missing_columns="insert").with_columns(pl.col(ATTRIBUTES).fill_null([]))
    parts = Parts((*table.parts.frames, rows.lazy()), table.parts.folder)
    found = Finding("users whom only the service knows: new users", rows.height, parts.height)
    return ReadTable(table.origin, parts, pl.concat([table.given, given]), [*table.findings, found])


def _last_row(table: ReadTable) -> int:
    return int(table.parts.each(lambda part: part.select(pl.col(ROW).max()))[ROW].max() or 0)  # type: ignore[arg-type]
