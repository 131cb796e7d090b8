"""Compares dvc.lock with the committed one: equal, same inputs but other results, or other inputs."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from strata.cli.doctor import Finding

LOCK = "dvc.lock"


def lock_finding(root: Path = Path()) -> Finding | None:
    """Finding about the lock in `root` against the committed one; None unless both exist."""
    committed = _committed(root)
    if committed is None or not (root / LOCK).is_file():
        return None
    try:
        before, now = yaml.safe_load(committed), yaml.safe_load((root / LOCK).read_text(encoding="utf-8"))
        same_inputs = _inputs(before) == _inputs(now)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return Finding("bad", f"{LOCK} cannot be read", f"git checkout {LOCK}")
    if before == now:
        return Finding("ok", f"{LOCK} as committed")
    if same_inputs:
        what = f"{LOCK} differs from the committed one in results alone. That is expected: processors round differently"
        return Finding("note", what, f"`git checkout {LOCK}` discards the difference; artifacts/ stay as they are")
    what = f"{LOCK} comes from other code, data or settings than the committed one"
    return Finding("note", what, f"commit it to keep it, or discard it by `git checkout {LOCK}`")


def _committed(root: Path) -> str | None:
    try:
        done = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], cwd=root, capture_output=True, check=False)
    except OSError:  # no git
        return None
    return None if done.returncode else done.stdout.decode(errors="replace")


def _inputs(lock: Any) -> dict[str, Any]:
    """Command, parameters and dependencies of each stage, without outputs of other stages."""
    made = {out["path"] for stage in lock["stages"].values() for out in stage.get("outs", [])}

    def given(path: str) -> bool:
        return not any(path == out or path.startswith(f"{out}/") for out in made)

    return {
        name: (stage["cmd"], stage.get("params"), [dep for dep in stage.get("deps", []) if given(dep["path"])])
        for name, stage in lock["stages"].items()
    }
