"""Tiers, numbers and topics of interest points as plain arrays, which requests read faster than a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from strata.data.history import ranges
from strata.data.schema import TIERS

NUMBERS = ("share", "persistence", "recency", "absent", "recent", "quiet")
"""Columns of a profile table that `PointFacts.numbers` holds."""


@dataclass(frozen=True)
class PointFacts:
    """Facts of P points: `tiers` (P,), index in TIERS; `numbers` (P, len(NUMBERS)) float32, 0 where there is none.

    `leaf_points` (L,): point of each leaf, ascending; `leaf_topics` (L,): topic of each leaf.
    """

    tiers: np.ndarray
    numbers: np.ndarray
    leaf_points: np.ndarray
    leaf_topics: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Share of the owner's strength: (P,)."""
        return self.numbers[:, NUMBERS.index("share")]

    @classmethod
    def of(cls, table: pl.DataFrame) -> Self:
        """Read the points of a profile table."""
        numbers = np.zeros((len(table), len(NUMBERS)), np.float32)
        for column, name in enumerate(NUMBERS):
            if name in table.columns:
                numbers[:, column] = table[name].fill_null(0).to_numpy()
        tiers = table["tier"].replace_strict(list(TIERS), list(range(len(TIERS))), return_dtype=pl.Int8).to_numpy()
        topics = table["topics"] if "topics" in table.columns else table["topic"].reshape((-1, 1)).arr.to_list()
        counts = topics.list.len().to_numpy()
        return cls(
            tiers, numbers, np.repeat(np.arange(len(table)), counts), topics.list.explode().drop_nulls().to_numpy()
        )

    def take(self, rows: np.ndarray) -> "PointFacts":
        """The points at `rows` (P′,), in that order."""
        starts, stops = (np.searchsorted(self.leaf_points, rows, side) for side in ("left", "right"))
        leaves, leaf_points = ranges(starts, stops)
        return PointFacts(self.tiers[rows], self.numbers[rows], leaf_points, self.leaf_topics[leaves])


def point_weights(shares: np.ndarray, owners: np.ndarray, factors: np.ndarray | float = 1.0) -> np.ndarray:
    """Weights (P,) of points: √share × factor, scaled to sum to 1 for each owner.

    The root keeps one strong point from dominating. Where no point of an owner has a share, as where all are pinned,
    all weigh the same.
    """
    weights = np.sqrt(shares).astype(np.float64)
    if len(owners):
        weights = np.where(np.bincount(owners, weights)[owners] > 0, weights, 1.0) * factors
    total = np.bincount(owners, weights, minlength=int(owners.max(initial=-1)) + 1)
    return np.asarray(weights / np.maximum(total[owners], 1e-12), np.float32)


def tier_factors(tiers: np.ndarray, tier_weights: Mapping[str, float]) -> np.ndarray:
    """Weight of each point's tier (P,); 1 for tiers not in `tier_weights`."""
    return np.asarray(np.array([tier_weights.get(tier, 1.0) for tier in TIERS])[tiers])
