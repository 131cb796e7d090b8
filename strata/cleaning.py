"""Rules that accept or quarantine rows: what leaves here conforms to the schema, and nothing vanishes."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, UTC
from typing import Any, Self

import polars as pl
from pydantic import Field, model_validator

from strata.errors import ValidationFailed
from strata.normalise import languages, plain_text, plain_texts
from strata.schema import (
    ATTRIBUTE_MAP, ATTRIBUTES, BEHAVIOUR, BEHAVIOURS, BRAND, CATEGORIES, DESCRIPTION, DWELL, EVENT, INTERACTIONS,
    ITEM, ITEMS, LANGUAGE, PROFILE_TEXT, QUARANTINE, REASON, ROW, TABLE, TAGS, TEXT, TIMESTAMP, TITLE, USER, USERS,
    VALUE, WEIGHT, Behaviour,
)  # fmt: skip
from strata.settings import Settings
from strata.sources import ReadTable, Source

Rules = list[tuple[str, pl.Expr]]
"""Reason and when it holds; the first that holds is the row's reason."""


class RatingSettings(Settings):
    """The scale of ratings: the weight of a rating runs from -1 to 1, through 0 at neutral."""

    lowest: float = 1.0
    highest: float = 5.0
    neutral: float = 2.5

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.lowest < self.neutral < self.highest:
            raise ValueError("neutral must lie between lowest and highest")
        return self


class CleaningSettings(Settings):
    """What a behaviour says about interest, and what is refused."""

    weights: dict[Behaviour, float]
    """Of every behaviour; negative where it speaks against the item."""
    rating: RatingSettings = RatingSettings()
    earliest: date = date(1990, 1, 1)
    """Interactions before this day are impossible."""
    latest: date | None = None
    """Last day of possible interactions; null: the moment of cleaning."""
    longest_text: int = Field(default=20_000, ge=1)
    """Characters."""
    quarantine_at_most: float = Field(default=0.1, ge=0, le=1)
    """Share of a table's rows."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := [behaviour for behaviour in BEHAVIOURS if behaviour not in self.weights]:
            raise ValueError(f"weights lack {', '.join(missing)}; give each behaviour a weight, 0 to ignore it")
        return self


@dataclass(frozen=True)
class Counts:
    """What became of one table's rows: `reasons` and `warnings` with how many rows each."""

    origin: str
    read: int
    accepted: int
    first_refused: int | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        """Rows refused."""
        return self.read - self.accepted


@dataclass(frozen=True)
class Cleaned:
    """The three tables as strata/schema.py has them, what was refused, and the counts of each table read."""

    interactions: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    quarantine: pl.DataFrame
    counts: dict[str, Counts]


def clean(source: Source, settings: CleaningSettings, now: datetime) -> Cleaned:
    """Judge, normalise and sort the rows of `source`; `now` only refuses interactions that lie after it.

    Items and users come sorted by id, interactions by user, time, item and event. Without a users table the users
    are those of the accepted interactions.
    """
    items, bad_items = _judge(source.items, _identified(ITEM), unique=ITEM)
    rules = _identified(USER) + _identified(ITEM) + _event_rules(settings, now)
    rules.append(("item_id is not in items", ~pl.col(ITEM).is_in(items[ITEM].implode())))
    judged = {"items": bad_items}
    counts_of = {"items": source.items}
    users = None
    if source.users is not None:
        users, judged["users"] = _judge(source.users, _identified(USER), unique=USER)
        counts_of["users"] = source.users
        rules.append(("user_id is not in users", ~pl.col(USER).is_in(users[USER].implode())))
    interactions, judged["interactions"] = _judge(source.interactions, rules, unique=EVENT)
    counts_of["interactions"] = source.interactions
    if users is None:
        users = interactions.select(USER).unique()
    warnings: dict[str, dict[str, int]] = {name: dict(table.warnings) for name, table in counts_of.items()}
    longest = settings.longest_text
    quarantine = [_contents(name, counts_of[name], judged[name]) for name in ("interactions", "items", "users") if name in judged]
    return Cleaned(
        interactions=_finish_interactions(interactions, settings, warnings["interactions"]),
        items=_finish_items(items, longest, warnings["items"]),
        users=_finish_users(users, longest, warnings.get("users", {})),
        quarantine=pl.concat(quarantine),
        counts={name: _count(table, judged[name], warnings[name]) for name, table in counts_of.items()},
    )
