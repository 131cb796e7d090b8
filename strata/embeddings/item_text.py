"""How an item becomes the text that the language model reads."""

import polars as pl

from strata.data.schema import BRAND, CATEGORIES, DESCRIPTION, TAGS, TITLE


def item_texts(items: pl.DataFrame) -> list[str]:
    """What the language model reads of each item: title, maker, categories, tags, description."""
    rows = items.select(TITLE, BRAND, CATEGORIES, TAGS, DESCRIPTION).iter_rows()
    return [_item_text(*row) for row in rows]


def _item_text(
    title: str | None,
    brand: str | None,
    categories: list[str] | None,
    tags: list[str] | None,
    description: str | None,
) -> str:
    parts = [title, brand and f"by {brand}", ", ".join(categories or []), ", ".join(tags or []), description]
    return ". ".join(part for part in parts if part)
