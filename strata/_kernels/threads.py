"""Runs the parts of a job in parallel threads, one per core.

A batch of lists takes 1.4 times as long with joblib's threads (`python -m benchmarks.kernels --only threads`). Kept for
what joblib's threads lack: bounded memory that stays with the threads, one BLAS thread each, and a safe fork.
"""

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
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0))


def side_by_side(function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Results of `function` for each part, in order, computed in parallel; few are held, so memory stays bounded.

    BLAS keeps to one thread meanwhile, as its threads would compete with these. Nested calls run serially.
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
    """A pool of threads that live on and keep freed memory.

    glibc returns large arrays to the system when they are freed, and a thread's memory when it ends; getting it back,
    page by page, can take as long as the computation.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)
    return ThreadPoolExecutor(cores(), WORKER)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT: Final = 2**25
"""Bytes of the largest array that is kept: glibc's maximum."""
MOST_KEPT: Final = 2**29
"""Bytes of free memory kept in all."""


os.register_at_fork(after_in_child=_threads.cache_clear)  # a fork does not copy threads
