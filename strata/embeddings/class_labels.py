"""Which classes a platform's items carry, as a matrix to learn from, and the texts that do not give them away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self, get_args

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.inferred import ClassField
from strata.data.schema import CATEGORIES, TAGS
from strata.embeddings.item_text import item_texts

CLASS_FIELDS: Final[tuple[ClassField, ...]] = get_args(ClassField)

FEWEST: Final = 10
"""Items that a class needs to say something of ratings."""


@dataclass(frozen=True)
class ClassLabels:
    """The classes of one column: `of_item` (n_items, C) bool CSR says which each item carries.

    `given` (n_items,) bool: items that carry any, rare ones included: only these say what an item is not.
    """

    classes: tuple[str, ...]
    of_item: sparse.csr_matrix
    given: np.ndarray
    most: int
    """Items that carry the most frequent class, learned or not."""

    @classmethod
    def of(cls, column: pl.Series, least: int, learned_from: np.ndarray | None = None) -> Self:
        """The classes that at least `least` items carry, in alphabetical order.

        `learned_from` (n_items,) bool: the items that are counted; all unless given.
        """
        carried = pl.DataFrame({"item": np.arange(len(column)), "class": column}).explode("class", empty_as_null=False)
        carried = carried.drop_nulls().unique(maintain_order=True)
        counted = carried if learned_from is None else carried.filter(learned_from[carried["item"].to_numpy()])
        sizes = counted.group_by("class").len()
        classes = sizes.filter(pl.col("len") >= least)["class"].sort().to_list()
        places = {name: place for place, name in enumerate(classes)}
        kept = carried.filter(pl.col("class").is_in(classes))
        columns = [places[name] for name in kept["class"].to_list()]
        cells = (np.ones(len(kept), bool), (kept["item"].to_numpy(), columns))
        most = int(sizes["len"].to_numpy().max(initial=0))
        given = column.list.len().fill_null(0).to_numpy() > 0
        return cls(tuple(classes), sparse.csr_matrix(cells, shape=(len(column), len(classes))), given, most)


def item_classes(items: pl.DataFrame) -> sparse.csr_matrix:
    """Categories and tags of items side by side, those of FEWEST items and more: (n_items, C) float64 CSR of 1."""
    parts = [ClassLabels.of(items[name], FEWEST).of_item for name in CLASS_FIELDS]
    return sparse.csr_matrix(sparse.hstack(parts), dtype=np.float64)


def texts_without_classes(items: pl.DataFrame) -> list[str]:
    """What the language model reads of each item where it may not see the classes: those that lack them have none."""
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return item_texts(items.with_columns(nothing.alias(CATEGORIES), nothing.alias(TAGS)))


def named(classes: Sequence[str], confidences: np.ndarray, least: float) -> list[list[tuple[str, float]]]:
    """Of each row of `confidences` (n, C) the classes from `least` on, surest first."""
    found = []
    for row in confidences:
        places = np.flatnonzero(row >= least)
        order = places[np.argsort(-row[places], kind="stable")]
        found.append([(classes[place], float(row[place])) for place in order])
    return found
