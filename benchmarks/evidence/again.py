"""What docs/evidence holds of older code, listed with the command that measures it, or measured again."""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.markup import escape

from benchmarks.evidence.files import ROOT, renew, uncommitted
from benchmarks.evidence.sections import FILMS, SECTIONS, Section
from benchmarks.evidence.stale import Stale
from benchmarks.evidence.tables import commit_of
from strata.cli.terminal import console
from strata.errors import StrataError
from strata.storage import read_json


def show(folder: Path) -> dict[str, dict[str, Stale]]:
    """Print and return every stale section of the evidence in `folder`, why, and its command; tables say so anew."""
    found = renew(folder)
    for command, stale in found.items():
        sections = read_json(folder / f"{command}.json")["sections"]
        for name, each in stale.items():
            made_with = sections[name]
            took = f"; took {made_with['seconds'] / 60:.0f} min" if "seconds" in made_with else ""
            _say(f"{command}.json, {name}, measured at {commit_of(made_with)}{took}")
            _say(f"  {each.told()}")
            if name in SECTIONS[command]:
                _say(f"  {SECTIONS[command][name].command}")
    for command, stale in found.items():
        _say(f"{command}.json: {len(stale)} sections to measure again")
    return found


def measure(folder: Path, workspaces: Mapping[str, str]) -> None:
    """Run the command of every stale section, with the `workspaces` given by data set; a failed one stops no other.

    Raises StrataError where rows would be stale at once: for changes that are not committed, and artefacts of other
    code than the committed; and at the end where a command failed.
    """
    found = show(folder)
    if uncommitted(folder):
        raise StrataError("there are uncommitted changes: rows would count as older code at once; commit them first")
    wanted = [SECTIONS[command][name] for command in found for name in found[command] if name in SECTIONS[command]]
    if any(section.data == FILMS for section in wanted):
        _refuse_old_artefacts()
    failed = []
    for section in wanted:
        if any(subprocess.run(program, check=False).returncode for program in programs(section, folder, workspaces)):
            failed.append(section.command)
    left = renew(folder)
    _say(f"{sum(map(len, left.values()))} sections are still to measure again")
    if failed:
        raise StrataError("these failed, as said above: " + "; ".join(failed))


def programs(section: Section, folder: Path, workspaces: Mapping[str, str]) -> list[list[str]]:
    """The programs that make a section anew, in order; the last writes its rows into `folder`."""
    found = [[sys.executable, *shlex.split(step)[1:]] for step in section.command.split(" && ")]
    last = [*found[-1], "--output", str(folder)]
    if section.data in workspaces and "benchmarks.evidence" in last:
        return [[*last, "--workspace", f"{section.data}={workspaces[section.data]}"]]
    return [*found[:-1], last]


def _refuse_old_artefacts() -> None:
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    status = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    if changed := json.loads(status.stdout):
        raise StrataError(f"artifacts are not of this code ({', '.join(changed)}); run dvc repro and commit dvc.lock")


def _say(line: str) -> None:
    console.print(escape(line), soft_wrap=True)
