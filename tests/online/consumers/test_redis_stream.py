"""Events from a stream in Redis: consumers are killed, servers go away, and some messages are no events."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from strata.online.consumers.consuming import Consumed, consume
from strata.online.consumers.redis_stream import RedisStream
from strata.online.redis import RedisJournal
from strata.online.sqlite import SqliteJournal
from tests.online.servers import RedisServer
from tests.online.stores import everything, ids
from tests.online.writing import consume_a_stream
from tests.processes import PROCESSES


def sent(n: int, **fields: object) -> str:
    return json.dumps({"user_id": f"u{n % 7}", "item_id": f"i{n}", "behaviour": "click", **fields})


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.client() as opened:
        yield opened


@pytest.fixture
def name() -> str:
    return f"events-{secrets.token_hex(6)}"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal(tmp_path / "journal.sqlite")) as opened:
        yield opened


def drained(stream: RedisStream, journal) -> Consumed:
    """What comes until nothing does any more."""
    with closing(stream):
        return consume(stream, journal, threading.Event(), once=True)


def test_brings_events_into_the_journal_once(redis_server: RedisServer, client, name: str, journal) -> None:
    places = [client.xadd(name, {"event": sent(n)}).decode() for n in range(5)]
    client.xadd(name, {"event": sent(9, event_id="given")})
    assert drained(RedisStream(redis_server.url, name), journal) == Consumed(new=6)
    assert ids(everything(journal)) == [*(f"{name}/{place}" for place in places), "given"]
    assert drained(RedisStream(redis_server.url, name), journal) == Consumed()
    # A group of its own reads all of it again, and nothing counts twice.
    assert drained(RedisStream(redis_server.url, name, group="second"), journal) == Consumed(known=6)
    assert client.xpending(name, "strata")["pending"] == 0
    assert client.xinfo_consumers(name, "strata") == []


def test_refused_messages_are_put_aside_with_their_reason(redis_server: RedisServer, client, name, journal) -> None:
    messages = [sent(0, event_id="a"), "no JSON", sent(1, event_id="b"), sent(2, event_id="a"), sent(3, value="qzx")]
    places = [client.xadd(name, {"event": message}) for message in messages]
    places.append(client.xadd(name, {"other": "field"}))
    assert drained(RedisStream(redis_server.url, name), journal) == Consumed(new=2, refused=4)
    assert ids(everything(journal)) == ["a", "b"]
    aside = {fields[b"entry"]: fields for _, fields in client.xrange(f"{name}:refused")}
    assert {place: fields[b"event"] for place, fields in aside.items()} == {
        places[1]: b"no JSON", places[3]: messages[3].encode(), places[4]: messages[4].encode(), places[5]: b"",
    }  # fmt: skip
    reasons = [aside[places[n]][b"reason"].decode() for n in (1, 3, 4, 5)]
    for reason, told in zip(reasons, ["Invalid JSON", "other content", "value: ", "no field 'event'"], strict=True):
        assert told in reason
        assert "qzx" not in reason
    assert client.xpending(name, "strata")["pending"] == 0


def test_what_was_trimmed_before_it_was_settled_is_told(redis_server: RedisServer, client, name: str, journal) -> None:
    stream = RedisStream(redis_server.url, name)
    for n in range(3):
        client.xadd(name, {"event": sent(n)})
    assert len(stream.take(1.0)) == 3
    client.xtrim(name, maxlen=1, approximate=False)
    stream.give_back([])
    assert drained(stream, journal) == Consumed(new=1, refused=2)


def test_killed_consumers_are_stood_in_for(redis_server: RedisServer, client, name: str, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    total = 6_000
    adding = client.pipeline()
    for n in range(total):
        adding.xadd(name, {"event": sent(n)})
    adding.execute()
    RedisStream(redis_server.url, name).close()  # makes the group
    for _ in range(5):
        process = PROCESSES.Process(target=consume_a_stream, args=(redis_server.url, name, str(file), 0.2))
        before = client.xinfo_groups(name)[0]["entries-read"] or 0
        process.start()
        while (client.xinfo_groups(name)[0]["entries-read"] or 0) == before:
            assert process.is_alive()
        process.kill()
        process.join()
    left = client.xpending(name, "strata")["pending"]
    assert left > 0  # kills hit consumers with messages that they had taken and not settled
    time.sleep(0.25)
    with closing(SqliteJournal(file)) as journal:
        drained(RedisStream(redis_server.url, name, idle=0.2), journal)
        found = ids(everything(journal))
    assert len(found) == len(set(found)) == total
    assert client.xpending(name, "strata")["pending"] == 0


def test_waits_for_a_journal_and_a_stream_that_are_away(tmp_path: Path) -> None:
    streams, store = RedisServer(tmp_path / "streams"), RedisServer(tmp_path / "store")
    journal = RedisJournal(store.url)
    stop, errors, counts = threading.Event(), [], []
    stream = RedisStream(streams.url, "events")
    thread = threading.Thread(
        target=lambda: counts.append(consume(stream, journal, stop, told=lambda error: errors.append(str(error))))
    )
    thread.start()
    try:
        for n, server in enumerate((store, streams, store)):
            server.kill()
            if server is store:
                with streams.client() as client:
                    client.xadd("events", {"event": sent(n, event_id=f"{n}-away")})
            end = time.monotonic() + 30
            while len(errors) <= n:
                assert time.monotonic() < end
                time.sleep(0.01)
            server.start()
            with streams.client() as client:
                client.xadd("events", {"event": sent(n, event_id=f"{n}-back")})
            while f"{n}-back" not in ids(everything(journal)):
                assert time.monotonic() < end
                time.sleep(0.01)
    finally:
        stop.set()
        thread.join()
        stream.close()
    assert sorted(ids(everything(journal))) == ["0-away", "0-back", "1-back", "2-away", "2-back"]
    assert counts[0].new + counts[0].known >= 5
    assert any("Redis at" in error for error in errors)
    assert any("the stream 'events'" in error for error in errors)
    journal.close()
    streams.kill()
    store.kill()
