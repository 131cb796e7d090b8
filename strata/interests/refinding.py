"""What a correction meant: a topic's name, items and text, by which it is found again in any later release."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from strata.data.catalogue import Catalogue
from strata.data.schema import ITEM, LEVELS, TITLE
from strata.embeddings.space import InterestSpace
from strata.embeddings.vectors import unit
from strata.interests.anchors import NEAR, SHARED
from strata.interests.themes import Themes

FEWEST = 3
"""Items still in the catalogue from which they alone decide; a topic of fewer needs all of them."""
NEAR_TEXT = 0.9
"""Least cosine of a topic's text to the one meant, where no item tells: right for 97% of MovieLens's, 91% from 0.8."""
DIGITS = 3
"""Of each number of a vector that is kept: enough for cosines."""
WIDEST = 3.0
"""Times as much of the catalogue as it holds of the topic meant from which a topic is another one, wider."""
SHOWN = 3
"""Items that tell a person which topic was meant."""


class Meant(BaseModel):
    """A topic as it was when something was said of it.

    `items`: id → title of its typical items. `part`: share of the catalogue's items that it held. `vector` (t,): unit
    centre of the typical items' texts, as the space centres them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    items: dict[str, str | None]
    part: float
    vector: tuple[float, ...]

    def __str__(self) -> str:
        """The name and a few items."""
        shown = [title or item for item, title in list(self.items.items())[:SHOWN]]
        return f"{self.name}: {', '.join(shown)}" if shown else self.name


def meant_by(topic: str, themes: Themes, catalogue: Catalogue, space: InterestSpace) -> Meant:
    """What saying something of this topic (an id of `themes`) means."""
    row = themes.at(LEVELS[0]).row(by_predicate=pl.col("id") == topic, named=True)
    items = dict(catalogue.items[row["typical"]].select(ITEM, TITLE).iter_rows())
    part = float(_parts(themes)[row["group"]])
    vector = tuple(round(float(x), DIGITS) for x in _centre(np.array(row["typical"]), space))
    return Meant(name=row["name"], items=items, part=part, vector=vector)


def refind(
    said: Sequence[tuple[str, Meant]], themes: Themes, catalogue: Catalogue, space: InterestSpace
) -> list[str | None]:
    """The id of the topic that each of `said` (id then, what it meant) is now; None where it is none.

    It is the topic that holds at least SHARED of its items that are left and is not far wider. Where these are too few,
    or spread, it is the topic of the same id and name, which anchors hand on while a group lasts. Where no item is left
    to tell, and others' items show that texts then and now are comparable, it is that of the nearest text.
    """
    topics = themes.at(LEVELS[0])
    ids, names = topics["id"].to_list(), topics["name"].to_list()
    group_of = {topic: group for group, topic in enumerate(ids)}
    own = np.array([group_of.get(topic, -1) for topic, _ in said], np.int64)
    rows = items_left([meant for _, meant in said], catalogue)
    held = np.stack([np.bincount(themes.of_item[left, 0], minlength=len(ids)) for left in rows])
    left = held.sum(1)
    enough = (left > 0) & (left >= [min(FEWEST, len(meant.items)) for _, meant in said])
    places = np.arange(len(said))
    preferred = held + 0.5 * (own[:, None] == np.arange(len(ids)))  # of equals, the one that kept the id
    best = preferred.argmax(1)
    shared = held[places, best] / np.maximum(left, 1)
    wide = _parts(themes)[best] > WIDEST * shared * [meant.part for _, meant in said]
    by_items = enough & ~wide & (shared >= SHARED)
    same = np.array([at >= 0 and names[at] == meant.name for at, (_, meant) in zip(own, said, strict=True)], bool)
    by_name = ~by_items & same & (~enough | (held[places, own] > 0))
    found = np.select([by_items, by_name], [best, own], -1)
    silent = np.flatnonzero((found < 0) & ~enough)
    if len(silent):
        comparable = _comparable(said, rows, by_items, space)
        found[silent] = _by_text([said[place][1] for place in silent.tolist()], comparable, topics, space)
    return [ids[at] if at >= 0 else None for at in found]


def items_left(meant: Sequence[Meant], catalogue: Catalogue) -> list[np.ndarray]:
    """Rows of the items of each that are still in the catalogue, by id and title: data sets may use the same ids."""
    listed = pl.DataFrame(
        [(place, *item) for place, each in enumerate(meant) for item in each.items.items()],
        schema={"place": pl.Int64, ITEM: pl.String, TITLE: pl.String},
        orient="row",
    )
    rows = catalogue.items.select(ITEM, TITLE).with_row_index("row")
    pairs = listed.join(rows, on=[ITEM, TITLE], nulls_equal=True, maintain_order="left")
    place, row = pairs["place"].to_numpy(), pairs["row"].to_numpy().astype(np.int64)
    return np.split(row, np.searchsorted(place, np.arange(1, len(meant))))[: len(meant)]


def _parts(themes: Themes) -> np.ndarray:
    """Share of the catalogue's items that each topic holds: (n_topics,)."""
    return np.asarray(np.bincount(themes.of_item[:, 0]) / max(len(themes.of_item), 1))


def _centre(rows: np.ndarray, space: InterestSpace) -> np.ndarray:
    """Unit centre (t,) of the texts of some items, from the text part of their vectors."""
    return np.asarray(unit(unit(np.asarray(space.vectors[rows, : len(space.text_mean)])).mean(0)[None])[0])


def _comparable(
    said: Sequence[tuple[str, Meant]], rows: list[np.ndarray], found: np.ndarray, space: InterestSpace
) -> bool:
    """Whether the texts of items that were found again lie where they lay then: the same language model read them."""
    then = [(said[place][1].vector, _centre(rows[place], space)) for place in np.flatnonzero(found).tolist()]
    cosines = [np.dot(old, new) for old, new in then if len(old) == len(new)]
    return len(cosines) > 0 and float(np.median(cosines)) >= NEAR


def _by_text(meant: Sequence[Meant], comparable: bool, topics: pl.DataFrame, space: InterestSpace) -> np.ndarray:
    """The topic whose text is nearest to each that is meant, −1 where none is near: (n,)."""
    if not comparable:
        return np.full(len(meant), -1)
    centres = np.stack([_centre(typical.to_numpy(), space) for typical in topics["typical"]])
    fitting = [each.vector if len(each.vector) == centres.shape[1] else np.zeros(centres.shape[1]) for each in meant]
    cosines = np.array(fitting) @ centres.T
    return np.where(cosines.max(1) >= NEAR_TEXT, cosines.argmax(1), -1)
