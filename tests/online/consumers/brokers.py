"""A broker of Kafka's protocol for tests: the one that librdkafka has for its own, in this process."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

QUICK = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
"""Settings with which that broker hands partitions to the next consumer soon."""


class Broker:
    """One broker; it ends with this object."""

    def __init__(self) -> None:
        self.producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        (found,) = self.producer.list_topics(timeout=10).brokers.values()
        self.servers = f"{found.host}:{found.port}"

    def send(self, topic: str, *messages: str) -> None:
        """Put messages into a topic's first partition, and return once the broker has them."""
        failed: list[KafkaError] = []
        for message in messages:
            self.producer.produce(topic, message, partition=0, on_delivery=lambda e, _: e and failed.append(e))
        assert self.producer.flush(10) == 0
        assert not failed

    def messages(self, topic: str, count: int) -> list[Message]:
        """So many messages of a topic's partitions."""
        reader = Consumer({"bootstrap.servers": self.servers, "group.id": "test", "enable.partition.eof": False})
        partitions = self.producer.list_topics(topic, timeout=10).topics[topic].partitions
        reader.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[Message] = []
        while len(found) < count:
            more = reader.consume(count - len(found), 10)
            assert more, f"{len(found)} of {count} messages came"
            found += more
        reader.close()
        return found


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """One broker for all tests."""
    return Broker()
