"""How long the parts of a piece of work take, told to whoever listens in the same thread; else it costs nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final


class _Listener(threading.local):
    parts: dict[str, float] | None = None


_LISTENER: Final = _Listener()


@contextmanager
def listening() -> Iterator[dict[str, float]]:
    """Part → seconds of what this thread does in the block; parts within others count in both."""
    before, parts = _LISTENER.parts, dict[str, float]()
    _LISTENER.parts = parts
    try:
        yield parts
    finally:
        _LISTENER.parts = before


class timed:  # noqa: N801  # used as contextlib's are
    """A part of the work: `with timed("ranking"):`."""

    __slots__ = ("began", "part")

    def __init__(self, part: str) -> None:
        self.part = part

    def __enter__(self) -> None:
        """Begin."""
        self.began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell, if somebody listens."""
        parts = _LISTENER.parts
        if parts is not None:
            parts[self.part] = parts.get(self.part, 0.0) + time.perf_counter() - self.began
