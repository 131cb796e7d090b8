"""Libraries that only these races need, in a virtual environment of their own; its packages can be imported here."""

import hashlib
import site
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from strata.errors import FetchError
from strata.storage import write_text

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / ".workspaces" / "kernels-env"


def ready(folder: Path = FOLDER) -> bool:
    """Whether the environment in `folder` holds the versions pinned now."""
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _pinned()


def environment(folder: Path = FOLDER, *, say: Callable[[str], None]) -> Path:
    """The interpreter of the environment, made first where it is not ready; what it has can be imported from now on.

    What the project has too is imported from the project. Raises FetchError where pip cannot install.
    """
    python = folder / "bin" / "python"
    if not ready(folder):
        say(f"Installing {REQUIREMENTS.name} of the races into {folder} ...")
        # Without what they need: the project has it, but for the llvmlite that lleaves was written for.
        install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([*install, "-r", REQUIREMENTS], check=True)
        except subprocess.CalledProcessError as error:
            raise FetchError(
                f"{folder}: exit code {error.returncode}; see above, run it again, or delete the folder"
            ) from None
        write_text(_pinned(), folder / ".installed")
    site.addsitedir(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    return python


def _pinned() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
