"""Libraries in the place of own functions, wherever Strata holds these by a name; and what those are called with."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

import faiss
import torch
from threadpoolctl import threadpool_limits

from benchmarks.kernels.race import OWN, Library, Way


class Called(NamedTuple):
    """One call of an own function."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]


@contextmanager
def swapped(library: Library) -> Iterator[None]:
    """Put a library in the place of own code, in modules of Strata and the tables they hold, for a while."""
    modules = [vars(module) for name, module in sys.modules.items() if name.split(".")[0] in ("strata", "tasks")]
    tables = [value for module in modules for value in module.values() if isinstance(value, dict)]
    new = {id(own): taken for own, taken in library.items()}
    found = [(place, name, value) for place in [*modules, *tables] for name, value in place.items() if id(value) in new]
    try:
        for place, name, value in found:
            place[name] = new[id(value)]
        yield
    finally:
        for place, name, value in found:
            place[name] = value


def within(library: Library, run: Callable[[], object]) -> Way:
    """`run` with a library in the place of own code."""

    def way() -> None:
        with swapped(library):
            run()

    return way


def recorded(functions: Sequence[Callable[..., Any]], run: Callable[[], object]) -> list[Called]:
    """What these own functions are called with while `run` runs."""
    calls: list[Called] = []

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watch(*arguments: Any, **named: Any) -> Any:
            calls.append(Called(function, arguments, named))
            return function(*arguments, **named)

        return watch

    within({function: watched(function) for function in functions}, run)()
    return calls


def replays(calls: Sequence[Called], libraries: Mapping[str, Library]) -> dict[str, Way]:
    """All these calls again, by own code and by each library."""

    def replay(library: Library) -> Way:
        chosen = [(library.get(each.function, each.function), each.arguments, each.named) for each in calls]
        return lambda: [function(*arguments, **named) for function, arguments, named in chosen]

    return {OWN: replay({}), **{name: replay(library) for name, library in libraries.items()}}


@contextmanager
def one_core() -> Iterator[None]:
    """One thread for every library: in a server, calls run side by side with others."""
    before = faiss.omp_get_max_threads(), torch.get_num_threads()
    faiss.omp_set_num_threads(1)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        faiss.omp_set_num_threads(before[0])
        torch.set_num_threads(before[1])
