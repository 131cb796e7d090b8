"""The main job on another domain, in another language: a shop in Chinese, by settings alone."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from strata.data.schema import QUARANTINE
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.conftest import SMALL, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PRODUCTS = {
    "茶叶": ["龙井绿茶", "正山小种红茶", "安溪铁观音", "云南普洱茶", "茉莉花茶", "白毫银针"],
    "厨具": ["不锈钢炒锅", "陶瓷汤锅", "竹制砧板", "电热水壶", "铸铁煎锅", "硅胶锅铲"],
    "登山": ["轻便登山包", "防水徒步鞋", "碳纤维登山杖", "速干冲锋衣", "保温水壶", "头灯"],
}
SHOP = {
    "folder": "data/shop",
    "interactions": {
        "file": "orders.csv",
        "columns": {"user_id": "客户", "item_id": "货号", "timestamp": "时间", "behaviour": "行为"},
        "time_unit": "iso",
    },
    "items": {
        "file": "goods.csv",
        "columns": {"item_id": "货号", "title": "名称", "categories": "类别", "price": "价格"},
        "separator": "/",
    },
    "users": {"file": "people.csv", "columns": {"user_id": "客户", "profile_text": "简介"}},
}


def write_shop(folder: Path) -> None:
    """A made-up shop in Chinese, small enough to write here: 18 products, 40 customers, ten weeks."""
    folder.mkdir(parents=True)
    goods = [
        {"货号": f"g{n}", "名称": title, "类别": f"商店/{kind}", "价格": str(10 + n)}
        for n, (kind, title) in enumerate((kind, title) for kind, titles in PRODUCTS.items() for title in titles)
    ]
    orders = [
        {
            "客户": f"c{customer}",
            "货号": f"g{(customer % 3) * 6 + (customer + week) % 6 if week % 3 else (customer * 7 + week) % 18}",
            "时间": f"2024-{1 + (week * 7 + customer % 5) // 28:02d}-{1 + (week * 7 + customer % 5) % 28:02d}T10:00:00",
            "行为": "purchase" if week % 2 else "view",
        }
        for customer in range(40)
        for week in range(10)
    ]
    orders.append({"客户": "c1", "货号": "没有", "时间": "2024-01-05T10:00:00", "行为": "view"})
    pl.DataFrame(goods).write_csv(folder / "goods.csv")
    pl.DataFrame(orders).write_csv(folder / "orders.csv")
    people = [{"客户": f"c{n}", "简介": "喜欢喝茶和爬山" if n % 4 == 0 else None} for n in range(40)]
    pl.DataFrame(people).write_csv(folder / "people.csv")


def test_the_same_commands_run_on_another_domain_in_another_language(
    new_workspace: Callable[[str], Workspace],
) -> None:
    shop = new_workspace("shop")
    write_shop(shop.folder / "data" / "shop")
    shop.set_params({**SMALL, "source": SHOP})
    shop.commit()
    shop.run("dvc", "repro")
    refused = pl.read_parquet(shop.folder / "artifacts" / "tables" / "quarantine.parquet")
    assert refused.schema == QUARANTINE
    assert refused.height == 1
    assert "item" in refused["reason"][0]
    recommender = Recommender.load(shop.folder / "artifacts" / "release")
    names = " ".join(recommender.profiles.table["name"])
    assert any(kind in names for kind in PRODUCTS)
    assert recommender.recommend("c3", ListRequest(k=5))
    assert "c3" in shop.run("strata", "user", "c3").stdout
