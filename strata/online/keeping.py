"""What every store of the journal does alike: keys that name nobody, which kinds pass, how a conflict is told."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from strata.errors import Conflict
from strata.online.erasures import BYTES, erased
from strata.online.records import Kind

PASSING: Final[tuple[Kind, ...]] = ("event", "shown", "satisfied")
"""Kinds that are kept for a time; the others stay until a later one takes their place."""
NAMED: Final = 10
"""Ids that an error names."""


def user_key(user_id: str, journal: str) -> bytes:
    """What a store finds a user's records by: 16 bytes, those of the user's erasure."""
    return bytes.fromhex(erased(user_id, journal))


def id_key(kind: str, id: str, journal: str) -> bytes:
    """What a store finds a record by: 16 bytes."""
    return blake2b(f"{kind}\n{id}".encode(), digest_size=BYTES, key=journal.encode()[:64]).digest()


def conflict(ids: Sequence[str]) -> Conflict:
    """The error that names ids which are there with other content."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    named = ", ".join(map(repr, ids[:NAMED]))
    return Conflict(f"{named}{more}: there already with other content; give each new record an id of its own")
