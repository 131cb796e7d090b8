"""Run a program, pass on its output line by line, and end it and its children however this process ends.

This file, run as a program, supervises it: it leads a process group of its own, the kernel signals it when our process
has ended (PDEATHSIG, Linux), and it then ends the whole group.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
GRACE = 5.0  # seconds between asking a group to end and killing it
LAST_LINES = 15


class CommandFailed(RuntimeError):
    """A program left with an exit code other than 0; the message holds the last lines it printed."""


def stream(command: Sequence[str], folder: Path, say: Callable[[str], None]) -> None:
    """Run a command in `folder`, passing each line of its output to `say`. Raises CommandFailed."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with leashed(command, folder, **pipes) as process:
        for line in process.stdout or ():
            if line := line.rstrip():
                say(line)
                last.append(line)
        code = process.wait()
    if code:
        raise CommandFailed(f"`{' '.join(command)}` left with exit code {code}:\n" + "\n".join(last))


def output(command: Sequence[str], folder: Path) -> str:
    """What a short command prints on stdout. Raises CommandFailed with what it printed on stderr."""
    done = subprocess.run(command, cwd=folder, env=environment(), text=True, capture_output=True, check=False)
    if done.returncode:
        raise CommandFailed(f"`{' '.join(command)}` left with exit code {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def leashed(
    command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None, **popen: Any
) -> Iterator[subprocess.Popen]:
    """Start a command; when the block is left or this process is killed, it and its children are ended."""
    with subprocess.Popen(
        [sys.executable, "-P", __file__, str(os.getpid()), *command],
        cwd=folder,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **popen,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()  # nothing happens if it has ended
            process.wait()


def environment() -> dict[str, str]:
    """Our environment, with this interpreter first on PATH: `python` in dvc.yaml is the one that runs the flow."""
    here = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "DVC_NO_ANALYTICS": "1",
        "COLUMNS": os.environ.get("COLUMNS", "120"),
    }


class _Ended(Exception):
    pass


def _hold(parent: int, command: Sequence[str]) -> NoReturn:
    """Run the command as leader of a process group, which ends on SIGTERM or when `parent` has ended."""
    signal.signal(signal.SIGTERM, _end)
    _signal_when_parent_dies(signal.SIGTERM)
    child = None
    try:
        if os.getppid() != parent:
            raise _Ended
        child = subprocess.Popen(command, preexec_fn=partial(_signal_when_parent_dies, signal.SIGKILL))
        code = child.wait()
    except FileNotFoundError:
        sys.exit(f"{command[0]} is not installed here; run `make setup`")
    except _Ended:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        try:
            if child:
                child.wait(GRACE)
        finally:
            os.killpg(0, signal.SIGKILL)
    sys.exit(code if code >= 0 else 128 - code)


def _end(*_: object) -> NoReturn:
    raise _Ended


def _signal_when_parent_dies(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


if __name__ == "__main__":
    _hold(int(sys.argv[1]), sys.argv[2:])
