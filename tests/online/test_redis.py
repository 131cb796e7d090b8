"""The journal in Redis: refuses a server that would lose events, and outlives one that is killed, full or silent."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from strata.errors import StoreFull, StoreUnavailable
from strata.online.opening import open_journal
from strata.online.redis import RedisJournal
from tests.online.servers import DURABLE, RedisServer
from tests.online.stores import event, everything, ids, lines
from tests.online.writing import BATCH, append_until_stopped, until_full
from tests.processes import PROCESSES

PASSWORD = "hunter2-qzx"


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start a server of the test's own, with settings."""
    started = []

    def start(**settings: str) -> RedisServer:
        started.append(RedisServer(tmp_path / f"redis-{len(started)}", **settings))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def server(new_server: Callable[..., RedisServer]) -> RedisServer:
    return new_server()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory-policy", "allkeys-lru"),
        ("save", "60 1"),
    ],
)
def test_a_server_that_would_lose_events_is_refused_with_the_remedy(redis_server: RedisServer, name, value) -> None:
    journal = RedisJournal(redis_server.url)
    journal.check()
    wanted = DURABLE.get(name, "no")
    with redis_server.client() as client:
        client.config_set(name, value)
        try:
            for act in (lambda: RedisJournal(redis_server.url), journal.check):
                with pytest.raises(StoreUnavailable, match=f"{name} is {value}.*CONFIG SET {name} {wanted or '..'}"):
                    act()
        finally:
            client.config_set(name, wanted)
    journal.check()
    journal.close()


def test_a_server_that_does_not_tell_is_taken_at_the_operators_word(server: RedisServer) -> None:
    with server.client() as client:
        client.acl_setuser(
            "shy", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], categories=["+@all"], commands=["-config"]
        )
    address = server.url.replace("://", f"://shy:{PASSWORD}@")
    with pytest.raises(
        StoreUnavailable, match=r"does not answer CONFIG GET.*appendfsync always.*add trusted=true"
    ) as caught:
        open_journal(address)
    assert PASSWORD not in str(caught.value)
    journal = open_journal(f"{address}?trusted=true")
    journal.check()
    assert journal.append([event("1")])[0].new
    journal.close()


def test_a_wrong_password_is_told_without_the_right_or_wrong_one(new_server: Callable[..., RedisServer]) -> None:
    server = new_server(requirepass=PASSWORD)
    for address in (server.url, server.url.replace("://", "://:wrong-qzx@")):
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1") as caught:
            open_journal(address)
        assert "qzx" not in str(caught.value)
    open_journal(server.url.replace("://", f"://:{PASSWORD}@")).close()


def test_journals_of_other_prefixes_know_nothing_of_each_other(redis_server: RedisServer) -> None:
    first, second = (open_journal(f"{redis_server.url}?prefix={name}") for name in ("one-qzx", "two-qzx"))
    first.append([event("1")])
    assert everything(second) == []
    assert first.facts().name != second.facts().name
    first.close()
    second.close()


@pytest.mark.slow
def test_a_killed_server_has_every_acknowledged_record_when_it_is_back(server: RedisServer, tmp_path: Path) -> None:
    journal = RedisJournal(server.url)
    kept: set[str] = set()
    failed = 0
    for n in range(12):
        log = tmp_path / f"{n}.log"
        writer = PROCESSES.Process(target=append_until_stopped, args=(server.url, f"round-{n}", log))
        writer.start()
        while len(lines(log)) < 3:
            time.sleep(0.001)
        time.sleep(0.002 * n)
        server.kill()
        writer.join()
        noted = lines(log)
        failed += noted[-1].startswith("failed")
        with pytest.raises(StoreUnavailable):
            journal.position()
        server.start()
        kept |= {f"round-{n}-{line.split()[1]}-{part}" for line in noted if line[0] == "k" for part in range(BATCH)}
        found = ids(everything(journal))  # the journal reconnected by itself
        assert len(found) == len(set(found))
        assert kept <= set(found)
        assert len(found) % BATCH == 0
    assert failed == 12  # each kill hit a writer, which was told
    journal.close()


def test_an_outage_is_told_within_a_second_and_left_behind(server: RedisServer) -> None:
    journal = RedisJournal(server.url)
    journal.append([event("1")])
    for halt, resume in (
        (server.kill, server.start),
        (lambda: server.process.send_signal(signal.SIGSTOP), lambda: server.process.send_signal(signal.SIGCONT)),
    ):
        halt()
        for act in (lambda: journal.append([event("2")]), lambda: journal.last("ann"), journal.check, journal.swept):
            start = time.monotonic()
            with pytest.raises(StoreUnavailable, match=r"Redis at 127\.0\.0\.1"):
                act()
            assert time.monotonic() - start < 1
        resume()
        journal.check()
    journal.append([event("2")])
    assert ids(everything(journal)) == ["1", "2"]
    journal.close()


def test_a_server_that_lost_the_journal_is_not_written_to(server: RedisServer) -> None:
    journal = RedisJournal(server.url)
    journal.append([event("1")])
    with server.client() as client:
        client.flushall()
    for act in (lambda: journal.append([event("2")]), journal.check, lambda: journal.of_user("ann")):
        with pytest.raises(StoreUnavailable, match="has lost the journal that was there"):
            act()
    journal.close()


def test_a_full_server_takes_no_more_and_can_still_forget(server: RedisServer) -> None:
    journal = RedisJournal(server.url)
    journal.append([event("0", "ann", 0.0, text="z" * 100_000)])
    with server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + (1 << 20))
        count, message = until_full(lambda n: journal.append([event(f"{n}-x", "bob", text="y" * 1_000)] * 3), 10_000)
        assert 100 < count < 10_000
        assert "no memory left; raise maxmemory" in message
        client.config_set("maxmemory", client.info("memory")["used_memory"] - (1 << 18))
        with pytest.raises(StoreFull):
            journal.check()
        assert len(everything(journal)) == count + 1
        assert journal.forget("nobody", 1.0) == 0
        assert len(journal.of_kind(["erasure"])) == 1
        assert journal.forget("ann", 1.0) == 1
        assert journal.forget("bob", 1.0) == count
        journal.check()
    assert journal.append([event("after")])[0].new
    journal.close()


def test_says_when_what_was_forgotten_has_left_the_disk(server: RedisServer) -> None:
    journal = RedisJournal(server.url)
    assert journal.swept()
    journal.append([event(f"{n}", "ann-qzx", text="x" * 100) for n in range(1_000)])

    def on_disk() -> bool:
        return any(b"ann-qzx" in file.read_bytes() for file in server.folder.rglob("*") if file.is_file())

    journal.forget("ann-qzx", 1.0)
    end = time.monotonic() + 30
    while not journal.swept():
        assert time.monotonic() < end
    assert not on_disk()
    # A rewriting that began before is no proof: one is under way while somebody is forgotten.
    journal.append([event("later", "ann-qzx")])
    with server.client() as client:
        client.config_set("rdb-key-save-delay", 2_000_000)
        client.bgrewriteaof()
        journal.forget("ann-qzx", 2.0)
        assert not journal.swept()
        assert on_disk()
        client.config_set("rdb-key-save-delay", 0)
    # Nor does a start of the server undo what is still to do.
    server.kill()
    server.start()
    assert not journal.swept()
    while not journal.swept():
        assert time.monotonic() < end
    assert not on_disk()
    journal.close()
