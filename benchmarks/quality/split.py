"""The leave-one-out split of MovieLens-100K, as peers read it: python -m benchmarks.quality.split FOLDER."""

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from strata.cli.terminal import clear_errors
from strata.data.schema import ITEM, TIMESTAMP, USER, VALUE
from strata.errors import SourceError
from strata.storage import write_table

INTERACTIONS = Path("artifacts") / "history" / "interactions.parquet"
SPLIT = ("train", "validation", "test")


def write_split(interactions: pl.DataFrame, folder: Path) -> None:
    """Write train, validation and test.parquet, as `python -m benchmarks.peers` reads them."""
    later = pl.len().over(USER) - 1 - pl.int_range(pl.len()).over(USER)
    columns = [USER, ITEM, TIMESTAMP, VALUE]
    for part, mask in zip(SPLIT, (later > 1, later == 1, later == 0), strict=True):
        write_table(interactions.filter(mask).select(columns), folder / f"{part}.parquet")


@clear_errors
def main(folder: Annotated[Path, typer.Argument(help="Where the files go.")]) -> None:
    """Write train.parquet, validation.parquet and test.parquet: all ratings but two, the second last, the last."""
    if not INTERACTIONS.exists():
        raise SourceError(f"{INTERACTIONS} does not exist; run `make demo` first")
    write_split(pl.read_parquet(INTERACTIONS), folder)


if __name__ == "__main__":
    typer.run(main)
