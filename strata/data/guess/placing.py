"""Places files of a data set into its folder, without a second copy on the disk where that can be."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from strata.errors import SourceError


def place(files: Iterable[Path], folder: Path, below: Path | None = None) -> list[str]:
    """Give `folder` each file by a hard link, else by a copy, and say what was done; files that lie there stay.

    A file keeps its path from the folder `below` where one is given, else its name alone.

    Raises SourceError where another file of a name lies there already.
    """
    done = []
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        target = folder / (file.name if below is None else file.relative_to(below))
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            if target.samefile(file) or _same(target, file):
                continue
            raise SourceError(
                f"{target} is there, and is another file than {file}; take one away, or give another --name"
            )
        try:
            os.link(file.resolve(), target)
            done.append(f"{target}: linked to {file}")
        except OSError:
            part = target.with_name(f"{target.name}.part")
            shutil.copyfile(file, part)
            part.replace(target)
            done.append(f"{target}: copied from {file}")
    return done


def _same(a: Path, b: Path) -> bool:
    here, there = a.stat(), b.stat()
    if here.st_size != there.st_size:
        return False
    with a.open("rb") as one, b.open("rb") as other:
        return all(x == y for x, y in iter(lambda: (one.read(1 << 20), other.read(1 << 20)), (b"", b"")))
