"""What the journal keeps: one record for each thing that happened while a release served."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal, get_args

Kind = Literal["event", "shown", "satisfied", "item", "correction", "erasure", "clock"]
"""An event of a user; a list that was shown; how satisfied somebody was; an item added, changed or removed; a
correction of a profile; a user who was forgotten; how the platform's time differs from the machine's."""
KINDS: Final[tuple[str, ...]] = get_args(Kind)
STATE: Final[tuple[Kind, ...]] = ("event", "correction")
"""Kinds that a user's interests are made of."""
_JSON: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Record:
    """One thing that happened.

    `id`: the caller's, or made by the service; a second record of the same kind and id changes nothing. `user_id`: whom
    it is of, None for items. `at`: when, in seconds since 1970 of the platform's time. `body`: JSON, by kind.
    """

    kind: Kind
    id: str
    user_id: str | None
    at: float
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as JSON, the same for the same content."""
        return _JSON.encode(self.body)

    @property
    def digest(self) -> bytes:
        """Tells whether a repeated id comes with the same content: SHA-256 of user and body, not of the time.

        The time is left out as the service sets it where the caller did not, so that a retry has another.
        """
        return sha256(f"{self.user_id}\n{self.text}".encode()).digest()


@dataclass(frozen=True)
class Kept:
    """A record with its place in the journal: ascending from 1 in the order of acceptance, gaps allowed."""

    place: int
    record: Record


@dataclass(frozen=True)
class Accepted:
    """What became of an appended record: its place, and whether it is new; else it was there already."""

    place: int
    new: bool
