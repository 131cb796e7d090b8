"""Categories and tags that a model filled in where an item has none: kept apart from those that are given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np
import polars as pl

from strata.data.schema import CATEGORIES, ITEM

ClassField = Literal["categories", "tags"]
"""Columns of the items whose entries are classes."""
FIELD, NAME, CONFIDENCE = "field", "name", "confidence"
INFERRED: Final = pl.Schema({ITEM: pl.String(), FIELD: pl.String(), NAME: pl.String(), CONFIDENCE: pl.Float32()})
"""A row for each class of an item, surest first; `field`: the column in which the item has none of its own."""
TABLE: Final = "inferred.parquet"


@dataclass(frozen=True)
class InferredClass:
    """A category or tag that an item may have; of many such, the share `confidence` is right."""

    field: ClassField
    name: str
    confidence: float


@dataclass(frozen=True)
class Inferred:
    """What is inferred of items that lack it: never of a field in which an item has something of its own."""

    table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=INFERRED))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what the stage `heads` wrote; a release of an earlier version has nothing inferred."""
        path = folder / TABLE
        return cls(pl.read_parquet(path)) if path.exists() else cls()

    def of(self, item_id: str) -> tuple[InferredClass, ...]:
        """What is inferred of an item, surest first."""
        return self._by_item.get(item_id, ())

    def in_categories(self, categories: Sequence[str], items: np.ndarray) -> np.ndarray:
        """Which of `items` (n,), ids, are inferred to be in at least one of `categories`: bool (n,)."""
        found = self.table.filter(pl.col(FIELD) == CATEGORIES, pl.col(NAME).is_in(list(categories)))[ITEM]
        return np.isin(items.astype(str), found.to_numpy().astype(str))

    @cached_property
    def categories(self) -> set[str]:
        """The categories that are inferred of items."""
        return set(self.table.filter(pl.col(FIELD) == CATEGORIES)[NAME])

    @cached_property
    def _by_item(self) -> dict[str, tuple[InferredClass, ...]]:
        found: dict[str, list[InferredClass]] = {}
        for item, column, name, sure in self.table.select(list(INFERRED)).iter_rows():
            found.setdefault(item, []).append(InferredClass(column, name, round(sure, 3)))
        return {item: tuple(classes) for item, classes in found.items()}


NOTHING_INFERRED: Final = Inferred()


def table_of(column: ClassField, items: np.ndarray, found: Sequence[Sequence[tuple[str, float]]]) -> pl.DataFrame:
    """Rows of INFERRED from the classes `found` of each of `items` (n,), ids, with their confidences."""
    rows = [(item, column, name, sure) for item, classes in zip(items, found, strict=True) for name, sure in classes]
    return pl.DataFrame(rows, schema=INFERRED, orient="row")
