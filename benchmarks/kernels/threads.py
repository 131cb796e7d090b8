"""Parts side by side: own threads beside executors of the standard library and joblib, each in its own process."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import OWN, Library, Race, race
from benchmarks.kernels.swap import within
from benchmarks.kernels.whole import BATCH, KINDS, batch
from strata._kernels.threads import cores, side_by_side

Function = Callable[[Any], Any]


def one_by_one(function: Function, parts: Iterable[Any]) -> Iterator[Any]:
    """No threads but those of linear algebra."""
    return map(function, parts)


def executor(function: Function, parts: Iterable[Any]) -> Iterator[Any]:
    """What most would write."""
    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(function, parts)


def limited_executor(function: Function, parts: Iterable[Any]) -> Iterator[Any]:
    """The same, linear algebra on one thread."""
    with threadpool_limits(1, "blas"):
        yield from executor(function, parts)


def by_joblib(function: Function, parts: Iterable[Any]) -> Iterator[Any]:
    """Its threads, linear algebra on one."""
    with threadpool_limits(1, "blas"):
        yield from Parallel(cores(), backend="threading", return_as="generator")(delayed(function)(p) for p in parts)


LIBRARIES: Final[dict[str, Library]] = {
    "one by one": {side_by_side: one_by_one},
    "ThreadPoolExecutor": {side_by_side: executor},
    "ThreadPoolExecutor, BLAS on one thread": {side_by_side: limited_executor},
    "joblib's threads": {side_by_side: by_joblib},
}
_way: dict[str, Callable[[], object]] = {}


def races(ground: Ground, turns: int) -> list[Race]:
    """Batches by processes of their own: what own code asks of the allocator holds for a whole process."""
    with ExitStack() as stack:
        ways = {}
        for name in (OWN, *LIBRARIES):
            pool = ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), _begin, (name, ground.name, ground.suffix, ground.folder)
            )
            ways[name] = partial(_ask, stack.enter_context(pool))
        what = f"{KINDS['batch'][0]}, {ground.name}"
        return [race(f"threads-batch{ground.suffix}", what, BATCH, ways, turns, whole=True)]


def _begin(name: str, *of_ground: Any) -> None:
    ground = Ground(of_ground[0], of_ground[1], Path(of_ground[2]))
    _way["batch"] = within(LIBRARIES.get(name, {}), partial(batch, ground.fresh(), ground))


def _ask(pool: ProcessPoolExecutor) -> None:
    pool.submit(_run).result()


def _run() -> None:
    _way["batch"]()
