"""Groups of items at three levels, topic ⊂ category ⊂ theme, learned from item vectors and named from item text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import faiss
import numpy as np
import polars as pl
from pydantic import Field, PositiveInt
from scipy import sparse

from strata.data.schema import LEVELS
from strata.embeddings.vectors import unit
from strata.interests.hierarchy import cut, means, merge
from strata.interests.naming import Namer, told_apart
from strata.settings import Settings
from strata.storage import read_array, write_array, write_table

MOST_LEAVES = 4_000
"""Most leaves of a Ward tree, whose memory is quadratic; larger catalogues are first grouped into this many."""
LEARNED_FROM = 32
"""Most distinct items from which K-Means learns the centre of such a group."""
TYPICAL = 20
"""Items kept as examples of a group."""
AT_ONCE = 16_384
"""Vectors compared with all centres at a time."""


class ThemeSettings(Settings):
    """How many groups the catalogue is divided into; small catalogues get fewer."""

    topics: PositiveInt = 1_000
    """Most topics, the narrow groups."""
    categories: PositiveInt = 100
    """Most categories."""
    themes: PositiveInt = 12
    """Most themes, the broad groups."""
    smallest: PositiveInt = 11
    """Distinct items that a topic should have on average."""
    phrases: PositiveInt = 5
    """Key phrases that name a group."""
    continuity: float = Field(0.3, ge=0, lt=1)
    """How far vectors are moved towards their group of the last release; 0: it is ignored."""
    seed: int = 7


@dataclass(frozen=True)
class Themes:
    """Groups at three levels and where each item belongs.

    `groups`: one row per group (level, group, id, parent, name, phrases, items, typical): `group` and `parent` are
    dense numbers within a level and the next one, `id` stays the same between releases, `typical` lists item rows,
    nearest to the centre first; of equal vectors one comes first and the others after all distinct ones.
    `vectors` (n_groups, d): unit centres, aligned with `groups`.
    `of_item` (n_items, 3) int32: group number of each item at each of LEVELS.
    """

    groups: pl.DataFrame
    vectors: np.ndarray
    of_item: np.ndarray

    def names(self, level: str) -> list[str]:
        """Names of the groups of one level, by group number."""
        return self.at(level)["name"].to_list()

    def phrases(self, level: str) -> list[list[str]]:
        """Key phrases of the groups of one level, by group number."""
        return self.at(level)["phrases"].to_list()

    def at(self, level: str) -> pl.DataFrame:
        """The groups of one level, by group number."""
        return self.groups.filter(pl.col("level") == level).sort("group")

    def above(self, level: str, upper: str) -> np.ndarray:
        """Number of the `upper` group that contains each group of `level`: (n_groups,)."""
        groups = np.arange(self.at(level).height)
        for depth in range(LEVELS.index(level), LEVELS.index(upper)):
            groups = self.at(LEVELS[depth])["parent"].to_numpy()[groups]
        return groups

    def centres(self, level: str) -> np.ndarray:
        """Unit centres of the groups of one level, by group number."""
        return np.asarray(self.vectors[(self.groups["level"] == level).to_numpy()])

    def write(self, folder: Path) -> None:
        """Write themes.parquet, vectors.npy and of_item.npy."""
        write_table(self.groups, folder / "themes.parquet")
        write_array(self.vectors, folder / "vectors.npy")
        write_array(self.of_item, folder / "of_item.npy")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        groups = pl.read_parquet(folder / "themes.parquet")
        return cls(groups, read_array(folder / "vectors.npy"), read_array(folder / "of_item.npy"))


@dataclass(frozen=True)
class FormerTopics:
    """Topics of the last release: unit `centres` (k, d) in the new vector space, `groups` (k, 3) at each of LEVELS."""

    centres: np.ndarray
    groups: np.ndarray


def learn_themes(
    vectors: np.ndarray,
    known: np.ndarray,
    namer: Namer,
    settings: ThemeSettings,
    former: FormerTopics | None = None,
) -> Themes:
    """Group the items that are `known` (n_items,) bool by Ward's method and place the others in the nearest topic.

    Items of equal vectors (n_items, d) form one leaf with the sum of their weights; the order of items does not matter.
    Each level groups the centres of the level below, so every topic lies in one category and every category in one
    theme. Items nearest to the same `former` topic are moved together, and so are topics of the same former category
    and categories of the same former theme: groups then change only where the catalogue does.
    """
    distinct, of_row = _distinct(vectors)
    of_distinct, centres = _grouped(distinct, np.bincount(of_row[known], minlength=len(distinct)), settings, former)
    of_item, rows = of_distinct[of_row], np.flatnonzero(known)
    copies = _copies(of_row[rows])
    tables: list[pl.DataFrame] = []
    for depth in range(len(LEVELS)):
        closeness = (distinct * centres[depth][of_distinct[:, depth]]).sum(1)[of_row[rows]]
        members = _members(depth, of_item, rows, closeness, copies)
        found = namer.names_of(members.matrix(len(of_item)), centres[depth], settings.phrases)
        names = told_apart([name for name, _ in found], list(map(namer.examples, members.typical)))
        tables.append(_described(depth, of_item, members, names, [phrases for _, phrases in found]))
    return Themes(pl.concat(tables), np.concatenate(centres), of_item)


def topics_of(vectors: np.ndarray, known: np.ndarray, settings: ThemeSettings) -> np.ndarray:
    """The topic of each item (n_items,) as `learn_themes` finds it, without names."""
    distinct, of_row = _distinct(vectors)
    weights = np.bincount(of_row[known], minlength=len(distinct))
    return np.asarray(_grouped(distinct, weights, settings, None)[0][of_row, 0])


def _grouped(
    distinct: np.ndarray, weights: np.ndarray, settings: ThemeSettings, former: FormerTopics | None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Groups of distinct vectors (m, d) at each level, (m, 3), and unit centres of each level's groups.

    Vectors of weight 0 are placed in the topic nearest to them.
    """
    learned = weights > 0
    groups = np.empty((len(distinct), len(LEVELS)), np.int32)
    groups[learned] = _levels(distinct[learned], weights[learned], settings, former)
    centres = [unit(means(distinct[learned], weights[learned], column)[0]) for column in groups[learned].T]
    examples = np.unique(groups[learned, 0], return_index=True)[1]
    groups[~learned] = groups[learned][examples][nearest(distinct[~learned], centres[0])]
    return groups, centres


