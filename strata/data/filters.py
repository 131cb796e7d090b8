"""Filters of a caller: categories, languages, a price range, excluded items."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

import numpy as np
import polars as pl
from pydantic import Field

from strata.data.catalogue import Catalogue
from strata.data.inferred import NOTHING_INFERRED, Inferred
from strata.data.schema import LANGUAGE, PRICE
from strata.errors import SettingsError, UnknownId
from strata.fields import Id, Price, Request

COMPARED: Final = 2_000
"""Names among which those nearest to an unknown one are looked for."""


class UnknownCategory(UnknownId):
    """A category that no item has."""


class InvertedRange(SettingsError):
    """A range whose lowest value is above its highest."""


class PriceRange(Request):
    """Both bounds are inside the range, `lowest` not above `highest`; items without a price are not."""

    lowest: Price | None = None
    highest: Price | None = None


class Filters(Request):
    """What every recommended item meets; null asks nothing.

    An item without language or price passes no filter on it: what is unknown cannot be promised.
    """

    categories: list[Id] | None = Field(
        default=None, min_length=1, max_length=100, description="At least one of these, as the items have them."
    )
    inferred: bool = Field(default=False, description="Whether categories that were inferred count as well.")
    languages: list[Id] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="ISO 639 codes in any case: zh is for zh-cn and zh-tw as well, and zh-cn for what is just zh.",
    )
    price: PriceRange | None = None
    exclude_items: list[Id] = Field(default=[], max_length=10_000, description="Item ids that must not come.")

    def mask(self, catalogue: Catalogue, inferred: Inferred = NOTHING_INFERRED) -> np.ndarray:
        """Items that pass: bool (n_items,).

        Raises UnknownId for excluded ids that do not exist, UnknownCategory for categories that no item has,
        InvertedRange for prices that can be none.
        """
        passed = np.ones(len(catalogue), bool)
        if self.categories is not None:
            _check_categories(self.categories, catalogue.categories | (inferred.categories if self.inferred else set()))
            of_these = catalogue.in_categories(self.categories)
            passed &= of_these | inferred.in_categories(self.categories, catalogue.ids) if self.inferred else of_these
        passed[rows_of(self.exclude_items, catalogue)] = False
        conditions = self._conditions(catalogue)
        if conditions:
            holds = catalogue.items.select(pl.all_horizontal(*conditions).fill_null(value=False))
            passed &= holds.to_series().to_numpy()
        return passed

    def _conditions(self, catalogue: Catalogue) -> list[pl.Expr]:
        conditions = []
        if self.languages is not None:
            asked = [_parts(language) for language in self.languages]
            there = [each for each in catalogue.languages if any(_agree(_parts(each), other) for other in asked)]
            conditions.append(pl.col(LANGUAGE).is_in(there))
        price = self.price or PriceRange()
        if price.lowest is not None and price.highest is not None and price.lowest > price.highest:
            raise InvertedRange(
                f"the lowest price, {price.lowest:g}, is above the highest, {price.highest:g}; swap them"
            )
        if price.lowest is not None:
            conditions.append(pl.col(PRICE) >= price.lowest)
        if price.highest is not None:
            conditions.append(pl.col(PRICE) <= price.highest)
        return conditions


def _parts(language: str) -> list[str]:
    """A code's parts as cleaning writes them: zh_CN → zh, cn."""
    return language.strip().lower().replace("_", "-").split("-")


def _agree(one: list[str], other: list[str]) -> bool:
    """Whether one code is the other or says more of the same language (RFC 4647, section 3.3.1, both ways)."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _check_categories(asked: Sequence[str], known: Collection[str]) -> None:
    unknown = next((name for name in asked if name not in known), None)
    if unknown is None:
        return
    by_letters = {name.casefold(): name for name in sorted(known)[:COMPARED]}
    near = get_close_matches(unknown.casefold(), by_letters, cutoff=0.5)
    told = "nearest: " if near else "there are: " if known else "there are none"
    names = [by_letters[each] for each in near] or sorted(known)[:5]
    more = ", …" if not near and len(known) > len(names) else ""
    raise UnknownCategory(f"no item is of the category '{unknown}'; {told}" + ", ".join(map(repr, names)) + more)


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
