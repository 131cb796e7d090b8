"""Makes profiles from histories: finds interest points, assigns tiers, names them, cites evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import LEVELS, TIERS, TIME, USER, USER_ROW
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import spread
from strata.interests.naming import parts_of, told_apart
from strata.interests.points import InterestPoints, cosines, find_points, let_go
from strata.interests.profiles import DISLIKE_COLUMNS, Profiles
from strata.interests.said import said_points
from strata.interests.settings import TierSettings
from strata.interests.statements import NOTHING_STATED, Statements
from strata.interests.statistics import PointStatistics, measure
from strata.interests.themes import Themes
from strata.interests.tiers import FADED, assign, by_chance, reasons


@dataclass(frozen=True)
class Profiler:
    """Makes profiles, with a catalogue, the interest space of its items, themes and settings.

    `height`: the Ward cut as a distance, `settings.cut` × the spread of the whole catalogue, as a single user has too
    few items to measure a spread.
    """

    catalogue: Catalogue
    space: InterestSpace
    themes: Themes
    settings: TierSettings
    height: float

    @classmethod
    def of(cls, catalogue: Catalogue, space: InterestSpace, themes: Themes, settings: TierSettings) -> Self:
        """Measure the space's spread, once for all profiles."""
        return cls(catalogue, space, themes, settings, settings.cut * spread(space.vectors))

    @property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the items (n_items, d)."""
        return self.space.vectors

    def profiles(
        self,
        history: History,
        time: float,
        user_ids: Sequence[str] | np.ndarray | None = None,
        statements: Statements = NOTHING_STATED,
    ) -> tuple[Profiles, int]:
        """Profiles of all users of a history from its events before `time` (seconds), and how many points have faded.

        `user_ids` (n_users,): ids of the history's users, "" by default. Points stated in a user's profile text are
        core; who liked nothing yet has that text alone, as a visitor with it has. Faded points, neither persistent nor
        momentary, are left out.
        """
        ids = np.full(history.n_users, "", object) if user_ids is None else np.asarray(user_ids, object)
        past = history.before(time)
        liked, disliked = past.positive(), past.negative()
        profiles, n_faded = self._interests(liked, self._points(liked), time, ids, statements)
        profiles = self._with_words(profiles, np.diff(liked.offsets) == 0, ids, statements)
        dislikes = self._dislikes(disliked, self._points(disliked), time, ids)
        table = unlike(dislikes.table, profiles.table, self.catalogue, self.themes)
        return replace(profiles, dislikes=replace(dislikes, table=table)), n_faded

    def _points(self, history: History) -> InterestPoints:
        topics = self.themes.of_item[:, 0]
        return find_points(history, self.vectors, topics, self.settings, height=self.height)

    def _interests(
        self, history: History, points: InterestPoints, time: float, ids: np.ndarray, statements: Statements
    ) -> tuple[Profiles, int]:
        """Tier, name and explain the points found in `history` (positive events before `time`)."""
        settings = self.settings
        statistics = measure(history, points, time, settings)
        centres = self.themes.centres(LEVELS[0])[self.themes.of_item[points.medoids, 0]]
        stated = statements.support(points.users, centres, settings)
        tiers = np.where(stated, TIERS.index("core"), assign(statistics, settings))
        chance = by_chance(history, points, statistics, tiers, settings)
        chance &= (tiers != FADED)[points.of_event]
        points = let_go(points, history, self.vectors, self.themes.of_item[:, 0], chance)
        statistics = measure(history, points, time, settings)
        kept = np.flatnonzero(tiers != FADED)
        order = kept[np.lexsort((kept, -statistics.fresh[kept], -tiers[kept], points.users[kept]))]
        table = self._table(history, points, statistics, tiers, order, ids)
        table = table.with_columns(pl.Series("stated", stated[order])).with_columns(reasons(settings))
        return Profiles(table, points.vectors[order]), len(tiers) - len(kept)

    def _with_words(self, profiles: Profiles, silent: np.ndarray, ids: np.ndarray, statements: Statements) -> Profiles:
        """The profiles, with what they state as points of users who are `silent` (n_users,), of whom no event tells."""
        told = np.flatnonzero(np.isin(statements.users, np.flatnonzero(silent)))
        if not len(told):
            return profiles
        owners, vectors = statements.users[told], statements.vectors[told]
        said = said_points(vectors, self.themes, self.catalogue, owners=owners, ids=ids[owners], query=False)
        said = said.cast({name: profiles.table.schema[name] for name in said.columns})
        table = pl.concat([profiles.table, said], how="diagonal").with_row_index("row").sort(USER_ROW, "row")
        vectors = np.concatenate([profiles.vectors, vectors])[table["row"].to_numpy()]
        return Profiles(table.drop("row"), vectors)

    def _dislikes(self, history: History, points: InterestPoints, time: float, ids: np.ndarray) -> Profiles:
        """Points of negative events: found like any other, without tier; they lower scores and are shown apart."""
        statistics = measure(history, points, time, self.settings)
        order = np.lexsort((np.arange(len(points.users)), -statistics.fresh, points.users))
        table = self._table(history, points, statistics, np.zeros(len(order), np.int64), order, ids)
        because = pl.format("spoken against {} times", "events")
        if self.settings.timed:
            because = pl.format("{}, last on {}", because, pl.col("last_seen").dt.date())
        return Profiles(table.with_columns(because.alias("because")).select(DISLIKE_COLUMNS), points.vectors[order])

    def _table(
        self,
        history: History,
        points: InterestPoints,
        statistics: PointStatistics,
        tiers: np.ndarray,
        order: np.ndarray,
        ids: np.ndarray,
    ) -> pl.DataFrame:
        membership = _membership(history, points)[order]
        owners = points.users[order]
        number = np.arange(len(owners)) - np.searchsorted(owners, owners)
        item_ids, topics = self.catalogue.ids, self.themes.of_item[points.medoids[order]].reshape(-1, len(LEVELS))
        named, topic_phrases = self.themes.names("topic"), self.themes.phrases("topic")
        strength, fresh = statistics.strength[order], statistics.fresh[order]
        total = np.bincount(owners, fresh, minlength=history.n_users)[owners]
        return pl.DataFrame(
            {
                USER_ROW: owners,
                USER: _ids(ids[owners]),
                "point": number.astype(np.int32),
                "name": pl.Series([named[topic] for topic in topics[:, 0]], dtype=pl.String),
                "phrases": pl.Series([topic_phrases[topic] for topic in topics[:, 0]], dtype=pl.List(pl.String)),
                "tier": pl.Series([TIERS[t] for t in tiers[order]], dtype=pl.String),
                "strength": strength.round(6),
                "share": np.divide(fresh, total, out=np.zeros(len(total)), where=total > 0).round(6),
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
                "medoid": _ids(item_ids[points.medoids[order]]),
                "evidence": _evidence(
                    membership, self.vectors, points.vectors[order], item_ids, self.settings.evidence
                ),
                "topics": _lists(points.of_leaf, points.topics, order),
                **{level: topics[:, depth] for depth, level in enumerate(LEVELS)},
            }
        )


def unlike(dislikes: pl.DataFrame, likes: pl.DataFrame, catalogue: Catalogue, themes: Themes) -> pl.DataFrame:
    """The dislikes, those named like a like of the same user told apart from it by one of their own items."""
    liked = likes.select(USER_ROW, "name").with_columns(also=True)
    both = dislikes.join(liked, on=[USER_ROW, "name"], how="left", maintain_order="left")["also"].is_not_null()
    if not both.any():
        return dislikes
    bases = [parts_of(name)[0] for name in themes.names("topic")]
    users, names = dislikes[USER_ROW].to_list(), dislikes["name"].to_list()
    for row in np.flatnonzero(both.to_numpy()):
        topic, evidence = int(dislikes["topic"][int(row)]), dislikes["evidence"][int(row)].to_list()
        own = [name for name, user in zip(names, users, strict=True) if user == users[row]]
        taken = [*likes.filter(pl.col(USER_ROW) == users[row])["name"], *own]
        typical = themes.at(LEVELS[0])["typical"][topic].to_list() if not evidence else []
        titles = iter([*map(catalogue.title_of, evidence), *evidence, *map(catalogue.titles.__getitem__, typical)])
        (names[row],) = told_apart([bases[topic]], [titles], [*taken, bases[topic]])
    return dislikes.with_columns(pl.Series("name", names, dtype=pl.String))


def _lists(groups: np.ndarray, values: np.ndarray, order: np.ndarray) -> pl.Series:
    """The `values` (L,) of each group as a list, for the groups in `order` (P,)."""
    by_group = np.argsort(groups, kind="stable")
    place = np.searchsorted(groups[by_group], [order, order + 1])
    taken = [values[by_group[start:end]].tolist() for start, end in place.T]
    return pl.Series(taken, dtype=pl.List(pl.Int32))


def _membership(history: History, points: InterestPoints) -> sparse.csr_matrix:
    """Summed weight of each point's events on each item: sparse (P, n_items)."""
    member = points.of_event >= 0
    shape = (len(points.users), history.n_items)
    coordinates = (points.of_event[member], history.items[member])
    return sparse.coo_matrix((history.weights[member], coordinates), shape=shape).tocsr()


def _evidence(
    membership: sparse.csr_matrix, vectors: np.ndarray, points: np.ndarray, item_ids: np.ndarray, most: int
) -> pl.Series:
    """The items of each point with the largest weight times cosine to it, ties by item row."""
    chosen = []
    of = np.repeat(np.arange(len(points)), np.diff(membership.indptr))
    said = membership.data * np.maximum(cosines(membership.indices, vectors, of, points), 0)
    for start, end in pairwise(membership.indptr):
        items, weights = membership.indices[start:end], said[start:end]
        chosen.append(item_ids[items[np.lexsort((items, -weights))[:most]]].tolist())
    return pl.Series(chosen, dtype=pl.List(pl.String))


def _ids(ids: np.ndarray) -> pl.Series:
    return pl.Series(ids.tolist(), dtype=pl.String)


def _times(seconds: np.ndarray) -> pl.Series:
    return pl.Series((seconds * 1e6).astype(np.int64)).cast(TIME)
