"""The catalogue: ids, titles and texts of items by row, and which items exist at a time."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from strata.data.history import History
from strata.data.schema import CATEGORIES, CREATED, ITEM, LANGUAGE, REMOVED, TITLE
from strata.errors import UnknownId


@dataclass(frozen=True)
class Catalogue:
    """The items table, sorted by id: row i is item row i everywhere."""

    items: pl.DataFrame

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read items.parquet."""
        return cls(pl.read_parquet(path))

    def __len__(self) -> int:
        return self.items.height

    @cached_property
    def ids(self) -> np.ndarray:
        """Item ids (n_items,) of object dtype."""
        return self.items[ITEM].to_numpy()

    @cached_property
    def titles(self) -> list[str]:
        """Title of each item, or its id where it has none."""
        return [title or item for title, item in self.items.select(TITLE, ITEM).iter_rows()]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.ids)}

    def __contains__(self, item_id: object) -> bool:
        """Whether there is an item of this id."""
        return item_id in self._rows

    @cached_property
    def categories(self) -> set[str]:
        """The categories that items have."""
        return set(self.items[CATEGORIES].explode().drop_nulls().unique())

    @cached_property
    def languages(self) -> list[str]:
        """The languages that items have, sorted."""
        return self.items[LANGUAGE].drop_nulls().unique().sort().to_list()

    def row(self, item_id: str) -> int:
        """The row of an item. Raises UnknownId."""
        try:
            return self._rows[item_id]
        except KeyError:
            raise UnknownId(f"item '{item_id}' is not among the {len(self):,} items of this release") from None

    def title_of(self, item_id: str) -> str:
        """The title of an item id."""
        return self.titles[self.row(item_id)]

    def available(self, time: float, history: History) -> np.ndarray:
        """Items that exist at `time` (seconds): created (or chosen by someone) before it, not yet removed: bool."""
        created = self._seconds(CREATED, default=-np.inf) < time
        created[np.unique(history.before(time).items)] = True
        return created & (self._seconds(REMOVED, default=np.inf) > time)

    def in_categories(self, categories: list[str]) -> np.ndarray:
        """Items that carry at least one of `categories`: bool (n_items,)."""
        wanted = pl.col(CATEGORIES).list.eval(pl.element().is_in(categories)).list.any()
        return self.items.select(wanted.fill_null(value=False)).to_series().to_numpy()

    def _seconds(self, column: str, *, default: float) -> np.ndarray:
        seconds = self.items[column].dt.epoch("us").cast(pl.Float64) / 1e6
        return np.array(seconds.fill_null(default).to_numpy())
