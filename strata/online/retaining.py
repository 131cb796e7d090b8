"""Retention: what is older than is allowed leaves the journal, and the data set's files of it."""

from pathlib import Path
from typing import Final

from strata.data.journal_folder import JournalFolder
from strata.online.draining import place_of, records
from strata.online.journal import Journal
from strata.online.keeping import PASSING
from strata.online.rewriting import without_older

DAY: Final = 86_400.0


def latest(journal: Journal) -> float | None:
    """When the last accepted event happened, in seconds since 1970 of the platform's time; None without any."""
    found = journal.of_kind(["event"], journal.last_of_kind("event") - 1, 1)
    return found[0].record.at if found else None


def retain_journal(journal: Journal, source: Path, days: float) -> int:
    """Remove from the journal what lies so many days before the latest event and the data set has; returns how many.

    Events that are not drained yet stay, and so does all that happened after the earliest of them.
    """
    end = latest(journal)
    if end is None:
        return 0
    waiting = [kept.record.at for kept in records(journal, PASSING, place_of(journal, source), journal.position())]
    return journal.retain(min([end - days * DAY, *waiting]))


def retain_files(journal: Journal, source: Path, days: float) -> int:
    """Remove from the data set's files of journals what lies so many days before the latest event; returns how many."""
    end, folder = latest(journal), JournalFolder.read(source)
    return 0 if end is None or folder is None else without_older(folder, end - days * DAY)
