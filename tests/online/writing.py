"""What other processes do to a journal: run by tests in processes of their own, which are killed or kept short."""

import os
import resource
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from strata.errors import StoreFull, StoreUnavailable
from strata.online.consumers.consuming import consume
from strata.online.consumers.redis_stream import RedisStream
from strata.online.opening import open_journal
from tests.online.stores import event, note

BATCH = 7


def open_and_append(address: str, id: str) -> None:
    """Open a journal, append one event and close it."""
    journal = open_journal(address)
    journal.append([event(id, "user-0")])
    journal.close()


def append_batches(address: str, writer: str, log: Path, count: int) -> None:
    """Append batches of 7, noting each before and after: `begun N`, `kept N`."""
    journal = open_journal(address)
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    for n in range(count):
        note(file, f"begun {n}")
        journal.append([event(f"{writer}-{n}-{part}", f"user-{n % 5}", text="word " * 40) for part in range(BATCH)])
        note(file, f"kept {n}")


def forget_users(address: str, log: Path, count: int) -> None:
    """Forget user-0, user-1, …, noting each before and after: `begun N`, `kept N`."""
    journal = open_journal(address)
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    for n in range(count):
        note(file, f"begun {n}")
        journal.forget(f"user-{n}", 2_000.0)
        note(file, f"kept {n}")


def append_when_told(address: str, told: Connection) -> None:
    """Append one record for each id that comes, and answer its place; an empty id ends it."""
    journal = open_journal(address)
    while id := told.recv():
        told.send(journal.append([event(id)])[0].place)


def fill_a_full_disk(address: str, told: Connection) -> None:
    """Append under a limit on the size of files until there is no room, lift the limit, and append again."""
    journal = open_journal(address)
    journal.append([event("before")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    wal = Path(address).with_name(f"{Path(address).name}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + (1 << 18), hard))
    under, message = until_full(lambda n: journal.append([event(f"under-{n}", text="word " * 400)]), most=10_000)
    told.send((under, message))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    told.send(journal.append([event("after")])[0].new)


def until_full(append: Callable[[int], object], most: int) -> tuple[int, str]:
    """Append until there is no room: how often that went, and what was said then."""
    for n in range(most):
        try:
            append(n)
        except StoreFull as error:
            return n, str(error)
    return most, ""


def append_until_stopped(address: str, writer: str, log: Path) -> None:
    """Append batches until the journal fails: `kept N` for each, then `failed`."""
    journal = open_journal(address)
    file = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    for n in range(1_000_000):
        try:
            journal.append([event(f"{writer}-{n}-{part}", text="word " * 40) for part in range(BATCH)])
        except StoreUnavailable:
            note(file, "failed")
            return
        note(file, f"kept {n}")


def consume_a_stream(url: str, name: str, file: str, idle: float) -> None:
    """Bring the events of a stream into a journal until killed."""
    consume(RedisStream(url, name, idle=idle), open_journal(file), threading.Event())
