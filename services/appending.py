"""Appends to the journal for many requests at once: those that wait together share one transaction."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from services.metrics import DROPPED
from strata.errors import Conflict
from strata.online.journal import Journal
from strata.online.records import Accepted, Record

MOST_WAITING = 10_000
"""Records of no consequence to the caller that may wait; more are dropped and counted."""
MOST_TOGETHER = 100
"""Requests of one transaction."""
Waiting = tuple[Sequence[Record], "asyncio.Future[list[Accepted]] | None"]


class Appender:
    """Of one event loop. A failed group is tried again one request at a time, so that each gets its own error."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._waiting: list[Waiting] = []
        self._thread = ThreadPoolExecutor(1, "journal")
        self._running: asyncio.Task[None] | None = None

    async def append(self, records: Sequence[Record]) -> list[Accepted]:
        """Return once the records are durable. Raises as `Journal.append` does."""
        future: asyncio.Future[list[Accepted]] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, future))
        self._run()
        return await future

    def later(self, records: Sequence[Record]) -> None:
        """Append soon, without telling: for what nobody was promised."""
        if len(self._waiting) >= MOST_WAITING:
            DROPPED.inc(len(records))
            return
        self._waiting.append((records, None))
        self._run()

    def _run(self) -> None:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            for waiting, found in await loop.run_in_executor(self._thread, self._appended, group):
                future = waiting[1]
                if future is None or future.done():
                    DROPPED.inc(len(waiting[0]) if future is None and isinstance(found, Exception) else 0)
                elif isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found)

    def _appended(self, group: list[Waiting]) -> list[tuple[Waiting, "list[Accepted] | Exception"]]:
        try:
            found = self.journal.append([record for records, _ in group for record in records])
        except Conflict as error:  # of one of them; the others are as good as ever
            if len(group) == 1:
                return [(group[0], error)]
            return [each for one in group for each in self._appended([one])]
        except Exception as error:  # never leave a request waiting
            return [(waiting, error) for waiting in group]
        places = iter(found)
        return [(waiting, [next(places) for _ in waiting[0]]) for waiting in group]
