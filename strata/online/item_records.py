"""Items that came, changed or went while a release serves, as the journal keeps them and as rows of a catalogue."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from strata.data.cleaning import CleaningSettings
from strata.data.item_cleaning import finished
from strata.data.schema import (
    ATTRIBUTES,
    BRAND,
    CATEGORIES,
    CREATED,
    DESCRIPTION,
    ITEM,
    ITEMS,
    LANGUAGE,
    PRICE,
    REMOVED,
    TAGS,
    TITLE,
)
from strata.online.records import Record

GIVEN: Final = (TITLE, DESCRIPTION, CATEGORIES, TAGS, BRAND, PRICE, LANGUAGE, CREATED, ATTRIBUTES)
"""What the body of an item's record may say beside its id; what it does not say, the item does not have."""
GONE: Final = "removed"
"""The body of a removal says this, true, beside the id, and nothing else."""
LONGEST: Final[int] = CleaningSettings.model_fields["longest_text"].default
SAMPLE: Final = 100
"""Items of the catalogue by which the language of a short text is told."""
Row = Mapping[str, Any]
"""A row of ITEMS by column."""


@dataclass(frozen=True)
class ItemNews:
    """What records say of one item: what it is (None: as before), when it came, and when it was removed if it was."""

    body: Mapping[str, Any] | None
    came: float
    removed: float | None = None


def news_of(records: Iterable[Record]) -> dict[str, ItemNews]:
    """What records of items, in order, say of each, by id in the order of first mention."""
    news: dict[str, ItemNews] = {}
    for record in records:
        item_id, before = record.body[ITEM], news.get(record.body[ITEM])
        if record.body.get(GONE):
            news[item_id] = replace(before or ItemNews(None, record.at), removed=record.at)
        else:
            came = record.at if before is None or before.body is None else before.came
            news[item_id] = ItemNews(record.body, came)
    return news


def rows_of(news: Mapping[str, ItemNews], known: Callable[[str], Row | None], catalogue: pl.DataFrame) -> list[Row]:
    """The rows of ITEMS that news make, cleaned as the pipeline cleans items; none of an item that nobody knows.

    `known` gives the row of an item that there is, by its id; `catalogue`: all of them. A new item that does not say
    when it was created was created when it came, one that was there when it was before.
    """
    told = [_told(each.body) for each in news.values() if each.body is not None]
    among = catalogue.gather_every(max(catalogue.height // SAMPLE, 1))
    clean = iter(finished(pl.DataFrame(told, schema=ITEMS), LONGEST, [], among).iter_rows(named=True) if told else ())
    rows: list[Row] = []
    for item_id, each in news.items():
        before = known(item_id)
        row = before if each.body is None else {**(before or {}), **next(clean)}
        if row is not None:
            created = row[CREATED] or (_time(each.came) if before is None else before[CREATED])
            removed = None if each.removed is None else _time(each.removed)
            rows.append({**row, CREATED: created, REMOVED: removed})
    return rows


def _told(body: Mapping[str, Any]) -> Row:
    """What a body says as a row, not cleaned yet."""
    row = {name: body.get(name) for name in (ITEM, *GIVEN)}
    created, attributes = row[CREATED], row[ATTRIBUTES] or {}
    row[CREATED] = None if created is None else datetime.fromisoformat(created)
    row[ATTRIBUTES] = [{"key": key, "value": value} for key, value in sorted(attributes.items())]
    return row


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
