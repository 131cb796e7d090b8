"""Stage split: order the interactions by time, and choose the cut-offs."""

from datetime import datetime
from itertools import pairwise

import polars as pl
from rich.console import Console
from rich.table import Table

from strata.data.history import order_interactions
from strata.data.schema import TIMESTAMP, USER_ROW
from strata.errors import ValidationFailed
from strata.evaluation.split import CutOffs, SplitSettings, choose_cut_offs
from strata.settings import read_settings
from strata.storage import write_table
from tasks import HISTORY, TABLES, run


def main() -> None:
    """Write artifacts/history: the ordered interactions with dense rows, and the cut-offs."""
    settings = read_settings(SplitSettings, "split")
    tables = [pl.read_parquet(TABLES / f"{name}.parquet") for name in ("interactions", "users", "items")]
    interactions = order_interactions(*tables)
    cut_offs = choose_cut_offs(interactions[TIMESTAMP], settings)
    windows = _windows(interactions, cut_offs)
    if empty := [name for name, *_, events, _ in windows if not events]:
        first, last = interactions[TIMESTAMP].min(), interactions[TIMESTAMP].max()
        raise ValidationFailed(
            f"{TABLES / 'interactions.parquet'}: {len(interactions):,} interactions from {first} to "
            f"{last} leave the windows {', '.join(empty)} empty; bring interactions at more times, or "
            "set larger shares in the section split of params.yaml"
        )
    write_table(interactions, HISTORY / "interactions.parquet")
    cut_offs.write(HISTORY / "cut_offs.json")
    _print(windows)


Window = tuple[str, str, str, int, int]


def _windows(interactions: pl.DataFrame, cut_offs: CutOffs) -> list[Window]:
    """Name, first and last moment, events and users of each window."""
    times = interactions[TIMESTAMP].dt.epoch("us") / 1e6
    bounds = [float("-inf"), cut_offs.finetune, cut_offs.validation, cut_offs.backtest, cut_offs.live]
    names = ("learning", "early stopping", "validation", "test")
    windows: list[Window] = []
    for name, (start, end) in zip(names, pairwise(bounds), strict=True):
        inside = interactions.filter((times >= start) & (times < end))
        moments = inside[TIMESTAMP].min(), inside[TIMESTAMP].max()
        first, last = (f"{m:%Y-%m-%d %H:%M}" if isinstance(m, datetime) else "" for m in moments)
        windows.append((name, first, last, inside.height, inside[USER_ROW].n_unique()))
    return windows


def _print(windows: list[Window]) -> None:
    table = Table("window", "first (UTC)", "last (UTC)", "events", "users")
    for name, first, last, events, users in windows:
        table.add_row(name, first, last, f"{events:,}", f"{users:,}")
    Console().print(table)


if __name__ == "__main__":
    run(main)
