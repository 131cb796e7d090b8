"""The journal in a file: private, durable, recognised, and clear about disks that are full, locked or damaged."""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from strata.errors import StoreFull, StoreUnavailable
from strata.online.opening import open_journal
from strata.online.sqlite import SqliteJournal
from strata.online.sqlite_file import FULL, connect, failures
from tests.online.stores import Store, event, everything, ids
from tests.online.writing import fill_a_full_disk, open_and_append, until_full
from tests.processes import PROCESSES


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.sqlite"


@pytest.fixture
def journal(file: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(file)
    yield opened
    opened.close()


def test_is_readable_by_its_owner_alone(journal: SqliteJournal, file: Path) -> None:
    journal.append([event("1")])
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    assert modes == dict.fromkeys(["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"], 0o600)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_commit_waits_for_the_disk_and_what_is_deleted_is_overwritten(journal: SqliteJournal, file: Path) -> None:
    # A kill cannot show it: what a process wrote stays with the system. The settings are what there is to see.
    with closing(connect(file, most_bytes=None, timeout=1)) as store:
        found = [
            store.execute(f"pragma {name}").fetchone() for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    assert found == [("wal",), (FULL,), (1,)]


def test_a_file_of_a_newer_version_is_refused_with_a_remedy(journal: SqliteJournal, file: Path) -> None:
    journal.close()
    with closing(sqlite3.connect(file)) as store:
        store.execute("pragma user_version = 99")
    with pytest.raises(StoreUnavailable, match="version 99, and this Strata reads up to 1; install the newer one"):
        SqliteJournal(file)


@pytest.mark.parametrize("content", ["a database", "no database", "a folder"])
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "theirs"
    if content == "a database":
        with closing(sqlite3.connect(file)) as store:
            store.execute("create table songs (title text)")
    elif content == "no database":
        file.write_bytes(b"Dear diary, " * 1_000)
    else:
        file.mkdir()
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(StoreUnavailable, match="theirs"):
        SqliteJournal(file)
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_a_file_that_another_process_holds_is_waited_for_then_told(file: Path) -> None:
    journal = SqliteJournal(file, patience=0.3)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin immediate")
        start = time.monotonic()
        with pytest.raises(StoreUnavailable, match="held it for too long"):
            journal.append([event("1")])
        assert 0.3 <= time.monotonic() - start < 3
        assert everything(journal) == []  # reading goes on
        other.execute("rollback")
    assert journal.append([event("1")])[0].new
    journal.close()


def test_a_file_that_was_taken_away_is_noticed(journal: SqliteJournal, file: Path) -> None:
    journal.append([event("1")])
    away = file.rename(file.with_name("away"))
    for act in (lambda: journal.append([event("2")]), journal.check):
        with pytest.raises(StoreUnavailable, match=r"journal\.sqlite"):
            act()
    file.write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="was replaced while in use"):
        journal.check()
    away.rename(file)
    journal.check()
    assert journal.append([event("2")])[0].new


def test_damage_is_told_as_such(file: Path) -> None:
    journal = SqliteJournal(file)
    journal.append([event(f"{n}", text="x" * 500) for n in range(500)])
    journal.close()
    with file.open("r+b") as content:
        content.seek(4096)
        content.write(os.urandom(file.stat().st_size - 4096))
    with pytest.raises(StoreUnavailable, match="restore it or name another file"):
        everything(SqliteJournal(file))


def test_somebody_who_reads_delays_forgetting_and_the_next_opening_completes_it(file: Path) -> None:
    store = Store(str(file), file.parent)
    journal = SqliteJournal(file, patience=0.2)
    journal.append([event("1", "ann-qzx"), event("2", "bob")])
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from records").fetchone()
        with pytest.raises(StoreUnavailable, match="try again"):
            journal.forget("ann-qzx", 1.0)
        assert journal.of_user("ann-qzx") == []
        assert store.holds("ann-qzx")
        with pytest.raises(StoreUnavailable, match="try again"):
            journal.swept()
    journal.close()
    journal = SqliteJournal(file)
    assert not store.holds("ann-qzx")
    assert journal.swept()
    assert ids(journal.of_user("bob")) == ["2"]
    journal.close()


def test_a_file_as_large_as_allowed_takes_no_more_and_can_still_forget(file: Path) -> None:
    journal = SqliteJournal(file, most_bytes=1 << 20)
    count, message = until_full(
        lambda n: journal.append([event(f"{n}-{part}", f"user-{n}", n, text="y" * 300) for part in range(5)]), 10_000
    )
    assert "SQLITE_FULL" in message
    assert "free space" in message
    assert count > 100
    with pytest.raises(StoreFull):
        journal.check()
    assert len(everything(journal)) == 5 * count
    assert journal.forget("user-0", 1.0) == 5
    assert journal.append([event("1-0", "user-1", text="y" * 300)])[0].new is False  # a retry needs no room
    assert journal.retain(count / 2) > 0
    journal.check()
    assert journal.append([event(f"again-{part}", text="y" * 300) for part in range(5)])[0].new
    assert file.stat().st_size <= 1 << 20
    journal.close()


def test_a_full_disk_is_told_and_left_behind_once_there_is_room(file: Path) -> None:
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=fill_a_full_disk, args=(str(file), there))
    process.start()
    (kept, message) = here.recv()
    assert 0 < kept < 10_000
    assert "SQLITE_IOERR" in message  # how SQLite tells a limit on files; the disk itself refused
    assert "free space" in message
    assert here.recv() is True
    process.join()
    journal = SqliteJournal(file)
    assert ids(everything(journal)) == ["before", *(f"under-{n}" for n in range(kept)), "after"]
    journal.close()


def test_a_disk_error_with_room_left_is_not_called_full(file: Path) -> None:
    file.parent.mkdir()
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR_READ"
    with pytest.raises(StoreUnavailable, match="SQLITE_IOERR_READ"), failures(file):
        raise error


@pytest.mark.slow
def test_processes_that_start_at_once_all_open_the_new_journal(tmp_path: Path) -> None:
    for n in range(5):
        file = tmp_path / f"{n}.sqlite"
        started = [PROCESSES.Process(target=open_and_append, args=(str(file), f"process-{each}")) for each in range(8)]
        for process in started:
            process.start()
        for process in started:
            process.join()
        assert [process.exitcode for process in started] == [0] * 8
        journal = open_journal(str(file))
        assert {each.record.id for each in everything(journal)} == {f"process-{each}" for each in range(8)}
        journal.close()
