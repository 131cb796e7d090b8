"""Work for many callers at once: what comes while a call runs goes with the next one; nobody waits for company."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

In = TypeVar("In")
Out = TypeVar("Out")


class Together(Generic[In, Out]):
    """Of one event loop: a lone caller is served at once, and under load calls fill.

    `work` gives each of the items what its caller gets: a value, or an exception to raise. `most`: of one call.
    """

    def __init__(
        self, work: Callable[[Sequence[In]], Awaitable[Sequence[Out | Exception]]], most: int, side_by_side: int = 1
    ) -> None:
        """`side_by_side`: calls that may run at a time."""
        self._work, self._most, self._side_by_side = work, most, side_by_side
        self._waiting: list[tuple[In, asyncio.Future[Out]]] = []
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def do(self, item: In) -> Out:
        """What `work` gives for an item. Whoever stops waiting is left out of a call that has not begun."""
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._running) < self._side_by_side:
            self._running.add(asyncio.create_task(self._run()))
        return await future

    async def _run(self) -> None:
        try:
            await self._until_nobody_waits()
        finally:  # in the same step that saw that nobody waits: who comes after it begins a run of their own
            self._running.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _until_nobody_waits(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            group = [(item, future) for item, future in group if not future.done()]
            if not group:
                continue
            try:
                found = await self._work([item for item, _ in group])
            except Exception as error:  # never leave a caller waiting
                found = [error] * len(group)
            for (_, future), each in zip(group, found, strict=True):
                if future.done():
                    continue
                if isinstance(each, Exception):
                    future.set_exception(each)
                else:
                    future.set_result(each)
