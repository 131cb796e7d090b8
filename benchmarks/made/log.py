"""A made log of events as one CSV file of any size, as a shop's tracker writes it: about a hundred bytes a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

BLOCK: Final = 1_000_000
"""Lines made at once."""
USERS, ITEMS = 600_000, 100_000
BEGIN, YEAR = 1_735_689_600_000, 31_536_000_000
"""Milliseconds since 1970 of 2025-01-01, UTC, and of a year."""
BEHAVIOURS: Final = ("view", "click", "add-to-cart", "purchase", "like", "review")
SHARES: Final = (0.72, 0.15, 0.05, 0.04, 0.03, 0.01)
WORDS: Final = (
    "sturdy",
    "light",
    "small",
    "late",
    "again",
    "gift",
    "blue",
    "broken",
    "fine",
    "would",
    "buy",
    "it",
    "not",
)
BAD, AGAIN = 0.002, 0.001
"""Shares of lines with a fault (no user, an unknown item, no time), and of those that stand twice."""
SOURCE: Final = {
    "folder": "data",
    "interactions": {"file": "events.csv"},
    "items": {"file": "items.csv"},
}
"""Section `source` of params.yaml."""


def make_log(folder: Path, size: int, seed: int = 7) -> int:
    """Write events.csv of `size` bytes or a little more, and items.csv, into `folder`; the number of events.

    Events come in the order of their times; users' activity is log-normal, items' popularity Zipf's.
    """
    _items().write_csv(folder / "items.csv")
    lines, path = 0, folder / "events.csv"
    # As many blocks as are needed share the year: a first one says how long a line is.
    blocks = max(round(size / _bytes_a_block(seed)), 1)
    with path.open("wb") as file:
        for block in _blocks(blocks, seed):
            block.write_csv(file, include_header=not lines)
            lines += block.height
    return lines


def _bytes_a_block(seed: int) -> int:
    return len(next(_blocks(1, seed)).write_csv(include_header=False))


def _blocks(count: int, seed: int) -> Iterator[pl.DataFrame]:
    rng = np.random.default_rng(seed)
    activity = np.cumsum(rng.lognormal(0, 1.2, USERS))
    popularity = np.cumsum((np.arange(ITEMS) + 10.0) ** -0.9)
    users = pl.Series([f"u-{name:012x}" for name in rng.permutation(2**24)[:USERS] * 16_777_259])
    span = YEAR // count
    for nth in range(count):
        yield _block(np.random.default_rng([seed, nth]), users, activity, popularity, BEGIN + nth * span, span)


def _block(
    rng: np.random.Generator, users: pl.Series, activity: np.ndarray, popularity: np.ndarray, begin: int, span: int
) -> pl.DataFrame:
    """Lines of the `span` milliseconds from `begin`; `activity`, `popularity`: sums over users and items so far."""
    n = BLOCK
    person = np.searchsorted(activity, rng.random(n) * activity[-1])
    item = np.searchsorted(popularity, rng.random(n) * popularity[-1])
    at = np.sort(rng.integers(begin, begin + span, n))
    behaviour = pl.Series(BEHAVIOURS).gather(np.searchsorted(np.cumsum(SHARES), rng.random(n) * (1 - 1e-9)))
    said = rng.random(n) < 0.5
    words = [pl.Series(WORDS).gather(rng.integers(0, len(WORDS), n)) for _ in range(6)]
    lines = pl.DataFrame(
        {
            "user_id": users.gather(person),
            "item_id": item,
            "behaviour": behaviour,
            "timestamp": at,
            "value": rng.lognormal(3, 1, n).round(2),
            "dwell_s": rng.exponential(40, n).round(1),
            "text": pl.select(pl.concat_str(*words, separator=" ")).to_series(),
            "session": rng.integers(0, 2**63, n),
            "device": pl.Series(("phone", "tablet", "desktop")).gather(rng.integers(0, 3, n)),
        }
    )
    fault = rng.random(n)
    bought = pl.col("behaviour").is_in(["add-to-cart", "purchase"])
    lines = lines.with_columns(
        pl.when(pl.Series(fault >= BAD / 3)).then("user_id"),
        pl.format(
            "item-{}",
            pl.when(pl.Series(fault < 1 - BAD / 3)).then("item_id").otherwise(ITEMS).cast(pl.String).str.zfill(7),
        ).alias("item_id"),
        pl.from_epoch("timestamp", "ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        pl.when(bought).then("value"),
        pl.when(pl.col("behaviour") == "view").then("dwell_s"),
        pl.when((pl.col("behaviour") == "review") & pl.Series(said)).then("text"),
        pl.format("{}", pl.col("session")),
    )
    lines = lines.with_columns(pl.when(pl.Series((fault < BAD / 3) | (fault >= 2 * BAD / 3))).then("timestamp"))
    return pl.concat([lines, lines.filter(pl.Series(rng.random(n) < AGAIN))])


def _items() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    words = [pl.Series(WORDS).gather(rng.integers(0, len(WORDS), ITEMS)) for _ in range(3)]
    number = pl.int_range(ITEMS, eager=True).cast(pl.String).str.zfill(7)
    title = pl.select(pl.concat_str(*words, number, separator=" ")).to_series()
    return pl.DataFrame({"item_id": "item-" + number, "title": title})
