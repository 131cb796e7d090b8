"""What a command takes: wall seconds and the peak memory of all its processes, with a limit that ends it."""

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from strata.errors import StrataError

EVERY: Final = 0.2
"""Seconds between two looks at the processes."""

GONE_WITHIN: Final = 30.0
"""Seconds in which a killed process has given back its memory."""


class OverLimit(StrataError):
    """The processes of a command held more memory than they may."""


@dataclass(frozen=True)
class Usage:
    """What was taken: wall seconds, seconds of one core, and resident bytes at most.

    The bytes are of all processes together as they were looked at every EVERY seconds (what they share counts for
    each), or of the largest alone as the kernel kept it, if that is more.
    """

    seconds: float
    core_seconds: float
    peak: int


def measured(
    command: Sequence[str], *, limit: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Usage:
    """Run a command and see what it and everything it starts take.

    Raises OverLimit as soon as they hold more than `limit` bytes, StrataError when the command fails; no
    process of its is left in either case, nor after an interrupt.
    """
    start, peak = time.perf_counter(), 0
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    process = subprocess.Popen(command, cwd=cwd, env=env)
    root = psutil.Process(process.pid)
    try:
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, resident(root))
            if peak > limit:
                raise OverLimit(
                    f"{' '.join(command)}: its processes held {peak / 1e9:.1f} GB, the limit is {limit / 1e9:.1f} GB; "
                    "it was ended; raise the limit, or ask for less"
                )
            time.sleep(EVERY)
    except BaseException:
        _end(root)
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise StrataError(f"{' '.join(command)} ended with {process.returncode}; what it said stands above")
    core_seconds = usage.ru_utime + usage.ru_stime
    # The kernel's own peak sees what happens between two looks. A child's starts at its parent's, ours: no more than
    # that says nothing of the child.
    kept = usage.ru_maxrss * 1024 if usage.ru_maxrss > inherited else 0
    return Usage(time.perf_counter() - start, core_seconds, max(peak, kept))


def resident(root: psutil.Process) -> int:
    """Resident bytes of a process and all below it, those that end meanwhile left out."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


def _end(root: psutil.Process) -> None:
    """Kill a process and all below it, and wait until they are gone: freeing what they held takes a moment."""
    with contextlib.suppress(psutil.NoSuchProcess):
        below = root.children(recursive=True)
        for process in (*below, root):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(below, timeout=GONE_WITHIN)
