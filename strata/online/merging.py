"""Two versions of a data set, each of which drained journals, become one: of each journal the further one."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from strata.data.journal_folder import Erasure, JournalFolder, tag
from strata.interests.correction_file import Correction, append, forget, parsed
from strata.online.erasures import erased


def take_over(source: Path, other: Path) -> bool:
    """Take into a data set what another version of it has of journals further, and its tombstones; whether any.

    What a version has of a journal is complete up to its place, so that the further one has all that the other has.
    """
    theirs = JournalFolder.read(other)
    if theirs is None:
        return False
    ours = JournalFolder.read(source) or JournalFolder.made(source, next(iter(theirs.places)))
    further = {name: place for name, place in theirs.places.items() if place > ours.places.get(name, 0)}
    tags = {tag(name) for name in further}
    for file in (*ours.files(), *ours.files(settled=False)):
        if file.tag in tags:
            file.path.unlink()
    for file in theirs.files():
        if file.tag in tags:
            shutil.copyfile(file.path, ours.path / file.path.name)
    buried = ours.bury(theirs.erasures())
    if further:
        JournalFolder(ours.path, {**ours.places, **further}).settle()
    return buried or bool(further)


def take_corrections(path: Path, theirs: Sequence[Correction], erasures: Sequence[Erasure]) -> int:
    """Add the corrections that a file lacks, and remove all from before their user was forgotten; how many are new."""
    ours = [line for _, line in parsed(path)]
    said = {line.model_dump_json() for line in ours}
    new = [line for line in theirs if line.model_dump_json() not in said]
    gone = {line.user_id for line in (*ours, *new) if _before_erasure(line, erasures)}
    for user in gone:
        forget(user, path)
    again = [line for line in ours if line.user_id in gone]
    kept = [line for line in (*again, *new) if not _before_erasure(line, erasures)]
    for line in kept:
        append(line, path)
    return len([line for line in kept if line in new])


def _before_erasure(line: Correction, erasures: Sequence[Erasure]) -> bool:
    return any(
        line.time.timestamp() <= each.at and erased(line.user_id, each.journal) == each.user for each in erasures
    )
