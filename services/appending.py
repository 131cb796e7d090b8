"""Appends to the journal for many requests at once: those that wait together share one transaction."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from services.metrics import DROPPED
from services.together import Together
from strata.errors import Conflict, StoreError
from strata.online.journal import Journal
from strata.online.records import Accepted, Record

MOST_WAITING = 1_000
"""Requests that wait, from which on records that nobody was promised are dropped and counted."""
MOST_TOGETHER = 100
"""Requests of one transaction."""
Found = list[Accepted] | Exception


class Appender:
    """Of one event loop."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._thread = ThreadPoolExecutor(1, "journal")
        self._together: Together[Sequence[Record], list[Accepted]] = Together(self._append, MOST_TOGETHER)
        self._soon: set[asyncio.Task[None]] = set()

    async def append(self, records: Sequence[Record]) -> list[Accepted]:
        """Return once the records are durable. Raises as `Journal.append` does."""
        return await self._together.do(records)

    def later(self, records: Sequence[Record]) -> None:
        """Append soon, without telling: for what nobody was promised."""
        if len(self._together) >= MOST_WAITING:
            DROPPED.inc(len(records))
            return
        task = asyncio.create_task(self._quietly(records))
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    async def _quietly(self, records: Sequence[Record]) -> None:
        try:
            await self.append(records)
        except StoreError:
            DROPPED.inc(len(records))

    async def _append(self, groups: Sequence[Sequence[Record]]) -> list[Found]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._appended, groups)

    def _appended(self, groups: Sequence[Sequence[Record]]) -> list[Found]:
        try:
            places = iter(self.journal.append([record for records in groups for record in records]))
        except Conflict as error:  # of one of them; the others are as good as ever
            if len(groups) == 1:
                return [error]
            return [found for records in groups for found in self._appended([records])]
        return [[next(places) for _ in records] for records in groups]
