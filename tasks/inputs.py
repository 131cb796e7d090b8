"""What most stages read: tables, ordered history, cut-offs."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import USER
from strata.evaluation.split import CutOffs
from strata.storage import read_array
from tasks import ARTIFACTS, HISTORY, TABLES, VECTORS


@dataclass(frozen=True)
class Inputs:
    """Artefacts, read when first asked for."""

    @cached_property
    def catalogue(self) -> Catalogue:
        """The items."""
        return Catalogue.read(TABLES / "items.parquet")

    @cached_property
    def user_ids(self) -> np.ndarray:
        """User ids by row."""
        return pl.read_parquet(TABLES / "users.parquet", columns=[USER])[USER].to_numpy()

    @cached_property
    def history(self) -> History:
        """All events."""
        path = HISTORY / "interactions.parquet"
        return History.read(path, n_users=len(self.user_ids), n_items=len(self.catalogue))

    @cached_property
    def cut_offs(self) -> CutOffs:
        """The times that separate training from evaluation data."""
        return CutOffs.read(HISTORY / "cut_offs.json")

    @cached_property
    def texts(self) -> np.ndarray:
        """Fine-tuned vectors of the items' texts (n_items, t)."""
        return np.asarray(read_array(VECTORS / "items.npy"))

    def time(self, cut_off: str) -> float:
        """The time of a cut-off, in seconds."""
        return float(getattr(self.cut_offs, cut_off))


def folder(cut_off: str) -> Path:
    """The folder of a cut-off's models."""
    return ARTIFACTS / "models" / cut_off
