"""Which adapter reads a data set: the one its settings name, else the map of its columns."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import polars as pl

from strata.data.schema import ITEM, ITEMS, REASON, USER
from strata.data.sources import complete_journey, stack_exchange
from strata.data.sources.finding import Finding
from strata.data.sources.frames import as_table
from strata.data.sources.likeness import spelled_otherwise
from strata.data.sources.mapping import InteractionsSettings, ItemsSettings, UsersSettings
from strata.data.sources.source import ReadTable, Source
from strata.data.sources.tables import read_table
from strata.errors import SettingsError, SourceError
from strata.settings import Settings

Adapter = Literal["complete-journey", "stack-exchange"]
READERS: Final[Mapping[Adapter, Callable[[Path], Source]]] = {
    "complete-journey": complete_journey.read,
    "stack-exchange": stack_exchange.read,
}


class SourceSettings(Settings):
    """One data set: its folder, and either the adapter that knows its files or the map of its tables' columns."""

    folder: Path
    adapter: Adapter | None = None
    interactions: InteractionsSettings | None = None
    items: ItemsSettings | None = None
    users: UsersSettings | None = None


def read_source(settings: SourceSettings) -> Source:
    """Read the tables that `settings` describe.

    Without a table of items, each item of the interactions is one. Raises SettingsError unless the settings name an
    adapter or map interactions, and SourceError when the folder, a file or a column is missing or unreadable; single
    values that do not parse mark their row instead.
    """
    mapped = settings.interactions, settings.items, settings.users
    if settings.adapter is not None and any(mapped):
        raise SettingsError(f"source: the adapter {settings.adapter} maps no columns; keep one of the two")
    if not settings.folder.is_dir():
        raise SourceError(
            f"{settings.folder} is no folder; fetch the data (`strata data fetch`) or correct source.folder"
        )
    if settings.adapter is not None:
        return READERS[settings.adapter](settings.folder)
    if settings.interactions is None:
        known = ", ".join(READERS)
        raise SettingsError(f"source: map the columns of interactions, or name an adapter ({known})")
    interactions = read_table(settings.folder, settings.interactions)
    items = of_interactions(interactions) if settings.items is None else read_table(settings.folder, settings.items)
    users = None if settings.users is None else read_table(settings.folder, settings.users)
    alike = [*spelled_otherwise(interactions, items, ITEM, "items")]
    alike += [] if users is None else spelled_otherwise(interactions, users, USER, "users")
    interactions = replace(interactions, findings=[*interactions.findings, *alike])
    return Source(interactions, items, users, settings.interactions.time)


def of_interactions(interactions: ReadTable) -> ReadTable:
    """A table of the items that interactions are with, of which nothing but their ids is known."""
    ids = interactions.rows.filter(pl.col(REASON).is_null()).select(pl.col(ITEM).drop_nulls().unique().sort())
    said = Finding(
        "there is no table of items: each item of the interactions is one, its id its title",
        ids.height,
        remedy="map items; where their titles stand in the interactions' file, that file with `repeated: first`",
    )
    return as_table(interactions.origin, ids, ITEMS, {ITEM: pl.col(ITEM)}, findings=[said])
