"""Items that came, changed or went while a release serves, as the journal keeps them and as rows of a catalogue."""

from collections.abc import Callable, Iterable, Mapping
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
"""What the body of an item's record may say beside its id; what it does not say the item does not have."""
GONE: Final = "removed"
"""The body of a removal says this, true, beside the id."""
LONGEST: Final[int] = CleaningSettings.model_fields["longest_text"].default
SAMPLE: Final = 100
"""Items of the catalogue by which the language of a short text is told."""
Known = Callable[[str], Mapping[str, Any] | None]
"""The row of ITEMS of an item that there is, by its id."""


def rows_of(records: Iterable[Record], known: Known) -> dict[str, dict[str, Any]]:
    """What records of items, in order, make of each of them: rows of ITEMS by id, in the order of first mention.

    A removal leaves the item as it was but for `removed_at`; one of an item that nobody knows is nothing. A new item
    that does not say when it was created was created when it came, one that was there when it was before.
    """
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        body, at = record.body, datetime.fromtimestamp(record.at, UTC)
        item_id = body[ITEM]
        before = rows.get(item_id) or known(item_id)
        if body.get(GONE):
            if before is not None:
                rows[item_id] = {**before, REMOVED: at}
            continue
        row: dict[str, Any] = {**dict.fromkeys(ITEMS), **(before or {}), **dict.fromkeys(GIVEN), **body, REMOVED: None}
        created = body.get(CREATED)
        row[CREATED] = datetime.fromisoformat(created) if created else at if before is None else before[CREATED]
        row[ATTRIBUTES] = [{"key": key, "value": value} for key, value in sorted((body.get(ATTRIBUTES) or {}).items())]
        rows[item_id] = row
    return rows


def table_of(rows: Iterable[Mapping[str, Any]], catalogue: pl.DataFrame) -> pl.DataFrame:
    """Rows as a table ITEMS, cleaned as the pipeline cleans items; `catalogue`: items that there are."""
    table = pl.DataFrame(list(rows), schema=ITEMS)
    return finished(table, LONGEST, [], catalogue.gather_every(max(catalogue.height // SAMPLE, 1)))
