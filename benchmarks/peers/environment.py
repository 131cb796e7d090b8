"""The peers' own virtual environment, made once from pinned versions and kept."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from strata.errors import FetchError
from strata.storage import write_text

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / ".workspaces" / "peers-env"


def ready(folder: Path = FOLDER) -> bool:
    """Whether the environment in `folder` holds the versions pinned now."""
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _pinned()


def environment(folder: Path = FOLDER, *, say: Callable[[str], None]) -> Path:
    """The interpreter of the environment, made or mended first where it is not ready.

    Raises FetchError where pip cannot install; a second call goes on with what the first has fetched.
    """
    python = folder / "bin" / "python"
    if not ready(folder):
        say(f"Installing {REQUIREMENTS.name} of the peers into {folder} (about two minutes, 2 GB) ...")
        install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", REQUIREMENTS]
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run(install, check=True)
        except subprocess.CalledProcessError as error:
            raise FetchError(
                f"{folder}: exit code {error.returncode}; see above, run it again, or delete the folder"
            ) from None
        write_text(_pinned(), folder / ".installed")
    return python


def _pinned() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
