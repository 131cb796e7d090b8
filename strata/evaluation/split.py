"""Cut-offs: the times that separate training data from evaluation data."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from strata.settings import Settings
from strata.storage import read_json, write_json


class SplitSettings(Settings):
    """Sizes of the windows before the present, as shares of all interactions by time."""

    test_share: float = 0.2
    """Last share: used once, by `evaluate`."""
    validation_share: float = 0.1
    """Share before the test window: chooses fusion weights."""
    early_stopping_share: float = 0.1
    """Share before the validation window: chooses when fine-tuning stops."""
    dates: tuple[date, date, date, date] | None = None
    """Instead of shares: when early stopping, validation and test begin, and when the test ends; UTC midnights."""
    least_users: int = 0
    """Items that fewer users chose before a window are neither recommended nor relevant in it."""


@dataclass(frozen=True)
class CutOffs:
    """Times (seconds since 1970, UTC) that separate training data from evaluation data."""

    finetune: float
    validation: float
    backtest: float
    live: float

    def previous(self, name: str) -> float:
        """The cut-off before `name`: models for `name` are tuned on the window between the two."""
        return {"validation": self.finetune, "backtest": self.validation, "live": self.backtest}[name]

    def write(self, path: Path) -> None:
        """Write as JSON."""
        write_json(self.__dict__, path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        return cls(**read_json(path))


def choose_cut_offs(times: pl.Series, settings: SplitSettings) -> CutOffs:
    """Cut all interactions by time so that the last windows hold the shares asked for.

    Events at the very time of a cut-off belong to the window after it. `live` lies just past the last event.
    """
    if settings.dates is not None:
        return CutOffs(*(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp() for d in settings.dates))
    seconds = np.sort(times.dt.epoch("us").to_numpy()) / 1e6
    test = 1 - settings.test_share
    validation = test - settings.validation_share
    finetune = validation - settings.early_stopping_share

    def at(share: float) -> float:
        return float(seconds[min(int(share * len(seconds)), len(seconds) - 1)])

    return CutOffs(at(finetune), at(validation), at(test), float(seconds[-1]) + 1.0)
