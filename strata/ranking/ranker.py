"""What every ranker keeps to."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from strata.ranking.candidates import Table


class Ranker(Protocol):
    """Scores a table of candidates; `features()` computes the features (n, F) of its rows, if needed."""

    def scores(self, table: Table, features: Callable[[], np.ndarray]) -> np.ndarray:
        """Score of each row (n,), comparable within a user."""
        ...

    def contributions(self, table: Table, features: Callable[[], np.ndarray], credits: np.ndarray) -> np.ndarray:
        """What each generator adds to the score of each row (n, G); `credits` (F,) as `Features.credits` gives them."""
        ...

    def check(self, names: Sequence[str]) -> None:
        """Raises ReleaseError unless it was learned from features of these `names` (F,)."""
        ...

    def write(self, folder: Path) -> None:
        """Write the ranker as files of a folder."""
        ...
