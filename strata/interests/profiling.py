"""From histories to profiles: points found, tiered, named, with their evidence."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.history import History
from strata.data.schema import LEVELS, TIERS, TIME, USER, USER_ROW
from strata.interests.naming import name_points
from strata.interests.phrases import Phrases
from strata.interests.points import InterestPoints, find_points, let_go
from strata.interests.profiles import DISLIKE_COLUMNS, Profiles
from strata.interests.settings import TierSettings
from strata.interests.statistics import PointStatistics, measure
from strata.interests.themes import Themes
from strata.interests.tiers import FADED, assign, by_chance, reasons


@dataclass(frozen=True)
class Naming:
    """What names points: the catalogue's phrases, its themes and the ids of users and items."""

    phrases: Phrases
    themes: Themes
    user_ids: np.ndarray
    item_ids: np.ndarray


@dataclass(frozen=True)
class Statements:
    """What users say of themselves: `users` (S,) rows, ascending, each once, and `vectors` (S, d) of their texts."""

    users: np.ndarray
    vectors: np.ndarray

    def of_users(self, first: int, last: int) -> "Statements":
        """Those of users first … last − 1, who are counted from 0 then."""
        there = slice(*np.searchsorted(self.users, [first, last]))
        return Statements(self.users[there] - first, self.vectors[there])

    def support(self, points: InterestPoints, similarity: float) -> np.ndarray:
        """Whether each point (P,) is what its owner states: a cosine of at least `similarity`."""
        if not len(self.users):
            return np.zeros(len(points.users), bool)
        place = np.minimum(np.searchsorted(self.users, points.users), len(self.users) - 1)
        cosines = (np.asarray(self.vectors)[place] * points.vectors).sum(1)
        return np.asarray((self.users[place] == points.users) & (cosines >= similarity))


NOTHING_STATED = Statements(np.zeros(0, np.int32), np.zeros((0, 0), np.float32))


def build_profiles(
    history: History,
    points: InterestPoints,
    vectors: np.ndarray,
    time: float,
    naming: Naming,
    settings: TierSettings,
    statements: Statements = NOTHING_STATED,
) -> tuple[Profiles, int]:
    """Tier, name and explain the points found in `history` (positive events before `time`).

    What a user's own profile text states is core. Returns the profiles and how many points have faded: neither
    persistent nor of now, so no longer interests.
    """
    statistics = measure(history, points, time, settings)
    stated = statements.support(points, settings.stated_similarity)
    tiers = np.where(stated, TIERS.index("core"), assign(statistics, settings))
    chance = by_chance(history, points, statistics, tiers, time, settings)
    chance &= (tiers != FADED)[points.of_event]
    points = let_go(points, history, vectors, chance)
    statistics = measure(history, points, time, settings)
    kept = np.flatnonzero(tiers != FADED)
    order = kept[np.lexsort((kept, -statistics.strength[kept], -tiers[kept], points.users[kept]))]
    table = _table(history, points, statistics, tiers, order, naming, settings)
    table = table.with_columns(pl.Series("stated", stated[order])).with_columns(reasons(settings))
    return Profiles(table, points.vectors[order]), len(tiers) - len(kept)


def profile_history(
    history: History,
    vectors: np.ndarray,
    time: float,
    naming: Naming,
    settings: TierSettings,
    height: float,
    statements: Statements = NOTHING_STATED,
) -> tuple[Profiles, int]:
    """Find points in what a history holds before `time` and build its profiles, for a few users or all of them.

    `height`: the Ward cut as a distance (`settings.cut` × the catalogue's spread). Returns what `build_profiles` does.
    """
    past = history.before(time)
    liked, disliked = past.positive(), past.negative()
    topics = naming.themes.of_item[:, 0]
    points = find_points(liked, vectors, topics, height=height, method=settings.method)
    profiles, n_faded = build_profiles(liked, points, vectors, time, naming, settings, statements)
    against = find_points(disliked, vectors, topics, height=height, method=settings.method)
    dislikes = _dislikes(disliked, against, time, naming, settings)
    return replace(profiles, dislikes=dislikes), n_faded


def _dislikes(
    history: History, points: InterestPoints, time: float, naming: Naming, settings: TierSettings
) -> Profiles:
    """What users spoke against: points like any other, but of no tier; they suppress and are shown apart."""
    statistics = measure(history, points, time, settings)
    order = np.lexsort((np.arange(len(points.users)), -statistics.strength, points.users))
    table = _table(history, points, statistics, np.zeros(len(order), np.int64), order, naming, settings)
    because = pl.format("spoken against {} times, last on {}", "events", pl.col("last_seen").dt.date())
    return Profiles(table.with_columns(because.alias("because")).select(DISLIKE_COLUMNS), points.vectors[order])


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
    names = name_points(membership, owners, naming.phrases, [topic_phrases[topic] for topic in topics[:, 0]])
    strength = statistics.strength[order]
    total = np.bincount(owners, strength, minlength=history.n_users)[owners]
    return pl.DataFrame(
        {
            USER_ROW: owners,
            USER: _ids(naming.user_ids[owners]),
            "point": number.astype(np.int32),
            "name": pl.Series([name for name, _ in names], dtype=pl.String),
            "phrases": pl.Series([found for _, found in names], dtype=pl.List(pl.String)),
            "tier": pl.Series([TIERS[t] for t in tiers[order]], dtype=pl.String),
            "strength": strength.round(6),
            "share": (strength / np.maximum(total, 1e-12)).round(6),
            "persistence": statistics.persistence[order].round(6),
            "periods": statistics.periods[order],
            "of_periods": statistics.of_periods[order],
            "absent": statistics.absent[order],
            "recency": statistics.recency[order].round(6),
            "span": statistics.span[order].round(6),
            "recent": statistics.recent[order],
            "quiet": statistics.quiet[order].round(2),
            "events": statistics.events[order],
            "items": np.diff(membership.indptr).astype(np.int64),
            "first_seen": _times(statistics.first_seen[order]),
            "last_seen": _times(statistics.last_seen[order]),
            "medoid": _ids(naming.item_ids[points.medoids[order]]),
            "evidence": _evidence(membership, naming.item_ids, settings.evidence),
            "topics": _lists(points.of_leaf, points.topics, order),
            **{level: topics[:, depth] for depth, level in enumerate(LEVELS)},
        }
    )


def _lists(groups: np.ndarray, values: np.ndarray, order: np.ndarray) -> pl.Series:
    """The `values` (L,) of each group as a list, for the groups in `order` (P,)."""
    by_group = np.argsort(groups, kind="stable")
    place = np.searchsorted(groups[by_group], [order, order + 1])
    taken = [values[by_group[start:end]].tolist() for start, end in place.T]
    return pl.Series(taken, dtype=pl.List(pl.Int32))


def _membership(history: History, points: InterestPoints) -> sparse.csr_matrix:
    """Points × items, the summed weight of a point's events on an item."""
    member = points.of_event >= 0
    shape = (len(points.users), history.n_items)
    coordinates = (points.of_event[member], history.items[member])
    return sparse.coo_matrix((history.weights[member], coordinates), shape=shape).tocsr()


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
