"""Virtual environments for what the project itself does not need: made once from pinned versions, and kept."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from strata.errors import FetchError
from strata.storage import write_text

STAMP = ".installed"


def holds(folder: Path, requirements: Path) -> bool:
    """Whether the environment in `folder` holds the versions that `requirements` pins now."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _digest(requirements)


def install(folder: Path, requirements: Path, options: Sequence[str] = ()) -> None:
    """Make the environment, or go on where an earlier call ended; `options` of pip.

    Raises FetchError where pip cannot install.
    """
    command = [folder / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", *options]
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([*command, "-r", requirements], check=True)
    except subprocess.CalledProcessError as error:
        raise FetchError(
            f"{folder}: exit code {error.returncode}; see above, run it again, or delete the folder"
        ) from None
    write_text(_digest(requirements), folder / STAMP)


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()
