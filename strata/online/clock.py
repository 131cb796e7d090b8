"""The platform's time: the machine's, or for data of the past a clock that runs on from the data's end."""

import time
from dataclasses import dataclass
from typing import Literal, Self

from strata.errors import Conflict
from strata.online.journal import Journal
from strata.online.records import Record

Kind = Literal["wall", "data"]


@dataclass(frozen=True)
class Clock:
    """Seconds since 1970 of the platform: the machine's plus `ahead`."""

    ahead: float = 0.0

    def now(self) -> float:
        """The platform's time."""
        return time.time() + self.ahead

    @classmethod
    def of(cls, kind: Kind, journal: Journal, data_end: float) -> Self:
        """The machine's clock, or ("data") one that stood at `data_end` when the journal's first service started.

        The journal keeps what was found first, for all workers, replicas and releases. Raises StoreUnavailable.
        """
        if kind == "wall":
            return cls()
        ahead = round(data_end - time.time(), 3)
        try:
            journal.append([Record("clock", "data", None, data_end, {"ahead": ahead})])
        except Conflict:
            return cls.known_to(journal)
        return cls(ahead)

    @classmethod
    def known_to(cls, journal: Journal) -> Self:
        """The clock of the services that use a journal: the machine's where none of them has set another."""
        kept = journal.of_kind(["clock"])
        return cls(float(kept[0].record.body["ahead"]) if kept else 0.0)
