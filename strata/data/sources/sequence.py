"""Times for interactions that have none: each user's sequence spread over one artificial year."""

from datetime import UTC, datetime
from typing import Final

import polars as pl

from strata.data.schema import TIME, TIMESTAMP, USER

BEGIN: Final = datetime(2001, 1, 1, tzinfo=UTC)
DAYS: Final = 365
DRAW: Final = "\x1fdraw"
"""Column of ids without a time, which draw an order where there is none."""


def spaced(rows: pl.DataFrame, *, ordered: bool) -> pl.DataFrame:
    """`rows` with TIMESTAMP as times of the year 2001, at equal steps for each user.

    `ordered`: by the numbers in TIMESTAMP, equal ones at one time, null where there is none. Otherwise in an order that
    DRAW gives, the same in every run. Users begin at different points of their first step, so that a window of
    the last tenth of the year holds about the last tenth of every user's interactions: to split by time splits by user.
    """
    step = pl.col(TIMESTAMP).rank("dense") if ordered else pl.col(DRAW).rank("ordinal")
    beginning = pl.col(DRAW).min().over(USER).rank("dense")
    shift = (beginning - 0.5) / beginning.max()
    position = (step.over(USER) - shift) / step.max().over(USER)
    microseconds = (position * DAYS * 86_400_000_000).round().cast(pl.Int64)
    times = (pl.lit(BEGIN, TIME) + pl.duration(microseconds=microseconds)).cast(TIME)
    return rows.with_columns(times.alias(TIMESTAMP)).drop(DRAW)
