"""The main job as users run it: real data, DVC, real weights, the command line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from benchmarks.quality import seeds
from benchmarks.quality.time_split import Judged
from strata.data.schema import QUARANTINE
from strata.evaluation.report import OURS
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from strata.release.manifest import verify
from tests.conftest import SMALL, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def lock(workspace: Workspace) -> dict:
    return yaml.safe_load((workspace.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]


def test_the_release_answers_for_every_user_with_reasons(release_folder: Path) -> None:
    recommender = Recommender.load(release_folder)
    assert recommender.interests("5").height > 0
    for user in ("5", "100", "940"):
        found = recommender.recommend(user, ListRequest(k=10))
        assert len(found) == 10
        assert all(item.reason.text and item.reason.generator for item in found)
        assert any(item.reason.tier for item in found)


def test_the_command_line_shows_tiers_and_recommendations(workspace: Workspace) -> None:
    shown = workspace.run("strata", "user").stdout
    recommender = Recommender.load(workspace.folder / "artifacts" / "release")
    tiers = recommender.interests(recommender.richest_user())["tier"].unique().to_list()
    assert len(tiers) > 1
    for word in (*tiers, "read from", "active weeks"):
        assert word in shown
    listed = workspace.run(
        "strata", "recommend", "5", "-k", "3", "--category", "Horror", "--more", "momentary=3"
    ).stdout
    assert "your momentary interest" in listed
    refused = workspace.run("strata", "user", "nobody", check=False)
    assert refused.returncode == 1
    assert "user 'nobody' is not among the 188 users" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_manifest_names_the_versions_of_what_the_release_was_made_from(workspace: Workspace) -> None:
    """Only of what packages it anew when it changes: the manifest is never out of date."""
    stages, folder = lock(workspace), yaml.safe_load((workspace.folder / "params.yaml").read_text())["source"]["folder"]
    versions = verify(workspace.folder / "artifacts" / "release").versions
    assert versions.items() <= {entry["path"]: entry["md5"] for entry in stages["package"]["deps"]}.items()
    assert {folder, "artifacts/encoder", "artifacts/tables", "artifacts/ranker"} <= set(versions)
    assert not [path for path in versions if path.endswith(".py")]


def test_nothing_changes_when_nothing_changed(workspace: Workspace) -> None:
    before = (workspace.folder / "dvc.lock").read_bytes()
    said = workspace.run("dvc", "repro").stdout
    assert "Running stage" not in said
    assert (workspace.folder / "dvc.lock").read_bytes() == before


def test_the_first_of_the_seeds_of_quality_is_the_pipelines_own(workspace: Workspace) -> None:
    (row,) = seeds.rows(workspace.folder, [("films", "Films", False)])
    judged = Judged.read(workspace.folder)
    assert row.per_user is not None
    np.testing.assert_allclose(row.per_user[f"seed {seeds.SEEDS[0]}"], judged.values[OURS], atol=1e-6)
    others = row.per_user.drop("user_id", row.reference_name)
    assert row.value == pytest.approx(others.to_numpy().mean())


def test_metrics_plots_and_experiments_work(workspace: Workspace) -> None:
    assert "artifacts/evaluation/metrics.json" in workspace.run("dvc", "metrics", "show").stdout
    workspace.run("dvc", "plots", "show", "--out", "plots")
    page = (workspace.folder / "plots" / "index.html").read_text(encoding="utf-8")
    assert "popularity in a window" in page, "the methods of the test window are not drawn"
    assert "ndcg_at_10" in page, "the curve of fine-tuning is not drawn"
    shutil.rmtree(workspace.folder / "plots")


def test_a_second_clone_restores_every_stage_and_a_tier_parameter_spares_finetuning(
    workspace: Workspace, new_workspace: Callable[[str], Workspace]
) -> None:
    clone = new_workspace("second")
    shutil.copytree(workspace.folder / "data", clone.folder / "data")
    for file in ("params.yaml", "data.dvc"):
        shutil.copyfile(workspace.folder / file, clone.folder / file)
    clone.run("dvc", "cache", "dir", "--local", str(workspace.folder / ".dvc" / "cache"))
    clone.commit()
    restored = clone.run("dvc", "repro")
    assert "is cached - skipping run" in restored.stdout
    assert "\n> " not in restored.stdout, "a stage ran that the run cache holds"
    assert (clone.folder / "dvc.lock").read_bytes() == (workspace.folder / "dvc.lock").read_bytes()
    assert verify(clone.folder / "artifacts" / "release").id == verify(workspace.folder / "artifacts" / "release").id

    clone.run("git", "add", "-A")
    clone.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "restored")
    clone.run("dvc", "exp", "run", "-S", "tier.core_persistence=0.4")
    before, after = lock(workspace), lock(clone)
    changed = {name for name in after if after[name] != before[name]}
    assert "tier@live" in changed
    assert "evaluate" in changed
    assert not changed & {"validate", "split", "finetune", "embed", "themes@live", "collaborate@live", "index"}


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
