"""The main job on another domain, in another language: a shop in Chinese, by settings alone."""

from collections.abc import Callable

import polars as pl
import pytest

from benchmarks.quality.small_sets import PRODUCTS, SHOP, write_shop
from strata.data.schema import QUARANTINE
from strata.recommendation.loading import load_recommender
from strata.recommendation.request import ListRequest
from tests.conftest import SMALL, Workspace

pytestmark = pytest.mark.slow


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
    recommender = load_recommender(shop.folder / "artifacts" / "release")
    names = " ".join(recommender.profiles.table["name"])
    assert any(kind in names for kind in PRODUCTS)
    assert recommender.recommend("c3", ListRequest(k=5))
    assert "c3" in shop.run("strata", "user", "c3").stdout
