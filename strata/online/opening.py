"""Which store keeps the journal: told by its address."""

import re
from pathlib import Path
from typing import Final

from strata.errors import SettingsError
from strata.online.journal import Journal
from strata.online.sqlite import SqliteJournal

FILE: Final = "sqlite:///"
SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
FORMS: Final = f"a path or {FILE}path"


def open_journal(address: str) -> Journal:
    """Open the journal at an address; an SQLite file is made where there is none.

    Raises SettingsError for an address of no known form, StoreUnavailable where the store cannot be reached or would
    not keep what it acknowledges. No message shows more of an address than its scheme: there are passwords in them.
    """
    found = SCHEME.match(address)
    if found is None and address.strip():
        return SqliteJournal(Path(address))
    if address.startswith(FILE) and address != FILE:
        return SqliteJournal(Path(address.removeprefix(FILE)))
    told = f"an address that begins with {found[0]!r} names" if found else "an empty address names"
    raise SettingsError(f"journal: {told} no store; give {FORMS}")
