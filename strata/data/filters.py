"""Filters of a caller: categories, languages, a price range, excluded items."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from pydantic import Field

from strata.data.catalogue import Catalogue
from strata.data.inferred import NOTHING_INFERRED, Inferred
from strata.data.schema import LANGUAGE, PRICE
from strata.errors import UnknownId
from strata.fields import Id, Price, Request


class PriceRange(Request):
    """Both bounds are inside the range; items without a price are not."""

    lowest: Price | None = None
    highest: Price | None = None


class Filters(Request):
    """What every recommended item meets; null asks nothing.

    An item without language or price passes no filter on it: what is unknown cannot be promised.
    """

    categories: list[Id] | None = Field(
        default=None, min_length=1, max_length=100, description="At least one of these."
    )
    inferred: bool = Field(default=False, description="Whether categories that were inferred count as well.")
    languages: list[Id] | None = Field(default=None, min_length=1, max_length=100)
    price: PriceRange | None = None
    exclude_items: list[Id] = Field(default=[], max_length=10_000, description="Item ids that must not come.")

    def mask(self, catalogue: Catalogue, inferred: Inferred = NOTHING_INFERRED) -> np.ndarray:
        """Items that pass: bool (n_items,). Raises UnknownId for excluded ids that do not exist."""
        passed = np.ones(len(catalogue), bool)
        if self.categories is not None:
            of_these = catalogue.in_categories(self.categories)
            passed &= of_these | inferred.in_categories(self.categories, catalogue.ids) if self.inferred else of_these
        conditions = self._conditions()
        if conditions:
            holds = catalogue.items.select(pl.all_horizontal(*conditions).fill_null(value=False))
            passed &= holds.to_series().to_numpy()
        passed[rows_of(self.exclude_items, catalogue)] = False
        return passed

    def _conditions(self) -> list[pl.Expr]:
        conditions = []
        if self.languages is not None:
            conditions.append(pl.col(LANGUAGE).is_in(self.languages))
        price = self.price or PriceRange()
        if price.lowest is not None:
            conditions.append(pl.col(PRICE) >= price.lowest)
        if price.highest is not None:
            conditions.append(pl.col(PRICE) <= price.highest)
        return conditions


def rows_of(item_ids: Sequence[str], catalogue: Catalogue) -> np.ndarray:
    """Rows of items (n,), in the order given. Raises UnknownId naming all that do not exist."""
    rows, unknown = [], []
    for item_id in item_ids:
        try:
            rows.append(catalogue.row(item_id))
        except UnknownId:
            unknown.append(item_id)
    if unknown:
        named = ", ".join(f"'{item_id}'" for item_id in unknown[:5]) + (", …" if len(unknown) > 5 else "")
        raise UnknownId(
            f"{len(unknown):,} of {len(item_ids):,} items are not among the {len(catalogue):,} of this release: {named}"
        )
    return np.array(rows, np.int64)
