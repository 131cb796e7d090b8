"""Complete Journey: every line and every coupon is an event or in the quarantine with its reason."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strata.data.cleaning import Cleaned, CleaningSettings, clean
from strata.data.schema import BEHAVIOURS, INTERACTIONS, ITEMS, USERS
from strata.data.sources.complete_journey import PERSON, read
from strata.data.sources.packages import fetch_data
from strata.errors import FetchError, SourceError
from tests.places import ROOT

FETCHED = ROOT / "data" / "complete-journey"
RULES = CleaningSettings(weights=dict.fromkeys(BEHAVIOURS, 1.0))
NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every twentieth household of the real data, with all products and coupons."""
    try:
        whole = FETCHED if FETCHED.exists() else tmp_path_factory.mktemp("raw") / "complete-journey"
        fetch_data("complete-journey", whole)
    except FetchError as error:
        pytest.skip(str(error))
    sliced = tmp_path_factory.mktemp("slice")
    for path in whole.iterdir():
        table = pl.read_parquet(path)
        if "household_id" in table.columns:
            table = table.filter(pl.col("household_id") % 20 == 0)
        table.write_parquet(sliced / path.name)
    return sliced


@pytest.fixture(scope="module")
def cleaned(folder: Path) -> Cleaned:
    return clean(read(folder), RULES, NOW)


def test_every_line_and_coupon_is_accepted_or_refused(folder: Path, cleaned: Cleaned) -> None:
    lines, coupons = (pl.read_parquet(folder / f"{n}.parquet") for n in ("transactions", "coupon_redemptions"))
    redeemed = cleaned.interactions.filter(behaviour="redeem")
    refused = cleaned.quarantine.filter(table="interactions")
    of_coupons = refused.filter(pl.col("content").str.contains("coupon_redemptions", literal=True))
    assert cleaned.interactions.filter(behaviour="purchase").height + refused.height - of_coupons.height == lines.height
    coupon = redeemed["event_id"].str.split("-coupon-").list.last()
    days = redeemed["timestamp"].dt.convert_time_zone("America/New_York").dt.date()
    met = pl.DataFrame([redeemed["user_id"], coupon, days]).n_unique()
    assert met + of_coupons.height == coupons.height
    assert 0.8 < met / coupons.height < 0.95
    assert set(refused["reason"]) == {
        "quantity is not above 0: nothing was bought",
        "no purchase of a covered product that day",
        "item_id is not in items",
    }


def test_what_was_redeemed_was_bought_at_that_moment(cleaned: Cleaned) -> None:
    key = ["user_id", "item_id", "timestamp"]
    redeemed = cleaned.interactions.filter(behaviour="redeem")
    assert redeemed.height > 0
    assert redeemed.join(cleaned.interactions.filter(behaviour="purchase"), on=key, how="anti").is_empty()


def test_products_read_like_products(folder: Path, cleaned: Cleaned) -> None:
    assert cleaned.items.height == pl.read_parquet(folder / "products.parquet").height
    ice, misc, milk = (
        cleaned.items.row(by_predicate=pl.col("item_id") == known, named=True)
        for known in ("25671", "26081", "1029743")
    )
    assert (ice["title"], ice["description"], ice["brand"]) == ("Ice - crushed/cubed", "22 lb", "National 2")
    assert ice["categories"] == ["Grocery", "Frzn ice"]
    assert (misc["title"], misc["categories"], misc["description"]) == ("Miscellaneous", ["Miscellaneous"], None)
    assert cleaned.items["language"].unique().to_list() == ["en"]
    paid = pl.read_parquet(folder / "transactions.parquet").filter(
        pl.col("product_id") == 1029743, pl.col("quantity") > 0, pl.col("sales_value") > 0
    )
    assert milk["price"] == (paid["sales_value"] / paid["quantity"]).median()


def test_households_keep_what_is_known_of_them(folder: Path, cleaned: Cleaned) -> None:
    told = pl.read_parquet(folder / "demographics.parquet").row(0, named=True)
    found = cleaned.users.row(by_predicate=pl.col("user_id") == str(told["household_id"]), named=True)
    assert {pair["key"]: pair["value"] for pair in found["attributes"]} == {
        name: told[name] for name in PERSON if told[name] is not None
    }
    assert set(cleaned.interactions["user_id"]) == set(cleaned.users["user_id"])
    assert cleaned.users["profile_text"].null_count() == cleaned.users.height


