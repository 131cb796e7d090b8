"""What a caller admits: some categories or languages, a price range, nothing of a list."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import LANGUAGE, PRICE
from strata.errors import UnknownId


@dataclass(frozen=True)
class Filters:
    """Conditions that every recommended item meets; None asks nothing.

    An item without language or price passes no filter on it: what is unknown cannot be promised.
    """

    categories: Sequence[str] | None = None
    """At least one of these."""
    languages: Sequence[str] | None = None
    lowest_price: float | None = None
    highest_price: float | None = None
    exclude: Sequence[str] = ()
    """Item ids."""

    def mask(self, catalogue: Catalogue) -> np.ndarray:
        """Items that pass: bool (n_items,). Raises UnknownId for excluded ids that do not exist."""
        passed = np.ones(len(catalogue), bool)
        if self.categories is not None:
            passed &= catalogue.in_categories(list(self.categories))
        conditions = self._conditions()
        if conditions:
            holds = catalogue.items.select(pl.all_horizontal(*conditions).fill_null(value=False))
            passed &= holds.to_series().to_numpy()
        passed[rows_of(self.exclude, catalogue)] = False
        return passed

    def _conditions(self) -> list[pl.Expr]:
        conditions = []
        if self.languages is not None:
            conditions.append(pl.col(LANGUAGE).is_in(list(self.languages)))
        if self.lowest_price is not None:
            conditions.append(pl.col(PRICE) >= self.lowest_price)
        if self.highest_price is not None:
            conditions.append(pl.col(PRICE) <= self.highest_price)
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
