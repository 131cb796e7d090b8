"""Takes the wanted files out of an archive; nothing in it decides where they go."""

import gzip
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from strata.errors import FetchError

BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2")


def unpack(archive: Path, wanted: Sequence[str], folder: Path) -> None:
    """Put the files of a zip or tar whose last names are `wanted` into `folder`, as these names say.

    A .gz gives the one file in it, any other file is itself what is wanted: it is moved. Raises FetchError for a
    damaged archive, and for a wanted file that is not in it or there twice.
    """
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as opened:
                entries = {each.filename: each for each in opened.infolist() if not each.is_dir()}
                for name, entry in _chosen(archive, list(entries), wanted).items():
                    _copy(opened.open(entries[entry]), folder / name)
        elif archive.name.endswith(_TARS):
            with tarfile.open(archive) as packed:
                members = {each.name: each for each in packed.getmembers() if each.isfile()}
                for name, entry in _chosen(archive, list(members), wanted).items():
                    _copy(packed.extractfile(members[entry]), folder / name)
        elif archive.suffix == ".gz":
            _copy(gzip.GzipFile(archive), folder / wanted[0])
        else:
            shutil.move(archive, folder / wanted[0])
    except _DAMAGED as error:
        raise FetchError(f"{archive} is damaged ({error or type(error).__name__}); remove it and fetch again") from None
    except OSError as error:
        raise FetchError(f"{archive} cannot be unpacked into {folder} ({error}); is there room on the disk?") from None


def _chosen(archive: Path, entries: list[str], wanted: Sequence[str]) -> dict[str, str]:
    """Wanted name → the archive's entry of that last name."""
    found = {}
    for name in wanted:
        of_name = [each for each in entries if PurePosixPath(each).name == name and not each.startswith("__MACOSX")]
        if len(of_name) != 1:
            held = ", ".join(sorted(entries)[:20]) or "nothing"
            raise FetchError(f"{archive} holds {len(of_name)} files {name}, one was expected; it holds {held}")
        found[name] = of_name[0]
    return found


def _copy(source: IO[bytes] | gzip.GzipFile | None, target: Path) -> None:
    assert source is not None  # a regular file has content
    with source, target.open("wb") as file:
        shutil.copyfileobj(source, file, BLOCK)
