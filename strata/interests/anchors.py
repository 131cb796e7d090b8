"""Anchors: a record of former groups, so that the next release's groups keep their ids, names and items."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from strata.data.schema import ITEM, LEVELS, TITLE
from strata.embeddings.vectors import unit
from strata.interests.hierarchy import means
from strata.interests.naming import Namer, parts_of, told_apart
from strata.interests.themes import FormerTopics, Themes
from strata.storage import read_array, write_array, write_table

ABOVE = {"topic": "category", "category": "theme", "theme": None}
SHARED = 0.5
"""Least share of an anchor's remaining items that a group must contain to match it."""
NEAR = 0.8
"""Least cosine between an anchor and a group to match, where no item of the anchor is left."""
TIE = 0.05
"""What a common parent, and a cosine of 1, add to the shared part, to break ties."""


@dataclass(frozen=True)
class Anchors:
    """The groups of all releases so far.

    `groups`: one row per group (id, level, parent, name, phrases, items, titles, retired): `parent` is the id of the
    group above, `items` and `titles` are those of typical items. Groups that no longer exist come last, `retired`, so
    that their ids are not used again.
    `vectors` (n, d): unit centres, as the last release's language model saw them, of the groups that are not retired.
    """

    groups: pl.DataFrame
    vectors: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write_anchors` wrote."""
        return cls(pl.read_parquet(folder / "themes.parquet"), read_array(folder / "vectors.npy"))

    def at(self, level: str) -> "Anchors":
        """The groups of one level that the last release had."""
        live = self.groups.filter(~pl.col("retired"))
        there = live["level"] == level
        return Anchors(live.filter(there), np.asarray(self.vectors[there.to_numpy()], np.float32))

    def members(self, items: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (position in `groups`, row in the items table) of typical items that still exist.

        Items match by id and title, as different data sets may use the same ids.
        """
        rows = items.select(items=ITEM, titles=TITLE).with_row_index("row")
        listed = self.groups.select("items", "titles").with_row_index("place").explode("items", "titles")
        pairs = listed.join(rows, on=["items", "titles"], nulls_equal=True, maintain_order="left")
        return pairs["place"].to_numpy(), pairs["row"].to_numpy()

    def topics(self, vectors: np.ndarray, items: pl.DataFrame) -> FormerTopics:
        """The last release's topics in the space of the new item vectors (n_items, d), with their groups.

        Centres are means of the topics' typical items, so the language model may change; topics of which no item is
        left are dropped.
        """
        topics = self.at("topic")
        places, rows = topics.members(items)
        left, topic = np.unique(places, return_inverse=True)
        centres = unit(means(np.asarray(vectors[rows], np.float32), np.ones(len(rows)), topic)[0])
        above = (
            topics.groups[left]
            .select(topic="id", category="parent")
            .join(self.groups.select(category="id", theme="parent"), on="category", how="left", maintain_order="left")
        )
        groups = above.select(pl.col(LEVELS).rank("dense").cast(pl.Int64) - 1)
        return FormerTopics(centres, groups.to_numpy())

    def retired_by(self, themes: Themes) -> list[str]:
        """Names of the last release's groups that the matched `themes` lack."""
        live = self.groups.filter(~pl.col("retired"))
        return live.filter(~pl.col("id").is_in(themes.groups["id"].to_list()))["name"].to_list()


def match_anchors(themes: Themes, anchors: Anchors, items: pl.DataFrame, namer: Namer) -> Themes:
    """Give groups that match an anchor its id and name, and all others ids never used before.

    From themes down to topics, groups and anchors are matched one to one (Hungarian method) by the share of an
    anchor's typical items that lie in a group, which works even if the language model changed. Cosines of centres
    decide only for anchors with no item left in the catalogue, and only if the anchors that still have items show that
    old and new vectors are comparable. `items`: the items table, by row. `namer` tells new groups from old ones.
    """
    parts: list[pl.DataFrame] = []
    for depth in reversed(range(len(LEVELS))):
        groups, former = themes.at(LEVELS[depth]), anchors.at(LEVELS[depth])
        parents = parts[-1]["id"].to_numpy()[groups["parent"].to_numpy()] if parts else np.full(groups.height, None)
        found = _match(themes, depth, parents, former, items)
        parts.append(_identified(groups, former, found, anchors, namer))
    return replace(themes, groups=pl.concat(reversed(parts)))


def write_anchors(themes: Themes, items: pl.DataFrame, folder: Path) -> None:
    """Write a release's groups as themes.parquet and vectors.npy; other groups already in `folder` become retired."""
    upper = themes.groups.select(level="level", parent="group", parent_id="id")
    typical = {
        name: pl.Series([items[column][rows].to_list() for rows in themes.groups["typical"]], dtype=pl.List(pl.String))
        for name, column in (("items", ITEM), ("titles", TITLE))
    }
    groups = (
        themes.groups.with_columns(above=pl.col("level").replace_strict(ABOVE))
        .join(upper, left_on=["above", "parent"], right_on=["level", "parent"], how="left", maintain_order="left")
        .with_columns(parent=pl.col("parent_id"), retired=pl.lit(value=False), **typical)
        .select("id", "level", "parent", "name", "phrases", "items", "titles", "retired")
    )
    if (folder / "themes.parquet").exists():
        before = Anchors.read(folder).groups
        gone = before.filter(~pl.col("id").is_in(groups["id"].to_list()))
        nothing = pl.lit([], dtype=pl.List(pl.String))
        groups = pl.concat([groups, gone.with_columns(items=nothing, titles=nothing, retired=pl.lit(value=True))])
    write_table(groups, folder / "themes.parquet")
    write_array(themes.vectors.astype(np.float16), folder / "vectors.npy")  # precise enough for cosines, half the bytes


def _match(themes: Themes, depth: int, parents: np.ndarray, former: Anchors, items: pl.DataFrame) -> np.ndarray:
    """Position in `former` of the match of each group of a level, or −1: (k,); `parents` (k,): ids of their parents."""
    centres = themes.centres(LEVELS[depth])
    places, rows = former.members(items)
    shape = (former.groups.height, len(centres))
    held = sparse.coo_matrix((np.ones(len(rows)), (places, themes.of_item[rows, depth])), shape=shape).toarray()
    left = held.sum(1, keepdims=True)
    shared = held / np.maximum(left, 1)
    same_size = former.vectors.shape[1] == centres.shape[1]
    cosines = former.vectors @ centres.T if same_size else np.zeros(shape)
    there = left.ravel() > 0
    best = cosines[there, shared[there].argmax(1)]
    comparable = len(best) > 0 and np.median(best) >= NEAR
    same = np.where(left > 0, shared >= SHARED, comparable & (cosines >= NEAR))
    common = former.groups["parent"].to_numpy()[:, None] == parents
    score = np.where(left > 0, shared, cosines) + TIE * (cosines + common)
    anchor, group = linear_sum_assignment(np.where(same, score, 0), maximize=True)
    found = np.full(len(centres), -1)
    kept = same[anchor, group]
    found[group[kept]] = anchor[kept]
    return found


def _identified(
    groups: pl.DataFrame, former: Anchors, found: np.ndarray, anchors: Anchors, namer: Namer
) -> pl.DataFrame:
    """The groups of a level with the ids and names of their anchors, or new ones."""
    level, old = groups["level"][0], found >= 0
    ids, names = np.empty(len(found), object), np.empty(len(found), object)
    ids[old], names[old] = (former.groups[column].to_numpy()[found[old]] for column in ("id", "name"))
    numbers = [int(id.rpartition("-")[2]) for id in anchors.groups.filter(level=level)["id"]]
    ids[~old] = [f"{level}-{max(numbers, default=0) + place}" for place in range(1, 1 + (~old).sum())]
    new = groups.filter(~old)
    examples = [namer.examples(typical) for typical in new["typical"].to_list()]
    names[~old] = told_apart([parts_of(name)[0] for name in new["name"]], examples, names[old])
    return groups.with_columns(id=pl.Series(ids, dtype=pl.String), name=pl.Series(names, dtype=pl.String))
