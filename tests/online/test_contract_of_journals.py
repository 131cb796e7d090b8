"""What every store of the journal must do, whichever it is."""

import itertools
import random
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from strata.errors import Conflict, StoreUnavailable
from strata.online.journal import Journal
from strata.online.records import Record
from tests.online.model import JournalModel
from tests.online.stores import Store, event, everything, ids, lines
from tests.online.writing import BATCH, append_batches, append_when_told
from tests.processes import PROCESSES


@pytest.fixture
def journal(store: Store) -> Journal:
    opened = store.open()
    yield opened
    opened.close()


@pytest.mark.slow
def test_holds_what_a_list_would_hold_after_any_acts(new_store: Callable[[], Store]) -> None:
    class Model(JournalModel):
        @property
        def store(self) -> Store:
            if "place" not in vars(self):
                self.place = new_store()
            return self.place

    run_state_machine_as_test(Model, settings=settings(max_examples=25, stateful_step_count=25))


def test_a_retry_changes_nothing_even_with_another_time(journal: Journal) -> None:
    first = journal.append([event("1", at=1.0), event("2", at=1.0)])
    again = journal.append([event("2", at=9.0), event("1", at=9.0)])
    assert [each.new for each in first + again] == [True, True, False, False]
    assert [each.place for each in again] == [each.place for each in reversed(first)]
    assert [kept.record.at for kept in everything(journal)] == [1.0, 1.0]


def test_one_differing_record_keeps_a_whole_batch_out(journal: Journal) -> None:
    journal.append([event("1")])
    before = everything(journal)
    with pytest.raises(ValueError, match="JSON"):
        journal.append([event("0"), event("2", value=float("nan"))])
    with pytest.raises(Conflict, match="'1'"):
        journal.append([event("0"), event("1", "bob"), event("2")])
    assert everything(journal) == before


def test_many_records_come_back_in_order_and_by_parts(journal: Journal) -> None:
    batch = [event(f"{n}", f"user-{n % 3}", n) for n in range(2_500)]
    accepted = journal.append(batch)
    places = [each.place for each in accepted]
    assert places == sorted(set(places))
    assert [kept.record for kept in everything(journal)] == batch
    parts, after = [], 0
    while part := journal.of_kind(["event"], after, 999):
        parts.append(part)
        after = part[-1].place
    assert [len(part) for part in parts] == [999, 999, 502]
    assert [kept.record for kept in itertools.chain(*parts)] == batch
    assert journal.last("user-2") == places[2_498 - (2_498 - 2) % 3]


def test_is_seen_by_another_process_as_soon_as_it_is_acknowledged(store: Store, journal: Journal) -> None:
    here, there = PROCESSES.Pipe()
    other = PROCESSES.Process(target=append_when_told, args=(store.address, there))
    other.start()
    for n in range(200):
        here.send(f"{n}")
        place = here.recv()
        assert journal.last("ann") == place == journal.position()
        assert journal.of_user("ann", place - 1)[0].record.id == f"{n}"
    here.send("")
    other.join()
    assert other.exitcode == 0


def test_processes_that_append_at_once_lose_and_double_nothing(store: Store, journal: Journal, tmp_path: Path) -> None:
    logs = [tmp_path / f"{n}.log" for n in range(3)]
    # The first two write the same records, as retries do; the third its own.
    names = ["same", "same", "own"]
    others = [
        PROCESSES.Process(target=append_batches, args=(store.address, name, log, 60))
        for name, log in zip(names, logs, strict=True)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0, 0]
    assert [len(lines(log)) for log in logs] == [120, 120, 120]
    found = ids(everything(journal))
    expected = {f"{name}-{n}-{part}" for name in names for n in range(60) for part in range(BATCH)}
    assert len(found) == len(expected)
    assert set(found) == expected


