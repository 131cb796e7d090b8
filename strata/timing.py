"""How long the parts of a piece of work take, told to whoever listens in the same thread; else it costs nothing.

Whoever listens may also say until when: no part is begun after that.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final


class OutOfTime(TimeoutError):
    """Raised at the beginning of a part for which nobody waits any more."""


class _Listener(threading.local):
    parts: dict[str, float] | None = None
    until: float = math.inf


_LISTENER: Final = _Listener()


@contextmanager
def listening(until: float = math.inf) -> Iterator[dict[str, float]]:
    """Part → seconds of what this thread does in the block; parts within others count in both.

    `until`: on the clock of `time.perf_counter`; a part that would begin later raises OutOfTime.
    """
    before, parts = (_LISTENER.parts, _LISTENER.until), dict[str, float]()
    _LISTENER.parts, _LISTENER.until = parts, until
    try:
        yield parts
    finally:
        _LISTENER.parts, _LISTENER.until = before


class timed:  # noqa: N801  # used as contextlib's are
    """A part of the work: `with timed("ranking"):`."""

    __slots__ = ("began", "part")

    def __init__(self, part: str) -> None:
        self.part = part

    def __enter__(self) -> None:
        """Begin. Raises OutOfTime."""
        self.began = time.perf_counter()
        if self.began > _LISTENER.until:
            raise OutOfTime

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell, if somebody listens."""
        parts = _LISTENER.parts
        if parts is not None:
            parts[self.part] = parts.get(self.part, 0.0) + time.perf_counter() - self.began
