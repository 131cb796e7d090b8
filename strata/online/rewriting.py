"""Drained files written anew without what must not be kept: forgotten users, and what is older than is allowed."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import polars as pl

from strata.data.journal_folder import AT, DrainedFile, JournalFolder
from strata.data.schema import TIMESTAMP, USER
from strata.online.erasures import forgotten
from strata.storage import replacing


def without_users(folder: JournalFolder, gone: Collection[str], journal: str) -> int:
    """Remove all rows of forgotten users, by their hashes; returns how many. Files that hold none stay as they are."""
    if not gone:
        return 0

    def theirs(file: DrainedFile) -> pl.Expr:
        users = _unique(file.path, USER)
        found = users.filter(pl.Series(forgotten(users.to_list(), gone, journal), dtype=pl.Boolean))
        return pl.col(USER).is_in(found.implode())

    return _rewritten(_of_users(folder), theirs)


def without_older(folder: JournalFolder, since: float) -> int:
    """Remove events and lists before a time (seconds since 1970); returns how many rows."""
    moment = pl.from_epoch(pl.lit(round(since * 1e6)), "us").dt.replace_time_zone("UTC")
    return _rewritten(_of_users(folder), lambda file: pl.col(TIMESTAMP if file.kind == "events" else AT) < moment)


def _of_users(folder: JournalFolder) -> list[DrainedFile]:
    return [*folder.files("events"), *folder.files("lists")]


def _rewritten(files: Sequence[DrainedFile], unwanted: Callable[[DrainedFile], pl.Expr]) -> int:
    removed = 0
    for file in files:
        rows, holds = pl.scan_parquet(file.path, glob=False), unwanted(file)
        counts = rows.select(pl.len(), unwanted=holds.sum()).collect().row(0, named=True)
        if not counts["unwanted"]:
            continue
        removed += counts["unwanted"]
        if counts["unwanted"] == counts["len"]:
            file.path.unlink()
            continue
        with replacing(file.path) as temporary:
            rows.filter(~holds.fill_null(value=False)).sink_parquet(temporary, compression="zstd", engine="streaming")
    return removed


def _unique(path: Path, column: str) -> pl.Series:
    return pl.scan_parquet(path, glob=False).select(pl.col(column).drop_nulls().unique()).collect()[column]
