"""A service with faults: two releases that can be told apart, a journal that stops, an encoder that is killed."""

import shutil
from pathlib import Path

import polars as pl
import psutil

from strata.data.schema import TITLE
from strata.release.layout import Part
from strata.release.manifest import read_manifest, write_release

MARKS = ("①", "②")
"""What the titles of each release begin with: an answer of two releases would have both."""


def marked(release: Path, mark: str, folder: Path) -> str:
    """A copy of a release whose titles begin with `mark`, in `folder`; its id."""
    shutil.copytree(release, folder / "parts")
    items = folder / "parts" / Part.ITEMS
    pl.read_parquet(items).with_columns((pl.lit(mark) + pl.col(TITLE).fill_null("")).alias(TITLE)).write_parquet(items)
    kept = read_manifest(release)
    parts = {path.name: path for path in (folder / "parts").iterdir() if not path.name.startswith("manifest")}
    return write_release(folder / "release", parts, versions=kept.versions, metrics=kept.metrics).id


def workers(server: int, service: str) -> list[psutil.Process]:
    """The processes of a service of BentoML, by that of the whole server."""
    found = psutil.Process(server).children(recursive=True)
    return [each for each in found if _names(each, service)]


def _names(process: psutil.Process, service: str) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:  # it has just ended
        return False
    return any(pair == ("--service-name", service) for pair in zip(words, words[1:], strict=False))
