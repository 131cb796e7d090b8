"""The peers' own virtual environment, made once from pinned versions and kept."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.virtualenv import holds, install

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / ".workspaces" / "peers-env"


def ready(folder: Path = FOLDER) -> bool:
    """Whether the environment in `folder` holds the versions pinned now."""
    return holds(folder, REQUIREMENTS)


def environment(folder: Path = FOLDER, *, say: Callable[[str], None]) -> Path:
    """The interpreter of the environment, made or mended first where it is not ready.

    Raises FetchError where pip cannot install; a second call goes on with what the first has fetched.
    """
    if not ready(folder):
        say(f"Installing {REQUIREMENTS.name} of the peers into {folder} (about two minutes, 2 GB) ...")
        install(folder, REQUIREMENTS)
    return folder / "bin" / "python"