def nearest(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Row of the centre (k, d) with which each vector (n, d) has the largest dot product: (n,)."""
    parts = [(vectors[at : at + AT_ONCE] @ centres.T).argmax(1) for at in range(0, len(vectors), AT_ONCE)]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _distinct(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows of `vectors` (n, d), in sorted order, and the index of each row among them (n,)."""
    rows = np.ascontiguousarray(vectors, np.float32)
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, of_row = np.unique(as_bytes, return_index=True, return_inverse=True)
    return rows[first], of_row


def _levels(
    vectors: np.ndarray, weights: np.ndarray, settings: ThemeSettings, former: FormerTopics | None
) -> np.ndarray:
    """Group numbers (m, 3), from 0, at the three levels, nested."""
    centres, totals, of_vector = vectors, weights, np.arange(len(vectors))
    levels = []
    for depth, count in enumerate(_counts(len(vectors), settings)):
        drawn = centres if former is None else _drawn(centres, totals, former, depth, settings.continuity)
        leaves = _gather(drawn, totals, settings.seed)
        gathered, sizes = means(drawn, totals, leaves)
        groups = cut(merge(gathered, sizes), min(count, len(gathered)))[leaves]
        of_vector = groups[of_vector]
        centres, totals = means(centres, totals, groups)
        levels.append(of_vector)
    return np.stack(levels, axis=1)


def _counts(n_distinct: int, settings: ThemeSettings) -> tuple[int, int, int]:
    """How many topics, categories and themes to make of this many distinct items.

    Topics are n / `smallest` or, below `smallest`² items, √n, which is then more. Categories are the geometric mean: a
    theme has about as many categories as a category has topics.
    """
    topics = min(settings.topics, round(max(n_distinct / settings.smallest, n_distinct**0.5)))
    themes = min(settings.themes, -(-topics // 3))
    return topics, min(settings.categories, round((topics * themes) ** 0.5)), themes


def _gather(vectors: np.ndarray, weights: np.ndarray, seed: int) -> np.ndarray:
    """Leaf (m,) of each vector: one leaf per vector or, in large catalogues, one per K-Means cluster."""
    if len(vectors) <= MOST_LEAVES:
        return np.arange(len(vectors))
    chosen = np.random.default_rng(seed).choice(len(vectors), MOST_LEAVES, replace=False, p=weights / weights.sum())
    sampling = {"min_points_per_centroid": 1, "max_points_per_centroid": LEARNED_FROM}
    gathering = faiss.Kmeans(vectors.shape[1], MOST_LEAVES, niter=5, seed=seed, **sampling)
    gathering.train(vectors, weights=weights.astype(np.float32), init_centroids=vectors[np.sort(chosen)])
    leaves = gathering.index.search(vectors, 1)[1].ravel()
    return np.unique(leaves, return_inverse=True)[1]


def _drawn(vectors: np.ndarray, weights: np.ndarray, former: FormerTopics, depth: int, continuity: float) -> np.ndarray:
    """Vectors (m, d) moved towards the mean of those that were in the same former group of a level."""
    if not len(former.centres):
        return vectors
    were = np.unique(former.groups[nearest(vectors, former.centres), depth], return_inverse=True)[1]
    return np.asarray(vectors + continuity * (means(vectors, weights, were)[0][were] - vectors), np.float32)


@dataclass(frozen=True)
class _Members:
    """Members of a level's groups: of each group the item rows, nearest to the centre first."""

    rows: list[np.ndarray]

    @property
    def typical(self) -> list[list[int]]:
        """The first TYPICAL of each group."""
        return [rows[:TYPICAL].tolist() for rows in self.rows]

    def matrix(self, n_items: int) -> sparse.csr_matrix:
        """Ones where an item is in a group: (n_groups, n_items)."""
        groups = np.repeat(np.arange(len(self.rows)), list(map(len, self.rows)))
        items = np.concatenate(self.rows)
        return sparse.csr_matrix((np.ones(len(items), np.float32), (groups, items)), (len(self.rows), n_items))


def _members(depth: int, of_item: np.ndarray, rows: np.ndarray, closeness: np.ndarray, copies: np.ndarray) -> _Members:
    """Members of a level's groups among `rows`; `closeness` (to the centre) and `copies` are aligned with `rows`."""
    members = of_item[rows, depth]
    order = np.lexsort((rows, -closeness, copies, members))
    return _Members(np.split(rows[order], np.cumsum(np.bincount(members))[:-1]))


def _described(
    depth: int, of_item: np.ndarray, members: _Members, names: list[str], phrases: list[list[str]]
) -> pl.DataFrame:
    """The part of `Themes.groups` of one level."""
    level, typical = LEVELS[depth], members.typical
    n = len(typical)
    parents = of_item[[part[0] for part in typical], depth + 1] if depth + 1 < len(LEVELS) else [None] * n
    return pl.DataFrame(
        {
            "level": [level] * n,
            "group": range(n),
            "id": [f"{level}-{group + 1}" for group in range(n)],
            "parent": parents,
            "name": names,
            "phrases": pl.Series(phrases, dtype=pl.List(pl.String)),
            "items": list(map(len, members.rows)),
            "typical": pl.Series(typical, dtype=pl.List(pl.Int32)),
        },
        schema_overrides={"group": pl.Int32, "parent": pl.Int32, "items": pl.Int64},
    )


def _copies(of_row: np.ndarray) -> np.ndarray:
    """How many equal rows come before each row: (n,)."""
    order = np.argsort(of_row, kind="stable")
    copies = np.empty(len(of_row), np.int64)
    copies[order] = np.arange(len(of_row)) - np.searchsorted(of_row[order], of_row[order])
    return copies
