"""Which adapter reads a data set: the one its settings name, else the map of its columns."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import polars as pl
from pydantic import ConfigDict, field_validator

from strata.data.journal_folder import journal_files
from strata.data.schema import ITEM, ITEMS, REASON, USER
from strata.data.sources import complete_journey, stack_exchange
from strata.data.sources.databases import url
from strata.data.sources.databases.snapshot import snapshot_of
from strata.data.sources.documents.settings import DocumentsSettings
from strata.data.sources.documents.tables import Documents
from strata.data.sources.finding import Finding
from strata.data.sources.frames import as_table
from strata.data.sources.grammar import files
from strata.data.sources.likeness import spelled_otherwise
from strata.data.sources.mapping import InteractionsSettings, ItemsSettings, TableSettings, UsersSettings
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

    model_config = ConfigDict(hide_input_in_errors=True)  # a URL may hold a password by mistake

    folder: Path
    database: str | None = None
    """SQLAlchemy's URL, secrets as ${NAME} of the environment; `strata data pull` copies its tables into the folder."""
    adapter: Adapter | None = None
    documents: DocumentsSettings | None = None
    """Files of the folder that are items, or users' own writing; then only the other tables are mapped."""
    interactions: InteractionsSettings | None = None
    items: ItemsSettings | None = None
    users: UsersSettings | None = None

    @field_validator("database")
    @classmethod
    def _without_secrets(cls, given: str | None) -> str | None:
        return given if given is None else url.checked(given)


def read_source(settings: SourceSettings) -> Source:
    """Read the tables that `settings` describe.

    Without a table of items, each item of the interactions is one. Raises SettingsError unless the settings name an
    adapter or map interactions, and SourceError when the folder, a file or a column is missing or unreadable; single
    values that do not parse mark their row instead.
    """
    mapped = settings.interactions, settings.items, settings.users
    if settings.adapter is not None and any((*mapped, settings.documents)):
        raise SettingsError(f"source: the adapter {settings.adapter} maps no columns; keep one of the two")
    if not settings.folder.is_dir():
        how = "fetch the data (`strata data fetch`) or correct source.folder"
        how = how if settings.database is None else "take it from the database: strata data pull"
        raise SourceError(f"{settings.folder} is no folder; {how}")
    if settings.adapter is not None:
        return READERS[settings.adapter](settings.folder)
    if settings.documents is not None:
        return _documents(settings, settings.documents)
    if settings.interactions is None:
        known = ", ".join(READERS)
        raise SettingsError(f"source: map the columns of interactions, set documents, or name an adapter ({known})")
    interactions = _table(settings, "interactions", settings.interactions)
    items = of_interactions(interactions) if settings.items is None else _table(settings, "items", settings.items)
    users = None if settings.users is None else _table(settings, "users", settings.users)
    alike = [*spelled_otherwise(interactions, items, ITEM, "items")]
    alike += [] if users is None else spelled_otherwise(interactions, users, USER, "users")
    interactions = replace(interactions, findings=[*interactions.findings, *alike])
    return Source(interactions, items, users, settings.interactions.time)


def _documents(source: SourceSettings, settings: DocumentsSettings) -> Source:
    """Documents as items, with what a table says people did or else what their authors did; or as profile texts."""
    mapped = {name: getattr(source, name) for name in ("interactions", "items", "users")}
    tables = {name: each for name, each in mapped.items() if each is not None}
    ours = {"items": "items", "profiles": "users"}[settings.are]
    if ours in tables or (ours == "users" and len(tables) < 2):
        needed = "map no items" if ours == "items" else "map interactions and items, and no users"
        raise SettingsError(f"source: documents are {settings.are}; {needed}, or change documents.are")
    theirs = [path for each in tables.values() if each.asked is None for path in files(source.folder, each)]
    documents = Documents(source.folder, settings, [*theirs, *journal_files(source.folder)])
    read = {name: _table(source, name, each) for name, each in tables.items()}
    clock = "clock" if source.interactions is None else source.interactions.time
    if ours == "users":
        return Source(read["interactions"], read["items"], documents.profiles(), clock)
    events = read["interactions"] if "interactions" in read else documents.writings()
    return Source(events, documents.items(), read.get("users"), clock)


def _table(source: SourceSettings, name: str, settings: TableSettings) -> ReadTable:
    if settings.asked is None:
        return read_table(source.folder, settings)
    findings = snapshot_of(source.folder, source.database, name, settings)
    copied = settings.model_copy(update={"file": Path(f"{name}.parquet"), "format": "parquet"})
    table = read_table(source.folder, copied)
    return replace(table, findings=[*findings, *table.findings])


def of_interactions(interactions: ReadTable) -> ReadTable:
    """A table of the items that interactions are with, of which nothing but their ids is known."""
    usable = pl.col(ITEM).filter(pl.col(REASON).is_null()).drop_nulls()
    ids = interactions.parts.each(lambda part: part.select(usable.unique())).unique().sort(ITEM)
    said = Finding(
        "there is no table of items: each item of the interactions is one, its id its title",
        ids.height,
        remedy="map items; where their titles stand in the interactions' file, that file with `repeated: first`",
    )
    return as_table(interactions.origin, ids, ITEMS, {ITEM: pl.col(ITEM)}, findings=[said])
