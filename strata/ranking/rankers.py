"""Rankers score candidates. To add one, write a module with the members of `Ranker` and add it to RANKERS."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from strata.ranking.candidates import Table
from strata.ranking.lambdamart import REPORT, LambdaMart
from strata.ranking.weighted_sum import SUM, WeightedSum


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


RANKERS: Final[Mapping[str, tuple[str, Callable[[Path], Ranker]]]] = {
    "lambdamart": (REPORT, LambdaMart.read),
    "weighted-sum": (SUM, WeightedSum.read),
}
"""`RankSettings.method` → (file that a saved ranker of this kind has, function that reads it)."""


def read_ranker(folder: Path, method: str, names: Sequence[str]) -> Ranker:
    """Read the ranker that the stage `rank` wrote, by the method of its settings.

    Falls back to the weighted sum where there was nothing for trees to learn from.
    """
    file, read = RANKERS[method]
    ranker = read(folder) if (folder / file).exists() else WeightedSum.read(folder)
    ranker.check(names)
    return ranker
