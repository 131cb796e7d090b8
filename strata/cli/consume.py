"""The command `strata consume`: bring events that other systems write to a stream into the journal."""

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from strata.cli.terminal import Answer, sentence, states
from strata.errors import SettingsError

if TYPE_CHECKING:
    from strata.online.consumers.consuming import Stream

app = typer.Typer(help=__doc__, no_args_is_help=True)
JournalAddress = Annotated[
    str, typer.Option("--journal", envvar="STRATA_JOURNAL", help="Address of the journal that the service uses.")
]
Group = Annotated[str, typer.Option(help="Consumers of one group share the messages and stand in for each other.")]
Once = Annotated[bool, typer.Option("--once", help="End once no more messages come.")]


@app.command("redis")
@states
def from_redis(
    url: Annotated[str, typer.Argument(envvar="STRATA_STREAM", help="Such as redis://127.0.0.1:6379/0")],
    stream: Annotated[str, typer.Argument(help="Name of the stream; its entries have a field event, of JSON.")],
    journal: JournalAddress,
    group: Group = "strata",
    consumer: Annotated[str | None, typer.Option(help="Name in the group; by default of this process alone.")] = None,
    once: Once = False,
) -> Answer:
    """Read a Redis stream until it is interrupted; what is no event goes to the stream STREAM:refused."""
    try:
        from strata.online.consumers.redis_stream import RedisStream
    except ModuleNotFoundError:
        raise SettingsError("Redis needs its client; install it by `pip install strata[service]`") from None
    return _consumed(RedisStream(url, stream, group=group, consumer=consumer), journal, once=once)


@app.command("kafka")
@states
def from_kafka(
    servers: Annotated[str, typer.Argument(help="Brokers, such as 127.0.0.1:9092, with commas between.")],
    topic: Annotated[str, typer.Argument(help="Name of the topic; its messages are JSON.")],
    journal: JournalAddress,
    group: Group = "strata",
    properties: Annotated[
        Path | None, typer.Option(help="File of further settings of librdkafka, as of TLS and SASL: name=value lines.")
    ] = None,
    once: Once = False,
) -> Answer:
    """Read a Kafka topic until it is interrupted; what is no event goes to the topic TOPIC.refused."""
    try:
        from strata.online.consumers.kafka import KafkaTopic
    except ModuleNotFoundError:
        raise SettingsError("Kafka needs its client; install it by `pip install strata[kafka]`") from None
    settings = {} if properties is None else _properties(properties)
    return _consumed(KafkaTopic(servers, topic, group=group, settings=settings), journal, once=once)


def _consumed(stream: "Stream", address: str, *, once: bool) -> Answer:
    from contextlib import closing

    from strata.online.consumers.consuming import consume
    from strata.online.opening import open_journal
    from strata.online.privacy import Privacy

    stop = threading.Event()
    with closing(stream), closing(open_journal(address)) as journal:
        former = {each: signal.signal(each, lambda *_: stop.set()) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            count = consume(stream, journal, stop, once=once, privacy=Privacy.from_environment(), told=_tell)
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)
    content = {"new": count.new, "known": count.known, "refused": count.refused}
    said = f"{count.new:,} new events are in the journal, {count.known:,} were known, {count.refused:,} were refused."
    return Answer(content, [sentence(said)])


def _tell(error: Exception) -> None:
    said = f"[yellow]{type(error).__name__}[/]: {escape(str(error))}; trying again"
    Console(stderr=True).print(said, soft_wrap=True)


def _properties(path: Path) -> dict[str, str]:
    """Settings of a file of `name=value` lines. Raises SettingsError naming a line of another form, not its content."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} cannot be read as UTF-8 text; name a file of name=value lines") from None
    found = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        name, given, value = line.partition("=")
        if line and not line.startswith("#"):
            if not given:
                raise SettingsError(f"{path}, line {number}: write name=value")
            found[name.strip()] = value.strip()
    return found
