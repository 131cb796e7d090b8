"""Brands, creators and shops to follow: near to a person's interests, and new to them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import BRAND
from strata.interests.profiles import Profiles
from strata.interests.themes import AT_ONCE
from strata.recommendation.crowd import cited, dislikes_of, titles, weigh


@dataclass(frozen=True)
class Brand:
    """A brand or creator, its `items` nearest to a person's interests, and the interest nearest to the best one."""

    name: str
    score: float
    items: tuple[str, ...]
    interest: str
    tier: str
    text: str


def brands_to_follow(
    own: Profiles,
    catalogue: Catalogue,
    vectors: np.ndarray,
    k: int,
    *,
    tier_weights: Mapping[str, float],
    available: np.ndarray,
    leaders: int,
    without: np.ndarray | None = None,
    dislike: float = 0.5,
    timed: bool = True,
) -> list[Brand]:
    """Up to `k` brands (creators, shops) whose items are nearest to one person's interests, nearest first.

    `own`: the person's points alone; `vectors` (n_items, d): unit. An item's fit is the largest w · max(0, cosine) to
    an interest, less the same of dislikes; a brand's score is the mean fit of its `leaders` best `available` items
    (n_items,) bool, missing ones as 0. `without`: item rows whose brands the person knows; None keeps all brands.
    `timed`: whether the data have times, from which tiers come.
    """
    if not len(own.vectors):
        return []
    brands = catalogue.items[BRAND]
    known = brands[[] if without is None else np.unique(without)].drop_nulls().unique()
    rows = np.flatnonzero(available & (brands.is_not_null() & ~brands.is_in(known.implode())).to_numpy())
    fit, point = _fit(own, vectors, rows, tier_weights, dislike)
    best = (
        pl.DataFrame({"item": rows, BRAND: brands[rows], "fit": fit, "point": point})
        .filter(pl.col("fit") > 0)
        .sort("fit", "item", descending=[True, False])
        .group_by(BRAND, maintain_order=True)
        .agg(pl.col("fit").head(leaders).sum() / leaders, pl.col("item").head(leaders), pl.col("point").first())
        .sort("fit", BRAND, descending=[True, False])
    )
    found = []
    for name, score, nearest, of_point in best.head(k).iter_rows():
        row, items = own.table.row(of_point, named=True), tuple(catalogue.ids[nearest])
        text = f"Close to your {cited(row, catalogue, timed=timed)}: {titles(items, catalogue)}"
        found.append(Brand(name, round(score, 6), items, row["name"], row["tier"], text))
    return found


def _fit(
    own: Profiles, vectors: np.ndarray, rows: np.ndarray, tier_weights: Mapping[str, float], dislike: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit of each of the items `rows` (n,) to one person, and the point with the largest part: two of (n,)."""
    weights, dislikes = weigh(own, tier_weights), dislikes_of(own)
    against = dislike * weigh(dislikes, {})
    fit, point = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for start in range(0, len(rows), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        items = vectors[rows[part]]
        near = np.maximum(items @ own.vectors.T, 0) * weights
        fit[part] = near.max(1) - (items @ dislikes.vectors.T * against).max(1, initial=0)
        point[part] = near.argmax(1)
    return fit, point
