"""Events from a topic of Kafka, over its protocol; the broker is librdkafka's own, not Apache's."""

import json
import secrets
import threading
from contextlib import closing
from pathlib import Path

import pytest

from strata.errors import StoreUnavailable
from strata.online.consumers.consuming import Consumed, StreamError, consume
from strata.online.consumers.kafka import KafkaTopic
from strata.online.sqlite import SqliteJournal
from tests.online.consumers.brokers import QUICK, Broker
from tests.online.stores import everything, ids


@pytest.fixture
def topic() -> str:
    return f"events-{secrets.token_hex(6)}"


def sent(n: int, **fields: object) -> str:
    return json.dumps({"user_id": f"u{n % 7}", "item_id": f"i{n}", "behaviour": "click", **fields})


def consumed(broker: Broker, topic: str, journal, count: int, told=lambda error: None) -> Consumed:
    """Consume until so many records are in the journal, then a moment more."""
    stop = threading.Event()
    stream = KafkaTopic(broker.servers, topic, settings=QUICK)
    found: list[Consumed] = []
    thread = threading.Thread(target=lambda: found.append(consume(stream, journal, stop, told=told)))
    thread.start()
    try:
        for _ in range(600):
            if stop.wait(0.05) or len(everything(journal)) >= count:
                break
        assert len(everything(journal)) == count
        stop.wait(1.5)
    finally:
        stop.set()
        thread.join()
        stream.close()
    return found[0]


@pytest.mark.slow
def test_brings_events_into_the_journal_once(broker: Broker, topic: str, tmp_path: Path) -> None:
    broker.send(topic, *(sent(n) for n in range(5)))
    with closing(SqliteJournal(tmp_path / "journal.sqlite")) as journal:
        assert consumed(broker, topic, journal, 5) == Consumed(new=5)
        assert ids(everything(journal)) == [f"{topic}/0/{n}" for n in range(5)]
        broker.send(topic, sent(5, event_id="given"))
        # What was settled does not come again.
        assert consumed(broker, topic, journal, 6) == Consumed(new=1)
        assert ids(everything(journal))[-1] == "given"


@pytest.mark.slow
def test_refused_messages_are_put_aside_with_their_reason(broker: Broker, topic: str, tmp_path: Path) -> None:
    broker.send(topic, sent(0, event_id="a"), "no JSON", sent(1, event_id="b"), sent(2, event_id="a"))
    with closing(SqliteJournal(tmp_path / "journal.sqlite")) as journal:
        assert consumed(broker, topic, journal, 2) == Consumed(new=2, refused=2)
    aside = {dict(each.headers())["entry"].decode(): each for each in broker.messages(f"{topic}.refused", 2)}
    assert {entry: each.value() for entry, each in aside.items()} == {
        f"{topic}/0/1": b"no JSON", f"{topic}/0/3": sent(2, event_id="a").encode(),
    }  # fmt: skip
    reasons = {entry: dict(each.headers())["reason"] for entry, each in aside.items()}
    assert b"Invalid JSON" in reasons[f"{topic}/0/1"]
    assert b"other content" in reasons[f"{topic}/0/3"]


@pytest.mark.slow
def test_what_the_journal_did_not_take_comes_again(broker: Broker, topic: str, tmp_path: Path) -> None:
    class Away(SqliteJournal):
        """A journal whose disk is away at first."""

        away = 2

        def append(self, records):
            if self.away:
                self.away -= 1
                raise StoreUnavailable("away")
            return super().append(records)

    broker.send(topic, *(sent(n) for n in range(20)))
    errors: list[Exception] = []
    with closing(Away(tmp_path / "journal.sqlite")) as journal:
        assert consumed(broker, topic, journal, 20, told=errors.append) == Consumed(new=20)
        assert [str(error) for error in errors] == ["away", "away"]
        assert ids(everything(journal)) == [f"{topic}/0/{n}" for n in range(20)]


def test_a_broker_that_is_not_there_is_told(tmp_path: Path) -> None:
    stream = KafkaTopic("127.0.0.1:1", "events")
    with pytest.raises(StreamError, match=r"the topic 'events' of Kafka: .*127\.0\.0\.1:1"):
        stream.take(0.2)
    stream.close()


def test_an_unknown_setting_is_told() -> None:
    with pytest.raises(StreamError, match=r"the topic 'events' of Kafka.*no\.such\.setting"):
        KafkaTopic("127.0.0.1:1", "events", settings={"no.such.setting": "1"})
