"""A repository in small: what two sections of the evidence depend on, and nothing else."""

import subprocess
from pathlib import Path

FILES = {
    "benchmarks/evidence/planted.py": "from strata.interests.tiers import sort\n",
    "benchmarks/evidence/promise.py": "from strata.interests.tiers import sort\nfrom strata.data.history import read\n",
    "strata/interests/tiers.py": "def sort():\n    return 1\n",
    "strata/data/history.py": "def read():\n    return 2\n",
    "tasks/themes.py": "TOPICS = 3\n",
    "dvc.yaml": "stages: {themes: {cmd: python -m tasks.themes, outs: [artifacts/themes]}}\n",
}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Strata", "-c", "user.email=strata@localhost"]
    found = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def write_project(folder: Path) -> Path:
    """Write the files and commit them."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "-q")
    return commit(folder)


def commit(folder: Path) -> Path:
    """Commit everything but evidence."""
    git(folder, "add", ".", ":(exclude)out")
    git(folder, "commit", "-qm", "A state of the project", "--allow-empty")
    return folder
