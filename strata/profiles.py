"""The profile table: a user's interest points with names, tiers, evidence and the numbers behind them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from strata.history import History
from strata.interests import InterestPoints, find_points
from strata.phrases import Phrases
from strata.schema import TIME, USER, USER_ROW
from strata.storage import read_array, write_array, write_table
from strata.themes import LEVELS, Themes, distinct_names
from strata.tiers import FADED, TIERS, PointStatistics, TierSettings, assign, because, measure


@dataclass(frozen=True)
class Profiles:
    """All users' points: `table` (P rows, sorted by user, tier, strength) and `vectors` (P, d), aligned.

    Columns of `table`: user_row, user_id, point, name, phrases, tier, because, strength, share, persistence,
    periods, of_periods, period_unit, recency, span, events, items, first_seen, last_seen, medoid, evidence,
    topic, category, theme.
    """

    table: pl.DataFrame
    vectors: np.ndarray

    def of(self, user_row: int) -> slice:
        """The rows of one user."""
        rows = self.table[USER_ROW].to_numpy()
        return slice(int(np.searchsorted(rows, user_row)), int(np.searchsorted(rows, user_row, "right")))

    def write(self, folder: Path) -> None:
        """Write profiles.parquet and points.npy."""
        write_table(self.table, folder / "profiles.parquet")
        write_array(self.vectors, folder / "points.npy")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        return cls(pl.read_parquet(folder / "profiles.parquet"), read_array(folder / "points.npy"))


@dataclass(frozen=True)
class Naming:
    """What names points: the catalogue's phrases, its themes and the ids of users and items."""

    phrases: Phrases
    themes: Themes
    user_ids: np.ndarray
    item_ids: np.ndarray


def build_profiles(
    history: History, points: InterestPoints, time: float, naming: Naming, settings: TierSettings
) -> tuple[Profiles, int]:
    """Tier, name and explain the points found in `history` (positive events before `time`).

    Returns the profiles and how many points have faded: neither persistent nor of now, so no longer interests.
    """
    statistics = measure(history, points, time, settings)
    tiers = assign(statistics, settings)
    kept = np.flatnonzero(tiers != FADED)
    order = kept[np.lexsort((kept, -statistics.strength[kept], -tiers[kept], points.users[kept]))]
    table = _table(history, points, statistics, tiers, order, naming, settings)
    return Profiles(table, points.vectors[order]), len(tiers) - len(kept)


def profile_history(
    history: History,
    vectors: np.ndarray,
    time: float,
    naming: Naming,
    settings: TierSettings,
    progress: Callable[[int], None] = lambda users: None,
) -> tuple[Profiles, int]:
    """Find points in what a history holds before `time` and build its profiles, for a few users or all of them.

    `progress` is told each time a user's points are found. Returns what `build_profiles` returns.
    """
    positive = history.before(time).positive()
    points = find_points(positive, vectors, cut=settings.cut, max_items=settings.max_items, progress=progress)
    return build_profiles(positive, points, time, naming, settings)


def _table(
    history: History,
    points: InterestPoints,
    statistics: PointStatistics,
    tiers: np.ndarray,
    order: np.ndarray,
    naming: Naming,
    settings: TierSettings,
) -> pl.DataFrame:
    membership = _membership(history, points)[order]
    owners = points.users[order]
    number = np.arange(len(owners)) - np.searchsorted(owners, owners)
    topics = naming.themes.of_item[points.medoids[order]].reshape(-1, len(LEVELS))
    topic_phrases = naming.themes.phrases("topic")
    names = _names(membership, owners, naming.phrases, [topic_phrases[topic] for topic in topics[:, 0]])
    strength = statistics.strength[order]
    total = np.bincount(owners, strength, minlength=history.n_users)[owners]
    table = pl.DataFrame(
        {
            USER_ROW: owners,
            USER: _ids(naming.user_ids[owners]),
            "point": number.astype(np.int32),
            "name": [name for name, _ in names],
            "phrases": pl.Series([found for _, found in names], dtype=pl.List(pl.String)),
            "tier": pl.Series([TIERS[t] for t in tiers[order]], dtype=pl.String),
            "strength": strength.round(6),
            "share": (strength / np.maximum(total, 1e-12)).round(6),
            "persistence": statistics.persistence[order].round(6),
            "periods": statistics.periods[order],
            "of_periods": statistics.of_periods[order],
            "period_unit": np.where(statistics.by_month[order], "month", "week"),
            "recency": statistics.recency[order].round(6),
            "span": statistics.span[order].round(6),
            "events": statistics.events[order],
            "items": np.diff(membership.indptr).astype(np.int64),
            "first_seen": _times(statistics.first_seen[order]),
            "last_seen": _times(statistics.last_seen[order]),
            "medoid": _ids(naming.item_ids[points.medoids[order]]),
            "evidence": _evidence(membership, naming.item_ids, settings.evidence),
            **{level: topics[:, depth] for depth, level in enumerate(LEVELS)},
        }
    )
    reasons = [because(row, settings) for row in table.iter_rows(named=True)]
    return table.with_columns(pl.Series("because", reasons, dtype=pl.String))


def _membership(history: History, points: InterestPoints) -> sparse.csr_matrix:
    """Points × items, the summed weight of a point's events on an item."""
    member = points.of_event >= 0
    shape = (len(points.users), history.n_items)
    coordinates = (points.of_event[member], history.items[member])
    return sparse.coo_matrix((history.weights[member], coordinates), shape=shape).tocsr()


def _names(
    membership: sparse.csr_matrix, owners: np.ndarray, phrases: Phrases, topics: list[list[str]]
) -> list[tuple[str, list[str]]]:
    """A name and key phrases for each point: what its own members share, else what names its topic."""
    found = phrases.of_groups(membership, n=5, least_share=0.3, least_members=2)
    found = [own or general for own, general in zip(found, topics, strict=True)]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    named: list[tuple[str, list[str]]] = []
    for start, end in pairwise([*starts, len(owners)]):
        named.extend(distinct_names(found[start:end]))
    return named


def _evidence(membership: sparse.csr_matrix, item_ids: np.ndarray, most: int) -> pl.Series:
    """The heaviest items of each point, ties by item row."""
    chosen = []
    for start, end in pairwise(membership.indptr):
        items, weights = membership.indices[start:end], membership.data[start:end]
        chosen.append(item_ids[items[np.lexsort((items, -weights))[:most]]].tolist())
    return pl.Series(chosen, dtype=pl.List(pl.String))


def _ids(ids: np.ndarray) -> pl.Series:
    return pl.Series(ids.tolist(), dtype=pl.String)


def _times(seconds: np.ndarray) -> pl.Series:
    return pl.Series((seconds * 1e6).astype(np.int64)).cast(TIME)
