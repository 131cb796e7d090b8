"""Which adapter reads a data set: the one its settings name, else the map of its columns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

from strata.data.sources import complete_journey, stack_exchange
from strata.data.sources.source import Source
from strata.data.sources.tables import InteractionsSettings, ItemsSettings, UsersSettings, read_table
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

    Raises SettingsError unless they name an adapter or map interactions and items, and SourceError when the folder,
    a file or a column is missing or unreadable; single values that do not parse mark their row instead.
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
    if settings.interactions is None or settings.items is None:
        known = ", ".join(READERS)
        raise SettingsError(f"source: map the columns of interactions and items, or name an adapter ({known})")
    return Source(
        read_table(settings.folder, settings.interactions),
        read_table(settings.folder, settings.items),
        None if settings.users is None else read_table(settings.folder, settings.users),
    )
