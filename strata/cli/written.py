"""Where `strata init` puts files, and how it writes settings into params.yaml."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from strata.cli.terminal import sentence

if TYPE_CHECKING:
    from strata.data.guess.documents import Papers
    from strata.data.guess.plan import Plan

DATA = Path("data")


Written = tuple[dict[str, Any], list[RenderableType]]
"""What was written, as JSON and as sentences."""


def write(
    source: Mapping[str, Any], cleaning: Mapping[str, Any], folder: Path, params: Path, encoder: str | None = None
) -> Written:
    """Write the section `source`, of a data set in `folder`, and settings of `cleaning`; a person's changes stay.

    `encoder`: the base model that reads the data set's language; written once, for a data set that is new.
    """
    from strata.data.guess.writing import change, last_written, remember
    from strata.data.sources.presets import merge
    from strata.storage import write_text

    whole = {"folder": _relative(folder, params.parent), **source}
    text = params.read_text(encoding="utf-8")
    last = last_written(params.parent)
    done = change(text, whole, cleaning, last)
    new_here = encoder is not None and last.get("source", {}).get("folder") != whole["folder"]
    changed = merge(done.text, {"encoder": {"base": encoder}}) if new_here else done.text
    if changed != text:
        write_text(changed, params)
    remember(params.parent, whole, cleaning)
    said: list[RenderableType] = [sentence(f"kept as you changed it: {each}") for each in done.kept]
    said += [sentence(f"encoder.base: {encoder}")] if new_here else []
    count = f"{len(done.changed)} settings written" if done.changed else "nothing changed"
    return {"written": True, "kept": done.kept, "changed": done.changed}, [*said, sentence(f"{params}: {count}")]


def place_and_write(plan: "Plan", name: str, params: Path, encoder: str | None = None) -> Written:
    """Put the files of a plan into data/, have DVC track it, and write the plan's settings."""
    root = params.parent
    files = [path for sample in plan.tables.values() for path in sample.paths]
    folder, within, placed = _placed(files, name, root, plan.papers)
    for table, sample in plan.tables.items():
        inside = sample.path.parent.resolve().relative_to(folder.resolve()) if within else Path()
        plan.source[table]["file"] = str(inside / sample.file)
    done, said = write(plan.source, plan.cleaning, folder, params, encoder)
    return {**done, "placed": placed}, [*map(sentence, placed), *said, sentence(_dvc_add(root))]


def name_of(paths: list[Path], interactions: Path) -> str:
    """What to call the data set of files."""
    folder = next((path for path in paths if path.is_dir()), None)
    said = folder.resolve().name if folder else interactions.name.split(".")[0]
    return re.sub(r"[^\w-]+", "-", said.lower()).strip("-") or "own"


def _placed(files: list[Path], name: str, root: Path, papers: "Papers | None") -> tuple[Path, bool, list[str]]:
    """Folder of the data set, whether the files lay within data/ and stay as they lie, and what was done with them.

    Documents keep their paths from their folder, which are their ids.
    """
    from strata.data.guess.placing import place

    data = (root / DATA).resolve()
    if papers is not None:
        if data in papers.folder.resolve().parents and all(papers.folder in path.parents for path in files):
            return papers.folder.resolve(), True, []
        folder = root / DATA / name
        done = place(dict.fromkeys(files), folder)
        own = [path for path in papers.files.values() if path not in files]
        count = len(place(own, folder, papers.folder))
        return folder, False, [*done, f"{folder}: {count:,} documents linked or copied"]
    if all(data in path.resolve().parents for path in files):
        parents = [path.resolve().parent for path in files]
        common = parents[0]
        while not all(common == each or common in each.parents for each in parents):
            common = common.parent
        if common != data:
            return common, True, []
    folder = root / DATA / name
    return folder, False, place(dict.fromkeys(files), folder)


def _relative(folder: Path, root: Path) -> str:
    return folder.resolve().relative_to(root.resolve()).as_posix()


def _dvc_add(root: Path) -> str:
    """Have DVC track data/, as the pipeline's stages read it."""
    dvc = Path(sys.executable).with_name("dvc")
    command = str(dvc) if dvc.exists() else shutil.which("dvc")
    if command is None or not (root / ".dvc").is_dir():
        return "data/ is not tracked: DVC is not set up here; run `dvc init`, then `dvc add data`"
    done = subprocess.run([command, "add", "--quiet", "data"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"`dvc add data` failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason'}"
    return "data.dvc: data/ is tracked (dvc add data)"
