"""Names and types of the three tables; columns, behaviours, tiers and cut-offs are named only here."""

from typing import Final, Literal, get_args

import polars as pl

USER, ITEM, BEHAVIOUR, TIMESTAMP = "user_id", "item_id", "behaviour", "timestamp"
VALUE, DWELL, TEXT, WEIGHT, EVENT = "value", "dwell_s", "text", "weight", "event_id"
CHOSEN = "chosen"
"""Whether an interaction is a choice; see strata/data/weights.py."""
TITLE, DESCRIPTION, CATEGORIES, TAGS = "title", "description", "categories", "tags"
BRAND, PRICE, LANGUAGE, CREATED, REMOVED = "brand", "price", "language", "created_at", "removed_at"
IMAGE, AUDIO, ATTRIBUTES, PROFILE_TEXT = "image_path", "audio_path", "attributes", "profile_text"
REASON, TABLE, ROW = "reason", "table", "row"
USER_ROW, ITEM_ROW = "user_row", "item_row"
"""Dense row numbers: positions in users.parquet and items.parquet, both sorted by id."""

Behaviour = Literal[
    "view", "click", "search", "like", "favourite", "share", "follow", "ask", "answer", "comment", "edit", "bounty",
    "review", "rate", "add-to-cart", "purchase", "redeem", "dislike", "hide",
]  # fmt: skip
BEHAVIOURS: Final[tuple[str, ...]] = get_args(Behaviour)

COUNTED: Final = ("add-to-cart", "purchase", "redeem")
"""Behaviours whose value is a quantity or a price: done twice at one moment they count twice, below 0 undone."""
WORDED: Final = ("search", "ask", "answer", "comment", "review")
"""Behaviours whose text says something even where no item is named."""

Tier = Literal["momentary", "stable", "core"]
TIERS: Final[tuple[str, ...]] = get_args(Tier)
"""How long an interest lasts, from current to permanent."""

Method = Literal["ward", "k-means", "hdbscan"]
"""Ways to cluster a user's topics into interest points."""

CutOff = Literal["validation", "backtest", "live"]
CUT_OFFS: Final[tuple[str, ...]] = get_args(CutOff)
"""Times up to which models learn: start of validation, start of the test window, end of all data."""

TIME: Final[pl.DataType] = pl.Datetime("us", "UTC")
ATTRIBUTE_MAP: Final[pl.DataType] = pl.List(pl.Struct({"key": pl.String(), "value": pl.String()}))
"""Parquet has no map in polars: attributes are lists of key and value, keys sorted."""

INTERACTIONS: Final = pl.Schema(
    {
        USER: pl.String(),
        ITEM: pl.String(),
        BEHAVIOUR: pl.String(),
        TIMESTAMP: TIME,
        VALUE: pl.Float64(),
        DWELL: pl.Float64(),
        TEXT: pl.String(),
        WEIGHT: pl.Float32(),
        CHOSEN: pl.Boolean(),
        EVENT: pl.String(),
    }
)
ITEMS: Final = pl.Schema(
    {
        ITEM: pl.String(),
        TITLE: pl.String(),
        DESCRIPTION: pl.String(),
        CATEGORIES: pl.List(pl.String()),
        TAGS: pl.List(pl.String()),
        BRAND: pl.String(),
        PRICE: pl.Float64(),
        LANGUAGE: pl.String(),
        CREATED: TIME,
        REMOVED: TIME,
        IMAGE: pl.String(),
        AUDIO: pl.String(),
        ATTRIBUTES: ATTRIBUTE_MAP,
    }
)
USERS: Final = pl.Schema({USER: pl.String(), PROFILE_TEXT: pl.String(), ATTRIBUTES: ATTRIBUTE_MAP})
QUARANTINE: Final = pl.Schema({TABLE: pl.String(), ROW: pl.Int64(), REASON: pl.String(), "content": pl.String()})
"""Rows that were refused: table, 1-based data row in its file, reason, and the row as JSON."""

SUSPICIOUS: Final = pl.Schema(
    {
        USER: pl.String(),
        ITEM: pl.String(),
        "sign": pl.String(),
        "certain": pl.Boolean(),
        "events": pl.UInt32(),
        "told": pl.String(),
    }
)
"""Users with a sign of a machine or of fraud: the item they pushed if any, and how many of their events it marks."""
WORDS: Final = pl.Schema({USER: pl.String(), TIMESTAMP: TIME, BEHAVIOUR: pl.String(), TEXT: pl.String()})
"""What users wrote or searched for without an item."""

LEVELS = ("topic", "category", "theme")
