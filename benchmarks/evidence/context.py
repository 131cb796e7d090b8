"""What every section measures on: a workspace of the pipeline, its catalogue, behaviour, interest spaces and topics."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History, as_date
from strata.data.schema import CATEGORIES
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import spread
from strata.errors import SourceError
from strata.evaluation.split import CutOffs
from strata.interests.settings import TierSettings, tier_settings
from strata.interests.themes import Themes

Before = Literal["validation", "backtest"]
"""The cut-offs whose topics may be judged: those of `live` know everything."""
TIMES = 4
"""Times, at most, at which behaviour is judged."""
STAGES = ("themes@validation", "themes@backtest")
"""Stages whose results are read here."""


@dataclass(frozen=True)
class Context:
    """A workspace of n items.

    `history`: the positive events of all times. `spaces`: unit vectors of items (n, d), and `topics`: topic of each
    item (n,), as learned up to each cut-off. `folder`: where the workspace lies. `say` tells people how far a section
    has come.
    """

    catalogue: Catalogue
    history: History
    cut_offs: CutOffs
    spaces: Mapping[Before, np.ndarray]
    topics: Mapping[Before, np.ndarray]
    settings: TierSettings
    folder: Path
    say: Callable[[str], None] = lambda message: None

    @classmethod
    def read(cls, folder: Path, say: Callable[[str], None]) -> Self:
        """Read what the stages left in a workspace. Raises SourceError where they have not run."""
        artifacts = folder / "artifacts"
        models: dict[Before, Path] = {name: artifacts / "models" / name for name in ("validation", "backtest")}
        missing = [model / "themes" for model in models.values() if not (model / "themes").exists()]
        if missing:
            raise SourceError(f"{missing[0]} does not exist; run dvc repro {' '.join(STAGES)} in {folder}")
        catalogue = Catalogue.read(artifacts / "tables" / "items.parquet")
        n_users = pl.scan_parquet(artifacts / "tables" / "users.parquet").select(pl.len()).collect().item()
        path = artifacts / "history" / "interactions.parquet"
        return cls(
            catalogue,
            History.read(path, n_users=n_users, n_items=len(catalogue)).positive(),
            CutOffs.read(artifacts / "history" / "cut_offs.json"),
            {name: np.asarray(InterestSpace.read(model / "space").vectors) for name, model in models.items()},
            {name: np.asarray(Themes.read(model / "themes").of_item[:, 0]) for name, model in models.items()},
            tier_settings(folder / "params.yaml"),
            folder,
            say,
        )

    @property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the items (n, d) as learned up to the backtest cut-off, after which most is judged."""
        return self.spaces["backtest"]

    @cached_property
    def height(self) -> float:
        """The distance at which points are cut."""
        return self.settings.cut * spread(self.vectors)

    @cached_property
    def groups(self) -> np.ndarray:
        """The catalogue's own category of each item, the narrowest it gives, −1 for none: (n,)."""
        narrowest = self.catalogue.items[CATEGORIES].list.last()
        return narrowest.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1

    @cached_property
    def popularity(self) -> np.ndarray:
        """How often each item was chosen: (n,)."""
        return np.bincount(self.history.items, minlength=len(self.catalogue))

    @property
    def learned(self) -> str:
        """Up to when what judges was learned, for the text of rows."""
        tuned, known = as_date(self.cut_offs.finetune), as_date(self.cut_offs.backtest)
        return f"Language model tuned on what came before {tuned}, interest space and topics learned up to {known}."

    def topics_at(self, time: float) -> np.ndarray:
        """Topic of each item (n,) by what was known at `time` (seconds), by the latest cut-off before it."""
        return self.topics[self._known(time)]

    def vectors_at(self, time: float) -> np.ndarray:
        """Unit vectors of the items (n, d) by what was known at `time` (seconds), by the latest cut-off before it."""
        return self.spaces[self._known(time)]

    def _known(self, time: float) -> Before:
        return "backtest" if time >= self.cut_offs.backtest else "validation"

    def times(self, cut_off: Before, days: float) -> list[float]:
        """Up to TIMES midnights (UTC) after a cut-off, evenly spread, with so many `days` left to the next cut-off."""
        start, end = {
            "validation": (self.cut_offs.validation, self.cut_offs.backtest),
            "backtest": (self.cut_offs.backtest, self.cut_offs.live),
        }[cut_off]
        first, last = np.ceil(start / DAY), np.floor(end / DAY - days)
        if last < first:
            return []
        return [float(day) * DAY for day in np.unique(np.round(np.linspace(first, last, TIMES)))]

    @cached_property
    def split(self) -> str:
        """A short hash of behaviour, cut-offs and vectors: equal hashes, comparable figures."""
        digest = hashlib.sha256()
        for part in (self.history.users, self.history.items, self.history.times, list(self.cut_offs.__dict__.values())):
            digest.update(np.ascontiguousarray(part, np.float64).tobytes())
        digest.update(np.ascontiguousarray(self.vectors, np.float32).tobytes())
        return digest.hexdigest()[:12]
