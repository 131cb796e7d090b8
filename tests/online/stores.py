"""The stores that keep the journal, as tests use them: opened anew, looked into, and written to by other processes."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strata.online.journal import Journal
from strata.online.opening import open_journal
from strata.online.records import KINDS, Kept, Record


@dataclass(frozen=True)
class Store:
    """A place for one journal."""

    address: str
    folder: Path

    def open(self) -> Journal:
        """Open it; one store may be opened several times."""
        return open_journal(self.address)

    def settle(self, journal: Journal) -> None:
        """Wait until what is forgotten has left the disk."""
        end = time.monotonic() + 30
        while not journal.swept():
            assert time.monotonic() < end
            time.sleep(0.01)

    def holds(self, word: str) -> list[str]:
        """Names of the files of the store in which a word stands."""
        return [name for name, content in self.contents() if word.encode() in content]

    def contents(self) -> list[tuple[str, bytes]]:
        """All files of the store."""
        return [(file.name, file.read_bytes()) for file in self.folder.rglob("*") if file.is_file()]


def event(id: str, user: str | None = "ann", at: float = 1_000.0, **body: Any) -> Record:
    """An event of a user."""
    return Record("event", id, user, at, {"item_id": "i1", "behaviour": "click", **body})


def everything(journal: Journal, after: int = 0) -> list[Kept]:
    """All records, in order."""
    return journal.of_kind(KINDS, after)


def ids(kept: list[Kept]) -> list[str]:
    """Ids of records, in their order."""
    return [each.record.id for each in kept]


def lines(file: Path) -> list[str]:
    """Whole lines of a file that a killed process may have left."""
    text = file.read_text() if file.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def note(file: int, line: str) -> None:
    """Add a line to a file: it is there from now on, whatever becomes of this process."""
    os.write(file, f"{line}\n".encode())
