"""A folder that the processes of one server share while they run; another server has another."""

import atexit
import os
import shutil
import socket
from pathlib import Path
from typing import Final

import psutil
from platformdirs import user_cache_path

from strata.errors import SettingsError

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of ours in it, that nobody else may enter
VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where Prometheus's client keeps values of several processes. BentoML sets it for its workers, to a folder that every
start empties, also one that fails."""


def default_folder() -> Path:
    """Memory where there is some as a folder: values are mapped, and a full disk would end who writes to them."""
    if os.access(MEMORY, os.W_OK):
        return MEMORY / f"strata-{os.geteuid()}"
    return user_cache_path("strata") / "metrics"


def check(base: Path) -> None:
    """Raise SettingsError unless folders can be made in `base`, and it is ours alone."""
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial = base / f".trial-{os.getpid()}"
        trial.write_bytes(b"x")
        trial.unlink()
        owner = base.stat().st_uid
    except OSError as error:
        raise SettingsError(
            f"the folder for metrics, {base}, cannot be written ({error.strerror}); make it writable, or set "
            "STRATA_METRICS to another"
        ) from None
    if owner != os.geteuid():
        raise SettingsError(f"the folder for metrics, {base}, is somebody else's; set STRATA_METRICS to another")


def take(base: Path) -> None:
    """In a worker of BentoML: have metrics kept in the folder of this server. Raises SettingsError."""
    if VARIABLE not in os.environ:
        return
    check(base)
    folder = base / _name(psutil.Process(os.getppid()))
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
    _tidy(base)


def give_back(base: Path) -> None:
    """In the process that starts the workers: remove their folder when it ends."""
    atexit.register(shutil.rmtree, base / _name(psutil.Process()), ignore_errors=True)


def _name(server: psutil.Process) -> str:
    return f"{socket.gethostname()}.{server.pid}.{int(server.create_time() * 1_000)}"


def _tidy(base: Path) -> None:
    """Remove folders of this machine's servers that have ended."""
    for folder in base.glob(f"{socket.gethostname()}.*.*"):
        try:
            lives = folder.name == _name(psutil.Process(int(folder.name.split(".")[-2])))
        except (psutil.Error, ValueError):
            lives = False
        if not lives:
            shutil.rmtree(folder, ignore_errors=True)
