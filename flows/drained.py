"""What the branch of another deployment has drained from journals joins the data of a clone."""

import shutil
from pathlib import Path

from flows.clone import CORRECTIONS, Clone
from flows.pipeline import Pipeline, Say
from strata.data.journal_folder import FOLDER, JournalFolder
from strata.data.sources.adapters import SourceSettings
from strata.interests.correction_file import Correction, parsed
from strata.online.merging import take_corrections, take_over
from strata.settings import read_settings
from strata.storage import write_text

ASIDE = Path(".dvc/tmp/drained")


def source_of(folder: Path) -> Path:
    """The folder of the data set that a project at `folder` works on, from there. Raises SettingsError."""
    return read_settings(SourceSettings, "source", folder / "params.yaml").folder


def join(clone: Clone, branch: str, say: Say) -> bool:
    """Add what a branch has drained to the data and corrections of the clone; whether it had any that the clone lacks.

    The clone must be updated. Its own data stay as they are: the branch may have been made of older ones.
    """
    commit = clone.latest(branch)
    if commit is None:
        return False
    corrected = _corrections(clone, commit)
    source = source_of(clone.folder)
    joined = False
    if (there := _checked_out(clone, commit, source, say)) is not None:
        joined = take_over(clone.folder / source, there)
        shutil.rmtree(there, ignore_errors=True)
    folder = JournalFolder.read(clone.folder / source)
    erasures = folder.erasures() if folder else []
    lines = take_corrections(clone.folder / CORRECTIONS, corrected, erasures)
    if joined:
        Pipeline(clone.folder).add(source, say)
    say(f"{branch}: {'data drained there joined' if joined else 'nothing drained there is new'}, {lines} corrections")
    return joined or bool(lines)


def _corrections(clone: Clone, commit: str) -> list[Correction]:
    text = clone.show(commit, CORRECTIONS)
    if text is None:
        return []
    copy = clone.folder / ASIDE / "corrections.jsonl"
    write_text(text, copy)
    return [line for _, line in parsed(copy)]


def _checked_out(clone: Clone, commit: str, source: Path, say: Say) -> Path | None:
    """A folder beside the data with the journals' folder as it is in a commit, None where that has no other data."""
    pipeline = Pipeline(clone.folder)
    version = Path(f"{pipeline.tracked(source)}.dvc")
    theirs, ours = clone.show(commit, str(version)), (clone.folder / version).read_text(encoding="utf-8")
    if theirs is None or theirs == ours:
        return None
    aside = clone.folder / ASIDE / "data"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    write_text(theirs, clone.folder / version)
    pipeline.restore_data(say)  # changes only what differs, so that the source's own files stay
    if (clone.folder / source / FOLDER).exists():
        (clone.folder / source / FOLDER).rename(aside / FOLDER)
    write_text(ours, clone.folder / version)
    pipeline.restore_data(say)
    return aside
