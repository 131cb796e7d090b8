"""Small data sets: a made-up shop in Chinese, and every fifth user of MovieLens-100K."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from benchmarks import workspaces
from strata.cli.terminal import console
from strata.data.sources import presets
from strata.data.sources.packages import fetch_data

EVERY_NTH_USER = 5
PRODUCTS = {
    "茶叶": ["龙井绿茶", "正山小种红茶", "安溪铁观音", "云南普洱茶", "茉莉花茶", "白毫银针"],
    "厨具": ["不锈钢炒锅", "陶瓷汤锅", "竹制砧板", "电热水壶", "铸铁煎锅", "硅胶锅铲"],
    "登山": ["轻便登山包", "防水徒步鞋", "碳纤维登山杖", "速干冲锋衣", "保温水壶", "头灯"],
}
SHOP: Final[dict[str, Any]] = {
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


def slice_movielens(source: Path, target: Path) -> None:
    """Every fifth user of MovieLens-100K, with all items: small, and still real."""
    shutil.copytree(source, target)
    for file in ("ml-100k.inter", "ml-100k.user"):
        table = pl.read_csv(source / file, separator="\t", infer_schema=False)
        kept = table.filter(pl.col("user_id:token").cast(pl.Int64) % EVERY_NTH_USER == 0)
        kept.write_csv(target / file, separator="\t")


def shop(root: Path) -> Path:
    """The pipeline up to its evaluation on the shop, in a workspace of its own below `root`."""
    params = yaml.safe_load((workspaces.ROOT / "params.yaml").read_text(encoding="utf-8"))
    return _evaluated(root.absolute() / "shop", {**params, "source": SHOP}, lambda data: write_shop(data / "shop"))


def slice_of_films(root: Path) -> Path:
    """The same on every fifth user of MovieLens-100K."""
    settings = yaml.safe_load(presets.use("movielens-100k", (workspaces.ROOT / "params.yaml").read_text("utf-8")))
    whole = fetch_data("movielens-100k", root.absolute() / "movielens-whole", console.print)
    folder = root.absolute() / "movielens-slice"
    return _evaluated(folder, settings, lambda data: slice_movielens(whole, data / "movielens-100k"))


def _evaluated(folder: Path, settings: Mapping[str, Any], write: Callable[[Path], None]) -> Path:
    """A workspace whose folder of data `write` fills."""
    workspaces.prepare(folder, yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))
    shutil.rmtree(folder / "data", ignore_errors=True)
    write(folder / "data")
    workspaces.dvc(folder, "add", "-q", "data")
    workspaces.dvc(folder, "repro", "evaluate")
    return folder
