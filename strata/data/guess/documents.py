"""Recognises a folder of documents whose paths are the ids of the items in a table of interactions beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from strata.data.guess.facts import share
from strata.data.guess.ids import ENOUGH, ids
from strata.data.guess.ledger import Ledger
from strata.data.guess.sample import Sample
from strata.data.journal_folder import journal_files
from strata.data.sources.documents.formats import READERS

FEWEST: Final = 10
"""Fewer files of these endings are notes beside the tables."""
MANUAL: Final = "docs/data.md says under Documents how they are read"


@dataclass(frozen=True)
class Papers:
    """Files below `folder` that may be documents, by their path from there."""

    folder: Path
    files: dict[str, Path]

    @property
    def example(self) -> str:
        """How many there are, and the first of them."""
        return f"{len(self.files):,} documents such as {next(iter(self.files))}"


def papers(paths: Sequence[Path]) -> Papers | None:
    """What may be documents in the one folder among `paths`; null where there are several folders, or few files."""
    folders = [path for path in paths if path.is_dir()]
    if len(folders) != 1:
        return None
    (folder,) = folders
    ours = set(journal_files(folder))
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path not in ours)
    below = ((path, path.relative_to(folder)) for path in found)
    files = {
        inside.as_posix(): path
        for path, inside in below
        if path.suffix.lower() in READERS and not any(part.startswith(".") for part in inside.parts)
    }
    return Papers(folder, files) if len(files) >= FEWEST else None


def named_in(found: Papers, log: Sample, ledger: Ledger) -> bool:
    """Note that documents are the items, where the interactions of `log` name them by their paths; whether they do."""
    there = ledger.guesses.get(("interactions", "columns", "item_id"))
    if ("documents",) in ledger.answers or there is None or there.value not in log.facts:
        return False
    known = share(ids(log, there.value).is_in(pl.Series(list(found.files)).implode()))
    if known < ENOUGH:
        return False
    ledger.settle(("documents",), {}, f"{known:.0%} of the ids of the interactions are paths of {found.example}")
    return True
