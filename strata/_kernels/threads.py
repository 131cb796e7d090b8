"""Parts of a job side by side, on as many cores as there are."""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Part = TypeVar("Part")
Result = TypeVar("Result")


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def side_by_side(function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """What `function` makes of each part, in their order; a few are made ahead, so that memory stays bounded.

    Linear algebra keeps to one thread meanwhile: its own would compete with these. What is one of the parts already
    makes its own parts one by one.
    """
    if threading.current_thread().name.startswith(WORKER):
        yield from map(function, parts)
        return
    waiting: deque[Future[Result]] = deque()
    with threadpool_limits(1, "blas"):
        for part in parts:
            waiting.append(_threads().submit(function, part))
            if len(waiting) > cores():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


WORKER = "strata-part"


@cache
def _threads() -> ThreadPoolExecutor:
    """Threads that stay, and keep what they free.

    glibc gives large arrays back to the system as soon as they are freed, and all that a thread had when it ends; to
    be asked for them again, page by page, can take as long as what is computed in them.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)
    return ThreadPoolExecutor(cores(), WORKER)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT: Final = 2**25
"""Bytes of an array: the most that glibc admits."""
MOST_KEPT: Final = 2**29
"""Bytes of all that is free."""


os.register_at_fork(after_in_child=_threads.cache_clear)  # threads are not copied
