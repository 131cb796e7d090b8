"""The Redis server that keeps a journal: reached within a bounded time, and asked whether it keeps what it confirms."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from strata.errors import SettingsError, StoreFull, StoreUnavailable
from strata.online.redis_scripts import OTHER

NEEDED: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
    "save": "",
}
"""What a server must be set to: each event on the disk before it is confirmed, none evicted, and no copies in snapshots
that would outlive those who are forgotten."""
TRUSTED: Final[str] = "trusted"
"""Parameter of an address: whether the operator vouches for NEEDED where CONFIG is forbidden."""
PREFIX: Final[str] = "prefix"
PATIENCE: Final[str] = "patience"
"""Parameter of an address: seconds after which a silent server is given up."""
RETRIES: Final = 2
_NONE: Final = '""'
PAUSE: Final = 0.05
"""Seconds between two tries to connect."""


def split_address(address: str) -> tuple[str, dict[str, str]]:
    """The address that the client takes, and the parameters that are ours: `prefix`, `trusted`, `patience`."""
    base, _, query = address.partition("?")
    try:
        given = dict(parse_qsl(query, strict_parsing=bool(query)))
    except ValueError:
        raise _unreadable() from None
    own = {name: given.pop(name) for name in (PREFIX, TRUSTED, PATIENCE) if name in given}
    return f"{base}?{urlencode(given)}" if given else base, own


def connect(url: str, patience: float) -> redis.Redis:
    """A client that gives up after some `patience` seconds and connects anew at the next call. Raises SettingsError."""
    try:
        client = redis.Redis.from_url(
            url,
            socket_connect_timeout=0.3 * patience,
            socket_timeout=0.6 * patience,
            # A server that is silent is not asked again: the caller has waited long enough.
            retry=Retry(ConstantBackoff(PAUSE), RETRIES, supported_errors=(redis.ConnectionError,)),
            client_name="strata",
            protocol=2,  # answers have one form then, whichever version of the client is installed
        )
        client.connection_pool.make_connection()  # of all parameters; it does not connect yet
    except (ValueError, TypeError):  # whose messages may show a password
        raise _unreadable() from None
    return client


def place_of(client: redis.Redis) -> str:
    """Where a server is, without the password."""
    known = client.connection_pool.connection_kwargs
    if "path" in known:
        return f"Redis at {known['path']}"
    return f"Redis at {known.get('host', 'localhost')}:{known.get('port', 6379)}/{known.get('db', 0)}"


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Raise the client's errors as the journal's."""
    try:
        yield
    except redis.exceptions.OutOfMemoryError as error:
        raise StoreFull(f"{where} has no memory left; raise maxmemory, or keep events for less long") from error
    except redis.exceptions.ResponseError as error:
        if str(error).startswith(OTHER):
            raise StoreUnavailable(
                f"{where} has lost the journal that was there, or has another; restore it, or start anew"
            ) from error
        raise StoreUnavailable(f"{where}: {error}") from error
    except redis.RedisError as error:
        raise StoreUnavailable(f"{where}: {error}") from error


def refuse_unless_durable(client: Any, where: str) -> None:
    """Raise StoreUnavailable, with the remedy, unless a server keeps what it confirms, or does not tell."""
    try:
        found = {name: _text(value) for name, value in client.config_get(*NEEDED).items()}
    except redis.exceptions.ResponseError as error:
        wanted = "; ".join(f"{name} {value or _NONE}" for name, value in NEEDED.items())
        raise StoreUnavailable(
            f"{where} does not answer CONFIG GET: it is forbidden, or the server is older than Redis 7. So nobody can"
            f" tell whether events would last. Make sure of {wanted}, then add {TRUSTED}=true to the address"
        ) from error
    wrong = [name for name, value in NEEDED.items() if found.get(_text(name), value) != value]
    if wrong:
        told = ", ".join(f"{name} is {found[name] or _NONE}" for name in wrong)
        remedy = "; ".join(f"CONFIG SET {name} {NEEDED[name] or _NONE}" for name in wrong)
        raise StoreUnavailable(f"{where} would lose events or keep forgotten ones: {told}. Set it: {remedy}")


def rewrite(client: Any) -> None:
    """Have a server write its append-only file anew."""
    with suppress(redis.exceptions.ResponseError):  # another client was faster
        client.bgrewriteaof()


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _unreadable() -> SettingsError:
    return SettingsError(
        "the address of Redis cannot be read; give redis://user:password@host:port/number, with characters"
        " such as / and # in the password written as %2F and %23"
    )
