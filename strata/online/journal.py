"""The contract of the journal, which every store keeps: durable, idempotent, in one order, forgetful when asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from strata.online.records import Accepted, Kept, Kind, Record


@dataclass(frozen=True)
class JournalFacts:
    """What a journal is: `name`, made once, tells it from others; `began`: when, in seconds of the machine's time.

    `drained`: the place up to which a data version has its events.
    """

    name: str
    began: float
    drained: int


class Journal(Protocol):
    """Records in the order of acceptance, shared by all workers (and, with Redis, by all replicas).

    Every method raises StoreUnavailable where the store cannot be reached or is damaged. Methods may be called from
    several threads at once. `local`: whether asking for a place takes microseconds, or goes over a network.
    """

    local: bool

    def append(self, records: Sequence[Record]) -> list[Accepted]:
        """Keep records, all or none, and return once they are durable and every reader sees them.

        A record whose kind and id are there with the same content changes nothing. Raises Conflict naming the ids that
        are there with other content (or twice in `records`, differing), StoreFull where there is no room.
        """
        ...

    def of_user(self, user_id: str, after: int = 0, kinds: Collection[Kind] = ()) -> list[Kept]:
        """The records of a user after a place, of some kinds or (empty) all, in order."""
        ...

    def of_kind(self, kinds: Collection[Kind], after: int = 0, most: int | None = None) -> list[Kept]:
        """The records of some kinds after a place, in order, at most so many."""
        ...

    def last(self, user_id: str) -> int:
        """The place of a user's latest record of STATE, 0 without any: what an answer about them depends on."""
        ...

    def last_of_kind(self, kind: Kind) -> int:
        """The place of the latest record of a kind, 0 without any."""
        ...

    def position(self) -> int:
        """The place of the latest record of all, 0 in an empty journal."""
        ...

    def facts(self) -> JournalFacts:
        """Name, beginning, and how far it is drained."""
        ...

    def drain(self, place: int) -> None:
        """Note that a data version has all events up to a place; a lower one than before changes nothing."""
        ...

    def forget(self, user_id: str, at: float) -> int:
        """Remove all records of a user, keep an erasure in their place, all in one step; returns how many went.

        The erasure's id is `erased(user_id, name)` (see erasures.py), its user None: no trace of the user is left in
        the store, nor in its files once this returns.
        """
        ...

    def retain(self, since: float) -> int:
        """Remove events, shown lists and satisfactions before a time (seconds); returns how many."""
        ...

    def swept(self) -> bool:
        """Whether all that was removed has left the disk; where it has not, the store is told to see to it."""
        ...

    def check(self) -> None:
        """Raise unless records could be written and read just now."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
