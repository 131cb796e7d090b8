"""Draining a journal into a data set: everything once, wherever it breaks off, and nothing of the forgotten."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.journal_folder import CHANGES, EVENTS, JournalFolder
from strata.errors import SourceError
from strata.interests.correction_file import parsed
from strata.online.draining import Drained, drain, place_of
from strata.online.journal import Journal
from strata.online.opening import open_journal
from strata.online.records import Record
from strata.online.retaining import DAY, retain_files, retain_journal
from strata.online.rewriting import without_older
from tests.processes import PROCESSES

USERS = ("ann", "bob", "eve")


class Place:
    """A journal and a data set beside one another."""

    def __init__(self, folder: Path) -> None:
        self.source, self.corrections = folder / "data" / "shop", folder / "corrections" / "corrections.jsonl"
        self.source.mkdir(parents=True, exist_ok=True)
        self.journal: Journal = open_journal(str(folder / "journal" / "journal.sqlite"))

    def drain(self) -> Drained | None:
        return drain(self.journal, self.source, self.corrections)

    @property
    def folder(self) -> JournalFolder:
        found = JournalFolder.read(self.source)
        assert found is not None
        return found

    def table(self, kind: Any) -> pl.DataFrame:
        return pl.concat([pl.read_parquet(file.path) for file in self.folder.files(kind)])

    def drained(self) -> Counter[tuple[str, str]]:
        """User and id of each drained event."""
        files = self.folder.files("events")
        return Counter(row for file in files for row in pl.read_parquet(file.path).select("user_id", "event_id").rows())

    def holds(self, word: str) -> list[Path]:
        """Files of the data set and the corrections in which a word stands."""
        files = [path for path in (*self.source.rglob("*"), *self.corrections.parent.glob("*")) if path.is_file()]
        packed = [path for path in files if path.suffix == ".parquet" and word in str(pl.read_parquet(path).rows())]
        return [*packed, *(path for path in files if word.encode() in path.read_bytes())]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def event(id: str, user: str = "ann", **body: Any) -> Record:
    return Record("event", id, user, 1_700_000_000.25, {"item_id": "i1", "behaviour": "click", **body})


def correction(user: str, topic: str) -> Record:
    line = {"time": "2026-01-01T00:00:00Z", "who": "an editor", "user_id": user, "topic": topic, "action": "pin"}
    return Record("correction", f"{user}-{topic}", user, 1_700_000_000.0, line)


def test_events_come_in_stratas_own_columns(place: Place) -> None:
    place.journal.append([event("a", value=4, dwell_s=2.5), event("b", item_id=None, behaviour="search", text="tea")])
    done = place.drain()
    assert (done.events, done.after, done.place) == (2, 0, 2)
    table = place.table("events")
    assert table.schema == EVENTS
    assert table.row(0, named=True) | {"timestamp": None} == {
        "user_id": "ann", "item_id": "i1", "behaviour": "click", "timestamp": None, "value": 4.0, "dwell_s": 2.5,
        "text": None, "event_id": "a", "list_id": None, "place": 1,
    }  # fmt: skip
    assert table["timestamp"].dt.epoch("us").to_list() == [1_700_000_000_250_000] * 2
    assert table.row(1, named=True)["item_id"] is None
    assert table["text"].to_list() == [None, "tea"]


def test_an_empty_journal_leaves_a_data_set_as_it_is(place: Place) -> None:
    assert place.drain() is None
    assert list(place.source.iterdir()) == []


def test_a_drain_with_nothing_new_changes_no_file(place: Place) -> None:
    place.journal.append([event("a")])
    place.drain()
    before = {path: path.stat().st_mtime_ns for path in place.source.rglob("*")}
    place.journal.append([Record("shown", "l1", "ann", 1.0, {"items": []})])  # alone makes no new version
    assert place.drain() is None
    assert {path: path.stat().st_mtime_ns for path in place.source.rglob("*")} == before
    place.journal.append([event("b")])
    assert place.drain().lists == 1


def test_items_are_kept_as_they_were_sent(place: Place) -> None:
    body = {"item_id": "n1", "title": "New", "tags": ["x"], "price": 3, "created_at": "2026-01-02T03:04:05Z"}
    place.journal.append(
        [
            Record("item", "1", None, 5.0, {**body, "attributes": {"b": "2", "a": "1"}}),
            Record("item", "2", None, 6.0, {"item_id": "n1", "removed": True}),
        ]
    )
    assert place.drain().items == 2
    table = place.table("items")
    assert table.schema == CHANGES
    first, second = table.rows(named=True)
    assert first["attributes"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert (first["price"], first["categories"], first["withdrawn"]) == (3.0, [], False)
    assert first["created_at"].isoformat() == "2026-01-02T03:04:05+00:00"
    assert (second["item_id"], second["withdrawn"]) == ("n1", True)


def test_corrections_go_into_their_file_once_and_leave_with_their_user(place: Place) -> None:
    place.corrections.parent.mkdir()
    place.corrections.write_text(
        '{"time": "2025-01-01T00:00:00Z", "who": "x", "user_id": "bob", "topic": "t", "action": "pin"}\n'
    )
    place.journal.append([correction("ann", "t1"), correction("bob", "t2")])
    assert place.drain().corrections == 2
    assert [line.user_id for _, line in parsed(place.corrections)] == ["bob", "ann", "bob"]
    place.journal.forget("bob", 2.0)
    place.journal.append([correction("bob", "t3")])  # who comes back is a new user
    assert place.drain().corrections == 1
    assert [(line.user_id, line.topic) for _, line in parsed(place.corrections)] == [("ann", "t1"), ("bob", "t3")]


def test_a_forgotten_user_leaves_the_files_that_had_them_and_no_other_is_touched(place: Place) -> None:
    place.journal.append([event("a", "ann"), event("b", "eve-the-unique", text="a word of eve-the-unique")])
    place.drain()
    place.journal.append([event("c", "ann"), correction("eve-the-unique", "t"), event("d", "bob")])
    place.journal.append([Record("shown", "l", "eve-the-unique", 1.0, {"items": []})])
    place.journal.append([event("e", "bob")])
    place.drain()
    place.journal.append([event("f", "ann")])
    place.drain()
    assert place.holds("eve-the-unique")
    last = place.folder.files("events")[-1].path
    untouched = last.stat()
    place.journal.forget("eve-the-unique", 3.0)
    done = place.drain()
    assert (done.erasures, done.forgotten) == (1, 2)
    assert not place.holds("eve-the-unique")
    assert (last.stat().st_ino, last.stat().st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns)
    assert sorted(id for _, id in place.drained()) == ["a", "c", "d", "e", "f"]


def test_what_is_older_than_allowed_goes(place: Place) -> None:
    old, new = event("old"), event("new")
    place.journal.append([Record("event", "old", "ann", 1_000.0, old.body), new])
    place.drain()
    assert without_older(place.folder, 2_000.0) == 1
    assert place.drained() == Counter({("ann", "new"): 1})
    assert without_older(place.folder, 2_000.0) == 0


def test_the_journal_lets_go_of_what_is_old_and_drained(place: Place) -> None:
    now = 1_700_000_000.0
    times = {"old": now - 40 * DAY, "young": now - 5 * DAY}
    place.journal.append([Record("event", id, "ann", at, event(id).body) for id, at in times.items()])
    place.journal.append([Record("shown", "l", "ann", now - 39 * DAY, {"items": []})])
    assert place.drain().events == 2
    place.journal.append([Record("event", "late", "ann", now - 50 * DAY, {}), Record("event", "now", "ann", now, {})])
    assert retain_journal(place.journal, place.source, days=30) == 0  # what came late is not drained yet
    assert place.drain().events == 2
    assert retain_journal(place.journal, place.source, days=30) == 3
    assert [kept.record.id for kept in place.journal.of_kind(["event", "shown"])] == ["young", "now"]
    assert retain_files(place.journal, place.source, days=45) == 1
    assert sorted(id for _, id in place.drained()) == ["now", "old", "young"]


def test_a_folder_of_somebody_elses_files_is_not_taken(place: Place) -> None:
    (place.source / "events").mkdir()
    (place.source / "events" / "january.parquet").write_bytes(b"theirs")
    place.journal.append([event("a")])
    with pytest.raises(SourceError, match="holds other files than a journal's"):
        place.drain()
    assert [path.name for path in (place.source / "events").iterdir()] == ["january.parquet"]


def test_a_data_set_that_lacks_what_was_drained_gets_it_again(place: Place, tmp_path: Path) -> None:
    place.journal.append([event("a"), event("b")])
    place.journal.drain(place.drain().place)
    other = Place(tmp_path / "other")
    done = drain(place.journal, other.source, other.corrections)
    assert (done.events, done.again_from) == (2, 0)


def test_journals_do_not_meet_in_one_data_set(place: Place, tmp_path: Path) -> None:
    second = Place(tmp_path / "second")
    for journal in (place.journal, second.journal):
        journal.append([event("a", "ann"), event("b", "bob")])
        drain(journal, place.source, place.corrections)
    assert len(place.folder.places) == 2
    assert place.drained() == Counter({("ann", "a"): 2, ("bob", "b"): 2})
    second.journal.forget("bob", 9.0)
    drain(second.journal, place.source, place.corrections)
    assert place.drained() == Counter({("ann", "a"): 2})


class Broken(OSError):
    pass


@contextmanager
def breaking(at: int, do: Callable[[], Any]) -> Iterator[list[str]]:
    """Does `do` instead of the `at`-th change of a name or removal of a file in this process; tells which it was."""
    done, hit = {"n": 0}, list[str]()
    originals = {name: getattr(os, name) for name in ("replace", "unlink", "fsync")}

    def wrapped(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            done["n"] += 1
            if done["n"] == at:
                hit.append(name)
                do()
            return originals[name](*arguments, **named)

        return call

    for name in originals:
        setattr(os, name, wrapped(name))
    try:
        yield hit
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


def raise_broken() -> None:
    raise Broken


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.sampled_from(USERS)),
        st.tuples(st.just("correction"), st.sampled_from(USERS)),
        st.tuples(st.just("forget"), st.sampled_from(USERS)),
        st.tuples(st.just("drain"), st.integers(0, 14)),
    ),
    max_size=14,
)


@given(STEPS)
def test_whatever_happens_and_breaks_off_in_the_end_everything_is_there_once(steps: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        expected: dict[str, list[str]] = {user: [] for user in USERS}
        corrected: dict[str, list[str]] = {user: [] for user in USERS}
        for number, (step, what) in enumerate(steps):
            match step:
                case "event":
                    place.journal.append([event(f"e{number}", what)])
                    expected[what].append(f"e{number}")
                case "correction":
                    place.journal.append([correction(what, f"t{number}")])
                    corrected[what].append(f"t{number}")
                case "forget":
                    place.journal.forget(what, float(number))
                    expected[what], corrected[what] = [], []
                case "drain":
                    with breaking(what, raise_broken):
                        try:
                            place.drain()
                        except Broken:
                            continue
        place.drain()
        if JournalFolder.read(place.source) is None:
            assert {step for step, _ in steps} <= {"drain"}
            return
        assert place.drained() == Counter((user, id) for user, ids in expected.items() for id in ids)
        there = Counter((line.user_id, line.topic) for _, line in parsed(place.corrections))
        assert there == Counter((user, topic) for user, topics in corrected.items() for topic in topics)
        assert not place.folder.files(settled=False)
        last = max((place.journal.last_of_kind(kind) for kind in ("event", "correction", "erasure")), default=0)
        assert place_of(place.journal, place.source) == last


def drain_until(folder: Path, at: int) -> None:
    place = Place(folder)
    with breaking(at, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        place.drain()


@pytest.mark.slow
def test_a_drain_that_is_killed_before_any_change_of_a_file_loses_and_doubles_nothing(tmp_path: Path) -> None:
    killed = 0
    for at in range(1, 40):
        folder = tmp_path / str(at)
        place = Place(folder)
        place.journal.append([event("a", "ann"), event("b", "bob")])
        place.drain()
        place.journal.forget("bob", 2.0)
        place.journal.append([event("c"), correction("ann", "t"), Record("item", "1", None, 1.0, {"item_id": "n"})])
        place.journal.close()
        process = PROCESSES.Process(target=drain_until, args=(folder, at))
        process.start()
        process.join(60)
        again = Place(folder)
        again.drain()
        assert again.drained() == Counter({("ann", "a"): 1, ("ann", "c"): 1})
        assert len(parsed(again.corrections)) == 1
        assert again.table("items").height == 1
        assert not [path for path in again.source.rglob("*") if path.name.endswith(".tmp")]
        again.journal.close()
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        killed += 1
    assert killed >= 8, "the fault was never met"
