"""Filters: languages however they are written, categories that exist, ranges the right way round."""

import polars as pl
import pytest

from strata.data.catalogue import Catalogue
from strata.data.filters import Filters, InvertedRange, PriceRange, UnknownCategory
from strata.data.inferred import Inferred, table_of
from strata.data.schema import ITEM, LANGUAGE, PRICE
from tests.strategies import N_ITEMS, catalogue

LANGUAGES = ["en", "zh", "zh-cn", "zh-tw", "en-gb", None, "de", "deu", "fr", "en", "zh", "en"]
SHOP = Catalogue(
    catalogue().with_columns(
        pl.Series(LANGUAGE, LANGUAGES), pl.Series(PRICE, [None, *range(1, N_ITEMS)], dtype=pl.Float64)
    )
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("EN", {"en", "en-gb"}),
        ("en", {"en", "en-gb"}),
        ("zh", {"zh", "zh-cn", "zh-tw"}),
        ("zh-CN", {"zh", "zh-cn"}),
        ("zh_TW", {"zh", "zh-tw"}),
        ("de", {"de"}),
        ("d", set()),
        ("ja", set()),
    ],
)
def test_a_language_is_found_however_it_is_written(asked: str, found: set[str]) -> None:
    passed = Filters(languages=[asked]).mask(SHOP)
    assert {language for language, passes in zip(LANGUAGES, passed, strict=True) if passes} == found


def test_unknown_categories_are_told_with_the_nearest() -> None:
    assert Filters(categories=["music"]).mask(SHOP).sum() == 4
    with pytest.raises(UnknownCategory, match="category 'Musik'; nearest: 'music'"):
        Filters(categories=["music", "Musik"]).mask(SHOP)
    with pytest.raises(UnknownCategory, match="there are: 'garden', 'music', 'travel'$"):
        Filters(categories=["xyz"]).mask(SHOP)


def test_inferred_categories_exist_where_they_count() -> None:
    inferred = Inferred(table_of("categories", SHOP.items[ITEM].to_numpy()[:1], [[("film", 0.9)]]))
    assert Filters(categories=["film"], inferred=True).mask(SHOP, inferred).tolist() == [True] + [False] * (N_ITEMS - 1)
    with pytest.raises(UnknownCategory):
        Filters(categories=["film"]).mask(SHOP, inferred)


def test_a_price_range_is_the_right_way_round() -> None:
    assert Filters(price=PriceRange(lowest=2, highest=2)).mask(SHOP).sum() == 1
    with pytest.raises(InvertedRange, match="the lowest price, 2, is above the highest, 1; swap them"):
        Filters(price=PriceRange(lowest=2, highest=1)).mask(SHOP)


def test_null_asks_nothing() -> None:
    nothing = Filters.model_validate({"categories": None, "price": {"lowest": None}, "exclude_items": None})
    assert nothing == Filters(price=PriceRange())
    assert nothing.mask(SHOP).all()
