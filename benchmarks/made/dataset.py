"""The files of a made data set, written a block of users at a time: memory stays the same however many there are."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from pydantic import Field

from benchmarks.made.catalogue import make_items
from benchmarks.made.events import make_block
from strata.settings import Settings
from strata.storage import replacing, write_table

TIME: Final = 1_767_225_600.0
"""The end of the year that is made: 2026-01-01, UTC."""
FILES: Final = ("interactions", "users", "planted")
SOURCE: Final[dict[str, Any]] = {
    "folder": "data/made",
    **{name: {"file": f"{name}.parquet"} for name in ("interactions", "items", "users")},
}
"""Section `source` of params.yaml: the files use Strata's own names of columns."""


class MadeSettings(Settings):
    """How much is made, and of which seed."""

    users: int = Field(100_000, gt=0)
    items: int = Field(20_000, gt=0)
    events: int = Field(2_000_000, gt=0)
    seed: int = 7
    block: int = Field(2_000, gt=0)
    """Users made at once."""


def make(folder: Path, settings: MadeSettings, advance: Callable[[int], None] = lambda users: None) -> None:
    """Write interactions, items and users, and beside them `planted.parquet`, the interests that lie behind.

    The same settings give the same bytes. `advance` is told how many users have been made since the last call.
    """
    goods = make_items(settings.items, settings.seed, TIME)
    starts = [*range(0, settings.users, settings.block), settings.users]
    with ExitStack() as stack:
        writers = [stack.enter_context(_row_groups(folder / f"{name}.parquet")) for name in FILES]
        for first, end in pairwise(starts):
            events = np.diff([settings.events * users // settings.users for users in (first, end)])[0]
            tables = make_block(goods, first, end - first, int(events), settings.seed, TIME)
            for write, table in zip(writers, tables, strict=True):
                write(table)
            advance(end - first)
    write_table(goods.table, folder / "items.parquet")


@contextmanager
def _row_groups(path: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Give what adds a table to a Parquet file, as one row group of it; the file is there once all are written."""
    with replacing(path) as temporary, ExitStack() as stack:
        writer: pq.ParquetWriter | None = None

        def write(table: pl.DataFrame) -> None:
            nonlocal writer
            rows = table.to_arrow()
            writer = writer or stack.enter_context(pq.ParquetWriter(temporary, rows.schema, compression="zstd"))
            writer.write_table(rows)

        yield write
