"""A table as parts that follow one another: one frame while rows are few, files on disk beyond, read one at a time."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl

from strata.data.schema import ROW
from strata.storage import replacing, write_table

IN_MEMORY: Final = 4_000_000
"""Rows that are held in memory as one frame; a larger table lies on disk."""
AT_ONCE: Final = 2_000_000
"""Rows of a part, about, where a table is kept by users."""
HASHES: Final = 32_000_000
"""Hashes of rows compared at once: a quarter of a gigabyte."""


class Folder:
    """A temporary folder that is there as long as this object, or until the process ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="strata-parts-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class Parts:
    """`frames` follow one another; `folder` holds their files, if they have any."""

    frames: tuple[pl.LazyFrame, ...]
    folder: Folder | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """A frame in memory, as one part."""
        return cls((frame.lazy(),))

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self.frames:
            yield frame.collect()

    @cached_property
    def height(self) -> int:
        """Rows of all parts."""
        return int(self.each(lambda part: part.select(pl.len()))["len"].sum())

    def whole(self) -> pl.DataFrame:
        """All rows, in memory."""
        return pl.concat(list(self))

    def map(self, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Self:
        """Every part changed, whenever it is read."""
        return replace(self, frames=tuple(change(frame) for frame in self.frames))

    def each(self, look: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
        """What `look` makes of each part, one below the other, in memory."""
        return pl.concat([look(frame).collect() for frame in self.frames], rechunk=True)

    def settled(self) -> Self:
        """The parts as they are now: what changes them is done once, not whenever they are read."""
        store = Store(0 if self.folder else self.height)
        for part in self:
            store.add(part)
        return replace(self, frames=store.parts().frames, folder=store.folder)

    def filter(self, holds: pl.Expr) -> pl.DataFrame:
        """The rows of which `holds` is true, in memory, by their number in the file if they have one."""
        found = self.each(lambda part: part.filter(holds))
        return found.sort(ROW) if len(self.frames) > 1 and ROW in found.columns else found

    def write(self, path: Path) -> None:
        """Write all rows to a Parquet file, a part at a time; one part as any other table."""
        if len(self.frames) == 1:
            write_table(self.whole(), path)
            return
        with replacing(path) as temporary:
            pl.concat(self.frames).sink_parquet(temporary, compression="zstd", statistics=True, engine="streaming")

    def counts(self, column: str) -> pl.DataFrame:
        """How often each value of a column stands: `column` and `count`, no value twice, sorted by both."""
        together = pl.col("count").sum()
        groups: list[pl.DataFrame] = []
        for frame in self.frames:
            groups.append(frame.group_by(column).agg(count=pl.len().cast(pl.Int64)).collect())
            if sum(each.height for each in groups[1:]) > max(groups[0].height, IN_MEMORY):
                groups = [pl.concat(groups).group_by(column).agg(together)]  # a value stands in many parts
        counts = pl.concat(groups).group_by(column).agg(together)
        return counts.sort("count", column, descending=[True, False])


class Store:
    """Takes the frames of a table one after another; beyond `most` rows (IN_MEMORY) all are written to files."""

    def __init__(self, most: int | None = None) -> None:
        self.most, self.rows = IN_MEMORY if most is None else most, 0
        self.frames: list[pl.DataFrame] = []
        self.written: list[Path] = []
        self.folder: Folder | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Keep a frame."""
        self.frames.append(frame)
        self.rows += frame.height
        if self.rows > self.most:
            self._write()

    def parts(self) -> Parts:
        """What was added; at least one frame must have been."""
        if self.folder is None:
            return Parts.of(pl.concat(self.frames, rechunk=True))
        self._write()
        return Parts(tuple(pl.scan_parquet(path, glob=False) for path in self.written), self.folder)

    def _write(self) -> None:
        self.folder = self.folder or Folder()
        for frame in self.frames:
            path = self.folder.path / f"{len(self.written)}.parquet"
            frame.write_parquet(path, compression="lz4", statistics=False)
            self.written.append(path)
        self.frames = []


def gathered(frames: Iterable[pl.DataFrame], read: Parts, by: str | None = None) -> Parts:
    """Frames that were made of those of `read`; where these are many, by ranges of the text column `by`."""
    if by is not None and read.height > IN_MEMORY:
        return apart(frames, by, bounds(read, by, AT_ONCE))
    store = Store()
    for frame in frames:
        store.add(frame)
    return store.parts()


def bounds(parts: Parts, column: str, most: int) -> list[str]:
    """The first value of each range of a text column, but for the first, so that ranges have about `most` rows."""
    counts = parts.counts(column).drop_nulls().sort(column)
    ranges = counts.with_columns(nth=(pl.col("count").cum_sum() - 1) // most)
    return ranges.unique("nth", keep="first", maintain_order=True)[column].to_list()[1:]


def apart(frames: Iterable[pl.DataFrame], column: str, first: Sequence[str]) -> Parts:
    """Rows on disk, by ranges of a column that begin at `first`, as `bounds` gives them: their order stays."""
    folder = Folder()
    files: list[list[Path]] = [[] for _ in range(len(first) + 1)]
    for nth, frame in enumerate(frames):
        place = pl.sum_horizontal(pl.col(column) >= value for value in first)
        for (within,), rows in frame.group_by(place.alias("range"), maintain_order=True):
            path = folder.path / f"{within}-{nth}.parquet"
            rows.write_parquet(path, compression="lz4", statistics=False)
            files[int(str(within))].append(path)
    return Parts(tuple(pl.scan_parquet(paths, glob=False) for paths in files if paths), folder)


def repeating(parts: Parts, column: str) -> pl.DataFrame:
    """Rows whose value of a text column stands more than once, by their number in the file."""
    twice = pl.col(column).is_duplicated()
    if len(parts.frames) == 1:
        return parts.filter(twice)
    hashes = _repeating_hashes(parts, column)
    return parts.filter(pl.col(column).hash().is_in(hashes.implode())).filter(twice)


def _repeating_hashes(parts: Parts, column: str) -> pl.Series:
    """Hashes that stand more than once."""
    value, turns = pl.col(column).hash(), -(-parts.height // HASHES)
    found = []
    for turn in range(turns):
        hashes = parts.each(lambda part, turn=turn: part.select(value).filter(pl.first() % turns == turn))  # type: ignore[misc]
        ordered = np.sort(hashes.to_series().to_numpy())
        found.append(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
    return pl.Series(np.concatenate(found))
