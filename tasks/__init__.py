"""One module per DVC stage: read artefacts, call the library, write artefacts."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from strata.errors import StrataError

ARTIFACTS = Path("artifacts")
TABLES = ARTIFACTS / "tables"
HISTORY = ARTIFACTS / "history"
ENCODER = ARTIFACTS / "encoder"
VECTORS = ARTIFACTS / "vectors"

PR_SET_PDEATHSIG = 1


def run(stage: Callable[[], None]) -> None:
    """Run a stage as a program: an expected error becomes one clear line, and no orphan outlives `dvc repro`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # the parent died before the call above
            sys.exit("the process that started this stage is gone")
    try:
        stage()
    except StrataError as error:
        sys.exit(f"{type(error).__name__}: {error}")
