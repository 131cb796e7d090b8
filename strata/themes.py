"""The catalogue's own map of interests: topic ⊂ category ⊂ theme, learned from item vectors, named from text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import MiniBatchKMeans

from strata.interests import unit
from strata.phrases import Phrases
from strata.settings import Settings
from strata.storage import read_array, write_array, write_table

LEVELS = ("topic", "category", "theme")
MOST_LEAVES = 4_000
"""Ward needs all pairs of its leaves: larger catalogues are first gathered into this many small groups."""


class ThemeSettings(Settings):
    """How fine the catalogue is divided."""

    topics: int = 64
    categories: int = 20
    themes: int = 8
    phrases: int = 5
    smallest: int = 8
    """Items a topic should have on average: small catalogues get fewer groups."""
    seed: int = 7


@dataclass(frozen=True)
class Themes:
    """Groups at three levels and where each item belongs.

    `groups`: one row per group (level, group, parent, name, phrases, items).
    `vectors` (n_groups, d): unit centres, aligned with `groups`.
    `of_item` (n_items, 3) int32: group number of each item at each of LEVELS.
    """

    groups: pl.DataFrame
    vectors: np.ndarray
    of_item: np.ndarray

    def names(self, level: str) -> list[str]:
        """Names of the groups of one level, by group number."""
        return self._of_level(level)["name"].to_list()

    def phrases(self, level: str) -> list[list[str]]:
        """Key phrases of the groups of one level, by group number."""
        return self._of_level(level)["phrases"].to_list()

    def _of_level(self, level: str) -> pl.DataFrame:
        return self.groups.filter(pl.col("level") == level).sort("group")

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


def learn_themes(vectors: np.ndarray, known: np.ndarray, phrases: Phrases, settings: ThemeSettings) -> Themes:
    """Group the items that are `known` (n_items,) bool by Ward's method and place the others in the nearest topic.

    One tree is cut at three heights, so every topic lies in one category and every category in one theme.
    """
    topic_of_known = _ward_levels(vectors[known], settings)
    of_item = np.zeros((len(vectors), len(LEVELS)), np.int32)
    of_item[known] = topic_of_known
    parents = {int(row[0]): row for row in topic_of_known}
    topic_centres = _centres(vectors[known], topic_of_known[:, 0])
    nearest = (vectors[~known] @ topic_centres.T).argmax(1)
    of_item[~known] = np.array([parents[int(topic)] for topic in nearest], np.int32).reshape(-1, len(LEVELS))

    tables, centres = [], []
    for depth, level in enumerate(LEVELS):
        members = topic_of_known[:, depth]
        n_groups = int(members.max()) + 1
        membership = sparse.csr_matrix(
            (np.ones(len(members), np.float32), (members, np.flatnonzero(known))),
            shape=(n_groups, len(vectors)),
        )
        found = phrases.of_groups(membership, settings.phrases, least_share=0.15)
        names = distinct_names(found)
        above = dict(zip(members.tolist(), topic_of_known[:, min(depth + 1, 2)].tolist(), strict=True))
        tables.append(
            pl.DataFrame(
                {
                    "level": [level] * n_groups,
                    "group": range(n_groups),
                    "parent": [above[g] if level != "theme" else None for g in range(n_groups)],
                    "name": [name for name, _ in names],
                    "phrases": [found for _, found in names],
                    "items": np.bincount(members, minlength=n_groups),
                },
                schema_overrides={"group": pl.Int32, "parent": pl.Int32, "items": pl.Int64},
            )
        )
        centres.append(_centres(vectors[known], members))
    return Themes(pl.concat(tables), np.concatenate(centres), of_item)


def distinct_names(phrases: list[list[str]], length: int = 2) -> list[tuple[str, list[str]]]:
    """A name of `length` phrases for each list; names that would be the same get further phrases, then a number."""
    taken: set[str] = set()
    named = []
    for found in phrases:
        found = found or ["Unnamed"]
        options = [" · ".join(found[:n]) for n in range(min(length, len(found)), len(found) + 1)]
        name = next((option for option in options if option not in taken), None)
        number = 2
        while name is None:
            numbered = f"{options[0]} ({number})"
            name = numbered if numbered not in taken else None
            number += 1
        taken.add(name)
        named.append((name, found))
    return named


def _ward_levels(vectors: np.ndarray, settings: ThemeSettings) -> np.ndarray:
    """Group numbers (n, 3), from 0, of the three levels, nested."""
    n = len(vectors)
    if n == 1:
        return np.zeros((1, len(LEVELS)), np.int32)
    leaf_of = np.arange(n)
    leaves = vectors
    if n > MOST_LEAVES:
        gathered = MiniBatchKMeans(MOST_LEAVES, random_state=settings.seed, n_init=1, batch_size=8_192).fit(vectors)
        leaf_of, leaves = np.unique(gathered.labels_, return_inverse=True)[1], _centres(vectors, gathered.labels_)
    tree = linkage(leaves, "ward")
    most = max(1, n // settings.smallest)
    counts = [min(count, most, len(leaves)) for count in (settings.topics, settings.categories, settings.themes)]
    levels = [fcluster(tree, count, "maxclust")[leaf_of] - 1 for count in counts]
    return np.stack(levels, axis=1).astype(np.int32)


def _centres(vectors: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Unit mean vector of each group that has members, in the order of group numbers: (n_groups, d)."""
    groups = np.unique(members, return_inverse=True)[1]
    sums = np.zeros((groups.max() + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, groups, vectors)
    return unit(sums)
