"""Complete Journey: a year of a grocer's baskets, as purchases and redeemed coupons of households.

Times carry no zone and are taken as UTC: they run from 11:53 on 1 January to 04:01 on the next, and redemptions, dated
by the shop's day, then match purchases best by the day in New York (87 %; by the day in UTC: 76 %).
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from strata.data.schema import (
    ATTRIBUTES,
    BEHAVIOUR,
    BRAND,
    CATEGORIES,
    DESCRIPTION,
    EVENT,
    INTERACTIONS,
    ITEM,
    ITEMS,
    LANGUAGE,
    PRICE,
    TIMESTAMP,
    TITLE,
    USER,
    USERS,
    VALUE,
)
from strata.data.sources.frames import as_table, stacked
from strata.data.sources.source import ReadTable, Source
from strata.data.sources.values import pairs
from strata.errors import SourceError

SHOP_ZONE = "America/New_York"
LINES = ("household_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp")
PRODUCTS = (
    "product_id", "manufacturer_id", "department", "brand", "product_category", "product_type", "package_size",
)  # fmt: skip
REDEMPTIONS = ("household_id", "coupon_upc", "campaign_id", "redemption_date")
WHOLE = ("household_id", "basket_id", "product_id", "quantity", "manufacturer_id", "coupon_upc", "campaign_id")
TYPES: Mapping[str, pl.DataType] = {
    **dict.fromkeys(WHOLE, pl.Int64()),
    **dict.fromkeys(("transaction_timestamp", "redemption_date"), pl.Datetime("us")),
    "sales_value": pl.Float64(),
}
"""Types of the columns that are not text."""
PERSON = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")


def read(folder: Path) -> Source:
    """Read products, households with their attributes, and what they bought.

    Raises SourceError naming the file that is missing, unreadable or lacks a column.
    """
    lines = _frame(folder, "transactions", LINES)
    lines = lines.with_columns(pl.col("transaction_timestamp").dt.replace_time_zone("UTC").alias("_time"))
    interactions = stacked(str(folder), [_purchases(lines), _redemptions(folder, lines)])
    return Source(interactions, _items(folder, lines), _users(folder, lines))


def _frame(folder: Path, name: str, columns: tuple[str, ...]) -> pl.DataFrame:
    path = folder / f"{name}.parquet"
    try:
        table = pl.read_parquet(path, columns=list(columns))
        return table.select(pl.col(name).cast(TYPES.get(name, pl.String())) for name in columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        cause = str(error).splitlines()[0]
        raise SourceError(f"{path} cannot be read ({cause}); `strata data fetch complete-journey` brings it") from None


def _purchases(lines: pl.DataFrame) -> ReadTable:
    """One for each line of a receipt; its value is the quantity."""
    columns = {
        USER: pl.col("household_id"),
        ITEM: pl.col("product_id"),
        BEHAVIOUR: pl.lit("purchase"),
        TIMESTAMP: pl.col("_time"),
        VALUE: pl.col("quantity"),
        EVENT: pl.format("{}-{}", "basket_id", "product_id"),
    }
    nothing = pl.when(pl.col("quantity") <= 0).then(pl.lit("quantity is not above 0: nothing was bought"))
    return as_table("transactions.parquet", lines, INTERACTIONS, columns, reason=nothing)


def _redemptions(folder: Path, lines: pl.DataFrame) -> ReadTable:
    """One for each product that a redeemed coupon covers and the household bought that day, at the purchase's time."""
    bought = lines.filter(pl.col("quantity") > 0).select(
        "household_id",
        pl.col("product_id").alias("_product"),
        pl.col("basket_id").alias("_basket"),
        "_time",
        pl.col("_time").dt.convert_time_zone(SHOP_ZONE).dt.date().alias("_day"),
    )
    covered = _frame(folder, "coupons", ("coupon_upc", "campaign_id", "product_id")).unique()
    redeemed = _frame(folder, "coupon_redemptions", REDEMPTIONS).with_row_index("_redemption")
    met = (
        redeemed.with_columns(pl.col("redemption_date").dt.date().alias("_day"))
        .join(covered.rename({"product_id": "_product"}), on=["coupon_upc", "campaign_id"])
        .join(bought, on=["household_id", "_product", "_day"])
        .drop("_day")
        .sort("_redemption", "_time", "_basket", "_product")
    )
    unmet = redeemed.join(met, on="_redemption", how="anti")
    columns = {
        USER: pl.col("household_id"),
        ITEM: pl.col("_product"),
        BEHAVIOUR: pl.lit("redeem"),
        TIMESTAMP: pl.col("_time"),
        EVENT: pl.format("{}-{}-coupon-{}-{}", "_basket", "_product", "coupon_upc", "campaign_id"),
    }
    alone = pl.when(pl.col("_product").is_null()).then(pl.lit("no purchase of a covered product that day"))
    given = pl.concat([met, unmet], how="diagonal")
    return as_table("coupon_redemptions.parquet", given, INTERACTIONS, columns, reason=alone)


def _items(folder: Path, lines: pl.DataFrame) -> ReadTable:
    """Every product, bought or not; its price is the median of what was paid for one."""
    paid = lines.filter((pl.col("quantity") > 0) & (pl.col("sales_value") > 0))
    price = (pl.col("sales_value") / pl.col("quantity")).median().alias("_price")
    products = _frame(folder, "products", PRODUCTS)
    given = products.join(paid.group_by("product_id").agg(price), on="product_id", how="left", maintain_order="left")
    department, category, kind = (_natural(name) for name in ("department", "product_category", "product_type"))
    columns = {
        ITEM: pl.col("product_id"),
        TITLE: pl.coalesce(kind, category, department),
        CATEGORIES: pl.concat_list(department, category).list.drop_nulls(),
        BRAND: pl.format("{} {}", "brand", "manufacturer_id"),
        DESCRIPTION: pl.col("package_size").str.to_lowercase(),
        PRICE: pl.col("_price"),
        LANGUAGE: pl.lit("en"),
    }
    return as_table("products.parquet", given, ITEMS, columns)


def _users(folder: Path, lines: pl.DataFrame) -> ReadTable:
    """Households with purchases or demographics; the data hold no texts, so there is no profile text."""
    told = _frame(folder, "demographics", ("household_id", *PERSON))
    everyone = pl.concat([lines["household_id"], told["household_id"]]).unique().sort().to_frame()
    given = everyone.join(told, on="household_id", how="left", maintain_order="left")
    attributes = pairs({name: (pl.col(name), given.schema[name]) for name in PERSON})
    columns = {USER: pl.col("household_id"), ATTRIBUTES: attributes}
    return as_table("demographics.parquet", given, USERS, columns)


def _natural(name: str) -> pl.Expr:
    """Trimmed, with a capital at the start only."""
    column = pl.col(name).str.strip_chars()
    return column.str.slice(0, 1).str.to_uppercase() + column.str.slice(1).str.to_lowercase()