def test_threads_share_one_journal(journal: Journal) -> None:
    start = threading.Barrier(8)

    def work(thread: int) -> list[int]:
        start.wait()
        places = []
        for n in range(40):
            (accepted,) = journal.append([event(f"{thread}-{n}", f"user-{thread}")])
            assert journal.last(f"user-{thread}") == accepted.place
            places.append(accepted.place)
        assert [kept.place for kept in journal.of_user(f"user-{thread}")] == places
        return places

    with ThreadPoolExecutor(8) as threads:
        places = list(itertools.chain(*threads.map(work, range(8))))
    assert len(set(places)) == 320 == len(everything(journal))


@pytest.mark.parametrize(("size", "count"), [(1, 500), (200, 100), (20_000, 40)])
def test_forgetting_leaves_no_byte_of_a_user(store: Store, journal: Journal, size: int, count: int) -> None:
    word = secrets.token_hex(6)  # of this test alone: others use the same server
    people = [f"person-{n:03d}-{word}" for n in range(count)]
    shuffled = random.Random(3)  # as users come: then a store moves what it has of them between its pages
    for round_ in range(10):
        kind = ("event", "shown", "satisfied", "correction")[round_ % 4]
        texts = [f"secret-of-{user} " + "x" * shuffled.randrange(size) for user in people]
        batch = [
            Record(kind, f"{round_}-of-{user}", user, 1.0, {"text": text})
            for user, text in zip(people, texts, strict=True)
        ]
        journal.append(shuffled.sample(batch, len(batch)))
    assert store.holds(f"secret-of-{people[7]}")  # or this test could not fail
    leaving = people[::3]
    for user in shuffled.sample(leaving, len(leaving)):
        assert journal.forget(user, 2.0) == 10
    store.settle(journal)
    left = store.contents()
    assert not [(user, name) for user in leaving for name, content in left if user.encode() in content]
    assert not [user for user in leaving if journal.of_user(user)]
    assert {kept.record.user_id for kept in everything(journal)} == {None, *people} - {*leaving}
    assert len(journal.of_user(people[1])) == 10


def test_forgetting_after_old_records_went_leaves_no_byte_either(store: Store, journal: Journal) -> None:
    word = secrets.token_hex(6)
    people = [f"person-{n:04d}-{word}" for n in range(300)]
    for round_ in range(5):
        batch = [
            event(f"{user}-{round_}", user, (n + round_) % 4, text="y" * (n % 97)) for n, user in enumerate(people)
        ]
        journal.append(batch)
    assert journal.retain(3.0) == 1_125
    for user in people:
        journal.forget(user, 9.0)
    store.settle(journal)
    assert not store.holds(word)


def test_old_events_go_and_what_lasts_stays(journal: Journal) -> None:
    kinds = ("event", "shown", "satisfied", "item", "correction")
    journal.append([Record(kind, f"{at}", "ann", at, {}) for kind in kinds for at in (1.0, 2.0, 3.0)])
    assert journal.retain(2.0) == 3
    assert journal.retain(2.0) == 0
    assert [(kept.record.kind, kept.record.at) for kept in everything(journal)] == [
        *((kind, at) for kind in kinds[:3] for at in (2.0, 3.0)),
        *((kind, at) for kind in kinds[3:] for at in (1.0, 2.0, 3.0)),
    ]
    (accepted,) = journal.append([Record("event", "1.0", "ann", 1.0, {})])
    assert accepted.new


def test_the_latest_of_a_user_is_what_is_left_of_their_events_and_corrections(journal: Journal) -> None:
    first, later = journal.append([event("recent", at=5.0), event("told late", at=1.0)])
    journal.append([Record("shown", f"{n}", "ann", 9.0, {}) for n in range(100)])
    assert journal.last("ann") == later.place
    journal.retain(3.0)
    assert journal.last("ann") == first.place
    journal.retain(8.0)
    assert journal.last("ann") == 0
    assert len(journal.of_user("ann")) == 100


def test_says_that_it_is_well_and_that_it_is_closed(store: Store, journal: Journal) -> None:
    journal.append([event("1")])
    before = everything(journal)
    journal.check()
    assert everything(journal) == before
    journal.close()
    for act in (lambda: journal.append([event("2")]), journal.position, journal.check):
        with pytest.raises(StoreUnavailable):
            act()
