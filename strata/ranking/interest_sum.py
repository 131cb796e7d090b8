"""The interests-only ranker: r_ij = Σ_k w_ik · x_ik·y_j over the interest points that found the item, to be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from strata.ranking.candidates import Table

INTERESTS, POPULAR = "interests", "popular"
"""The generators it reads."""
TIE: Final = 1e-6
"""What popularity adds at most: it orders what interests leave equal, and all items of users without interests."""


@dataclass(frozen=True)
class InterestSum:
    """Scores by the user's interest points alone; nothing is learned, so nothing is written."""

    def scores(self, table: Table, features: Callable[[], np.ndarray] | None = None) -> np.ndarray:  # noqa: ARG002
        """r_ij of each row (n,), 0 for items that interests did not propose, below 0 for those near to a dislike."""
        return self._of(table.raw, table, INTERESTS) + TIE * self._of(table.scaled, table, POPULAR)

    def contributions(
        self, table: Table, features: Callable[[], np.ndarray] | None = None, credits: np.ndarray | None = None
    ) -> np.ndarray:  # noqa: ARG002
        """What interests and, in ties, popularity add to the score of each row: (n, G)."""
        added = np.zeros(table.raw.shape)
        for values, name, times in ((table.raw, INTERESTS, 1.0), (table.scaled, POPULAR, TIE)):
            if name in table.generators:
                added[:, table.generators.index(name)] = times * self._of(values, table, name)
        return added

    def check(self, names: Sequence[str]) -> None:
        """Fits all features: it reads none."""

    def write(self, folder: Path) -> None:
        """Write nothing."""

    @staticmethod
    def _of(values: np.ndarray, table: Table, name: str) -> np.ndarray:
        """A generator's column of `values` (n, G), as float64: a tie is less than float32 can tell."""
        there = name in table.generators
        return values[:, table.generators.index(name)].astype(float) if there else np.zeros(len(table))
