"""Threads that compute answers. What costs much waits for its like, so that nobody else waits for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from services.errors import ApiError
from services.metrics import HEAVY

T = TypeVar("T")
MUCH: Final = 8.0
"""Cost from which a request is heavy, where a list of ten for a known user costs 1."""
MOST_WAITING: Final = 8
"""Heavy requests of a worker that may wait for their turn; one more is told to come again."""


class Lanes:
    """Of one API worker: `threads` for what is light, and one for what is heavy, one at a time."""

    def __init__(self, threads: int) -> None:
        self._light = ThreadPoolExecutor(threads, "answer")
        self._heavy = ThreadPoolExecutor(1, "heavy")
        self._under_way: set[Future[Any]] = set()

    @property
    def idle(self) -> bool:
        """Whether nothing heavy runs or waits."""
        return not self._under_way

    async def run(self, cost: float, work: Callable[..., T], *arguments: object) -> T:
        """Do `work` in the lane of its cost; whoever stops waiting before it begins takes it out.

        Raises ApiError 429 where too much that is heavy waits already.
        """
        if cost < MUCH:
            return await asyncio.wrap_future(self._light.submit(work, *arguments))
        if len(self._under_way) > MOST_WAITING:
            HEAVY.labels("refused").inc()
            raise ApiError(
                429, f"{len(self._under_way)} costly requests are being answered already", code="busy",
                remedy="try again after the seconds that Retry-After names, or ask for less: a smaller k, a shorter "
                "history, fewer users",
            )  # fmt: skip
        HEAVY.labels("taken").inc()
        future = self._heavy.submit(work, *arguments)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)  # work that began goes on after its caller has gone
        return await asyncio.wrap_future(future)
