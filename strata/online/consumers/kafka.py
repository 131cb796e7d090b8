"""Events from a topic in Kafka, read by a group of consumers whose offsets move once the journal has the events."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from strata.online.consumers.consuming import Entry, Refused, StreamError

AT_ONCE: Final = 1_000
PATIENCE: Final = 10.0
"""Seconds after which a silent broker is given up."""
OURS: Final = {"enable.auto.commit": False, "enable.partition.eof": False}
"""Settings that nobody may change: an offset is committed by `settle` alone."""


class KafkaTopic:
    """The topic `name` of the brokers at `servers`, read as one of `group`.

    Refused messages go to the topic `name.refused`, with the headers entry and reason. `settings`: further ones of
    librdkafka, such as of TLS and SASL. Raises StreamError for those it does not know.
    """

    def __init__(
        self, servers: str, name: str, *, group: str = "strata", settings: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.aside = name, f"{name}.refused"
        self._where = f"the topic {name!r} of Kafka"
        shared = {"client.id": "strata", "log_level": "2", **(settings or {}), "bootstrap.servers": servers}
        reading = {"auto.offset.reset": "earliest", **shared, **OURS, "group.id": group}
        self._joined = False
        self._fault: KafkaError | None = None
        with self._failures():
            self._consumer = Consumer({**reading, "error_cb": self._note})
            self._producer = Producer({**shared, "acks": "all", "enable.idempotence": True})
            self._consumer.subscribe([name], on_assign=self._join)

    def take(self, wait: float) -> list[Entry]:
        """See Stream; the first time it also waits for this consumer's share of the topic."""
        with self._failures():
            found = self._consumer.consume(AT_ONCE, wait)
            end = time.monotonic() + PATIENCE
            while not found and not self._joined and self._fault is None and time.monotonic() < end:
                found = self._consumer.consume(AT_ONCE, wait)
            readable = [message for message in found if message.error() is None]
            if not readable:  # else errors come again, after what can be read
                self._raise([error for message in found if (error := message.error()) is not None])
        return [self._entry(message) for message in readable]

    def settle(self, entries: Sequence[Entry], refused: Sequence[Refused]) -> None:
        """See Stream."""
        if not entries:
            return
        with self._failures():
            for each in refused:
                headers: list[tuple[str, str | bytes | None]] = [("entry", each.entry.id), ("reason", each.reason)]
                self._producer.produce(self.aside, each.entry.message, headers=headers)
            if refused and (left := self._producer.flush(PATIENCE)):
                self.give_back(entries)
                raise StreamError(f"{self._where}: {left} refused messages could not be put into {self.aside!r}")
            ends = {(each.place.topic, each.place.partition): each.place.offset + 1 for each in entries}
            offsets = [TopicPartition(*partition, offset) for partition, offset in ends.items()]
            self._consumer.commit(offsets=offsets, asynchronous=False)

    def give_back(self, entries: Sequence[Entry]) -> None:
        """See Stream."""
        starts: dict[tuple[str, int], int] = {}
        for each in entries:
            starts.setdefault((each.place.topic, each.place.partition), each.place.offset)
        with self._failures():
            for partition, offset in starts.items():
                self._consumer.seek(TopicPartition(*partition, offset))

    def close(self) -> None:
        """See Stream."""
        self._consumer.close()

    def _raise(self, errors: Sequence[KafkaError]) -> None:
        """Raise the latest error there is, of messages or of connections, or that this consumer has no share yet."""
        fault = errors[-1] if errors else self._fault
        self._fault = None
        if fault is not None:
            raise KafkaException(fault)
        if not self._joined:
            raise StreamError(f"{self._where}: no broker has given this consumer a share of it in {PATIENCE:g} s")

    def _note(self, error: KafkaError) -> None:
        self._fault = error

    def _join(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:  # noqa: ARG002
        self._joined = True

    def _entry(self, message: Any) -> Entry:
        place = TopicPartition(message.topic(), message.partition(), message.offset())
        return Entry(f"{place.topic}/{place.partition}/{place.offset}", message.value() or b"", place)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            known: Any = error.args[0]
            raise StreamError(f"{self._where}: {known.str() if hasattr(known, 'str') else known}") from error
