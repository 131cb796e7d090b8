"""Libraries that only these races need, in a virtual environment of their own; its packages can be imported here."""

import site
import sysconfig
from collections.abc import Callable
from pathlib import Path

from benchmarks.virtualenv import holds, install

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / ".workspaces" / "kernels-env"


def ready(folder: Path = FOLDER) -> bool:
    """Whether the environment in `folder` holds the versions pinned now."""
    return holds(folder, REQUIREMENTS)


def environment(folder: Path = FOLDER, *, say: Callable[[str], None]) -> Path:
    """The interpreter of the environment, made first where it is not ready; what it has can be imported from now on.

    What the project has too is imported from the project. Raises FetchError where pip cannot install.
    """
    if not ready(folder):
        say(f"Installing {REQUIREMENTS.name} of the races into {folder} ...")
        # Without what they need: the project has it, but for the llvmlite that lleaves was written for.
        install(folder, REQUIREMENTS, ["--no-deps"])
    site.addsitedir(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    return folder / "bin" / "python"
