"""Which sections are of older code: the fingerprint they keep beside that of the code as it is now."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.closure import Files, files_at, files_here
from benchmarks.evidence.sections import SECTIONS, Section
from benchmarks.fingerprint import changes, fingerprint

ORPHAN = "no command makes it any more"


@dataclass(frozen=True)
class Stale:
    """Why a section's rows may not be what its command would give now: `modules` changed since, or else `unknown`."""

    modules: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def mark(self) -> str:
        """In one word."""
        return "unknown" if self.unknown else "changed"

    def told(self, most: int | None = None) -> str:
        """In words, naming so many modules at `most`."""
        more = len(self.modules) - len(self.modules[:most])
        said = self.unknown or ", ".join(self.modules[:most]) + (f" and {more} more" if more else "")
        return f"{self.mark}: {said}"


def stale_sections(content: Mapping[str, Any], root: Path) -> dict[str, Stale]:
    """The sections of an evidence file that are stale in the clone at `root`; those that are not are not in it."""
    now = files_here(root)
    made_by = SECTIONS.get(content["command"], {})
    found = {
        name: _judge(made_with, made_by[name], now, root) if name in made_by else Stale(unknown=ORPHAN)
        for name, made_with in content["sections"].items()
    }
    return {name: stale for name, stale in found.items() if stale}


def _judge(made_with: Mapping[str, Any], section: Section, now: Files, root: Path) -> Stale | None:
    if made_with["dirty"]:
        return Stale(unknown="measured with uncommitted changes")
    then = made_with.get("code") or code_at(made_with["commit"], section, root)
    if then is None:
        return Stale(unknown="measured at a commit that this clone lacks")
    changed = changes(then, fingerprint(section, now))
    return Stale(tuple(changed)) if changed else None


def code_at(commit: str, section: Section, root: Path) -> dict[str, str] | None:
    """The fingerprint of a section at a commit, None where the clone does not hold it."""
    files = _files_at(commit, root)
    return None if files is None else fingerprint(section, files)


def filled(content: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """An evidence file with the date and the fingerprint of sections that were measured before these were kept."""
    made_by, sections = SECTIONS.get(content["command"], {}), {}
    for name, made_with in content["sections"].items():
        found = {} if "date" in made_with else {"date": date_of(made_with["commit"], root)}
        if "code" not in made_with and not made_with["dirty"] and name in made_by:
            found["code"] = code_at(made_with["commit"], made_by[name], root)
        sections[name] = made_with | {key: value for key, value in found.items() if value}
    return {**content, "sections": sections}


def date_of(commit: str, root: Path) -> str:
    """The day of a commit, empty where the clone does not hold it."""
    command = ["git", "show", "--no-patch", "--format=%cs", f"{commit}^{{commit}}"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()


@cache
def _files_at(commit: str, root: Path) -> Files | None:
    return files_at(commit, root)