def test_tables_conform_and_events_have_lasting_ids(folder: Path, cleaned: Cleaned) -> None:
    assert (cleaned.interactions.schema, cleaned.items.schema, cleaned.users.schema) == (INTERACTIONS, ITEMS, USERS)
    line = pl.read_parquet(folder / "transactions.parquet").filter(pl.col("quantity") > 1).row(0, named=True)
    event = cleaned.interactions.row(
        by_predicate=pl.col("event_id") == f"{line['basket_id']}-{line['product_id']}", named=True
    )
    assert (event["user_id"], event["item_id"]) == (str(line["household_id"]), str(line["product_id"]))
    assert (event["value"], event["timestamp"]) == (line["quantity"], line["transaction_timestamp"].replace(tzinfo=UTC))


def write(folder: Path, lines: Sequence[tuple[int, int, int, int]], coupons: Sequence[tuple[int, int, int]]) -> None:
    """Lines of (household, product, quantity, hour since 1 January 2017), coupons of (household, coupon, day)."""
    start = datetime(2017, 1, 1)
    tables = {
        "transactions": [
            {"household_id": who, "basket_id": at, "product_id": what, "quantity": many, "sales_value": 1.5 * many,
             "transaction_timestamp": start + timedelta(hours=at)}
            for who, what, many, at in lines
        ],
        "products": [
            {"product_id": number, "manufacturer_id": 1, "department": "GROCERY", "brand": "Private",
             "product_category": None, "product_type": "TEA", "package_size": None}
            for number in range(3)
        ],
        "coupons": [{"coupon_upc": c, "campaign_id": 1, "product_id": p} for c, p in ((7, 0), (7, 0), (7, 1), (8, 2))],
        "coupon_redemptions": [
            {"household_id": who, "coupon_upc": coupon, "campaign_id": 1, "redemption_date": start + timedelta(day)}
            for who, coupon, day in [(9, 7, 0), *coupons]  # household 9 buys nothing
        ],
        "demographics": [{"household_id": 0, **dict.fromkeys(PERSON)}],
    }  # fmt: skip
    for name, rows in tables.items():
        pl.DataFrame(rows).write_parquet(folder / f"{name}.parquet")


LINES = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3), st.integers(0, 60))
COUPONS = st.tuples(st.integers(0, 2), st.sampled_from([7, 8]), st.integers(0, 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(LINES, min_size=1, max_size=12, unique_by=lambda line: (line[1], line[3])),
    coupons=st.lists(COUPONS, max_size=6, unique=True),
)
def test_coupons_meet_the_purchases_that_plain_counting_finds(
    tmp_path: Path, lines: list[tuple[int, int, int, int]], coupons: list[tuple[int, int, int]]
) -> None:
    write(tmp_path, lines, coupons)
    covers = {7: {0, 1}, 8: {2}}
    expected = sorted(
        (str(who), str(what), at)
        for who, coupon, day in coupons
        for buyer, what, many, at in lines
        if buyer == who and what in covers[coupon] and many > 0 and (at - 5) // 24 == day  # New York's winter day
    )
    table = read(tmp_path).interactions
    found = table.rows.filter(pl.col("reason").is_null(), behaviour="redeem")
    hours = (found["timestamp"] - datetime(2017, 1, 1, tzinfo=UTC)).dt.total_hours()
    assert sorted(zip(found["user_id"], found["item_id"], hours, strict=True)) == expected
    assert found["event_id"].is_unique().all()
    assert table.rows["row"].to_list() == list(range(1, table.rows.height + 1))
    assert table.given.collect()["row"].to_list() == table.rows["row"].to_list()
    assert table.rows.filter(behaviour="purchase").height == len(lines)
    assert table.rows.filter(reason="no purchase of a covered product that day", user_id="9").height == 1


@pytest.mark.parametrize("missing", ["transactions", "products", "demographics", "coupons", "coupon_redemptions"])
def test_a_missing_table_or_column_is_named(tmp_path: Path, missing: str) -> None:
    write(tmp_path, [(0, 0, 1, 0)], [])
    path = tmp_path / f"{missing}.parquet"
    pl.DataFrame({"other": [1]}).write_parquet(path)
    with pytest.raises(SourceError, match=rf"{missing}\.parquet cannot be read \(.*fetch complete-journey. brings it"):
        read(tmp_path)
    path.unlink()
    with pytest.raises(SourceError, match=rf"{missing}\.parquet cannot be read"):
        read(tmp_path)
