"""From a stream into the journal: nothing is confirmed to the stream before the journal has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Final, Protocol

from strata.errors import Conflict, StoreError, StrataError
from strata.online.clock import Clock
from strata.online.consumers.parsing import Unreadable, parse
from strata.online.journal import Journal
from strata.online.privacy import Privacy
from strata.online.records import Accepted, Record

WAIT: Final = 1.0
"""Seconds to wait for messages."""
LONGEST_PAUSE: Final = 10.0
"""Seconds to the next try, at most, where the journal or the stream cannot be reached."""


class StreamError(StrataError):
    """A stream cannot be reached just now, or not as it is set."""


@dataclass(frozen=True)
class Entry:
    """A message: its id, which no other message of any stream has, its bytes, and what its stream finds it by."""

    id: str
    message: bytes
    place: Any


@dataclass(frozen=True)
class Refused:
    """A message that is no event or contradicts one, and why."""

    entry: Entry
    reason: str


class Stream(Protocol):
    """Messages, each given until it is settled. Every method raises StreamError where the stream cannot be reached."""

    def take(self, wait: float) -> list[Entry]:
        """Messages that are to be settled, waiting so many seconds for one."""
        ...

    def settle(self, entries: Sequence[Entry], refused: Sequence[Refused]) -> None:
        """Confirm messages; the refused ones among them are put aside first, with their reasons."""
        ...

    def give_back(self, entries: Sequence[Entry]) -> None:
        """Have messages given again."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


@dataclass(frozen=True)
class Consumed:
    """How many messages became new records, were known, and were refused."""

    new: int = 0
    known: int = 0
    refused: int = 0

    def __add__(self, other: "Consumed") -> "Consumed":
        return Consumed(self.new + other.new, self.known + other.known, self.refused + other.refused)


def consume(
    stream: Stream,
    journal: Journal,
    stop: Event,
    *,
    once: bool = False,
    privacy: Privacy | None = None,
    told: Callable[[Exception], None] = lambda error: None,
) -> Consumed:
    """Bring messages into the journal until `stop` is set or, `once`, no more come.

    `privacy`: what becomes of records before they are kept; None: they stay as they are.
    Where the journal or the stream cannot be reached it tries again, ever less often, and tells the error each time;
    `once` raises it, StoreError or StreamError.
    """
    count, pause = Consumed(), 0.1
    while not stop.is_set():
        try:
            step = _step(stream, journal, privacy)
        except (StoreError, StreamError) as error:
            if once:
                raise
            told(error)
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        pause = 0.1
        if once and step is None:
            break
        count += step or Consumed()
    return count


def _step(stream: Stream, journal: Journal, privacy: Privacy | None) -> Consumed | None:
    """The next messages; None where there are none."""
    entries = stream.take(WAIT)
    if not entries:
        return None
    try:
        now = Clock.known_to(journal).now()
        records, refused = _parsed(entries, now)
        if privacy is not None:
            records = [(entry, privacy.of(record)) for entry, record in records]
        accepted, differing = _appended(journal, records)
    except StoreError:
        stream.give_back(entries)
        raise
    refused += differing
    stream.settle(entries, refused)
    new = sum(each.new for each in accepted)
    return Consumed(new, len(accepted) - new, len(refused))


def _parsed(entries: Sequence[Entry], now: float) -> tuple[list[tuple[Entry, Record]], list[Refused]]:
    records, refused = [], []
    for entry in entries:
        try:
            records.append((entry, parse(entry.message, entry.id, now)))
        except Unreadable as error:
            refused.append(Refused(entry, str(error)))
    return records, refused


def _appended(journal: Journal, records: Sequence[tuple[Entry, Record]]) -> tuple[list[Accepted], list[Refused]]:
    """Append all at once; where one contradicts another, each half by itself until it is found."""
    if not records:
        return [], []
    try:
        return journal.append([record for _, record in records]), []
    except Conflict as error:
        if len(records) == 1:
            return [], [Refused(records[0][0], str(error))]
    middle = len(records) // 2
    first, second = _appended(journal, records[:middle]), _appended(journal, records[middle:])
    return first[0] + second[0], first[1] + second[1]
