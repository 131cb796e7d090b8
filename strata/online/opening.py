"""Which store keeps the journal: told by its address."""

import re
from pathlib import Path
from typing import Final

from strata.errors import SettingsError
from strata.online.journal import Journal
from strata.online.sqlite import SqliteJournal

FILE: Final = "sqlite:///"
SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
REDIS: Final = ("redis://", "rediss://", "unix://")
FORMS: Final = f"a path, {FILE}path, redis://host:port/number, rediss://… (by TLS) or unix:///path/of/a/socket"


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
    if address.startswith(REDIS):
        return _in_redis(address)
    told = f"an address that begins with {found[0]!r} names" if found else "an empty address names"
    raise SettingsError(f"journal: {told} no store; give {FORMS}")


def _in_redis(address: str) -> Journal:
    try:
        from strata.online.redis import RedisJournal
        from strata.online.redis_server import split_address
    except ModuleNotFoundError:
        raise SettingsError("journal: Redis needs its client; install it by `pip install strata[service]`") from None
    url, own = split_address(address)
    if own.get("trusted", "true") not in ("true", "false"):
        raise SettingsError("journal: in the address, trusted is true or false")
    patience = own.get("patience", "1")
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", patience) or not float(patience):
        raise SettingsError("journal: in the address, patience is a number of seconds, such as 2.5")
    trusted = own.get("trusted") == "true"
    return RedisJournal(url, own.get("prefix", "strata"), trusted=trusted, patience=float(patience))
