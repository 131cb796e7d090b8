"""The main job as users run it: real data, DVC, real weights, the command line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks.quality import seeds
from benchmarks.quality.time_split import Judged
from strata.evaluation.report import OURS
from strata.recommendation.loading import load_recommender
from strata.recommendation.request import ListRequest
from strata.release.manifest import verify
from tests.conftest import Workspace

pytestmark = pytest.mark.slow


def lock(workspace: Workspace) -> dict:
    return yaml.safe_load((workspace.folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]


def test_the_release_answers_for_every_user_with_reasons(release_folder: Path) -> None:
    recommender = load_recommender(release_folder)
    assert recommender.interests("5").height > 0
    for user in ("5", "100", "940"):
        found = recommender.recommend(user, ListRequest(k=10))
        assert len(found) == 10
        assert all(item.reason.text and item.reason.generator for item in found)
        assert any(item.reason.tier for item in found)


def test_the_release_says_how_far_it_has_a_journal(release_folder: Path) -> None:
    assert load_recommender(release_folder).drained == {"of these tests": 0}


def test_the_command_line_shows_tiers_and_recommendations(workspace: Workspace) -> None:
    shown = workspace.run("strata", "user").stdout
    recommender = load_recommender(workspace.folder / "artifacts" / "release")
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
    clone.run("dvc", "exp", "run", "-S", "tier.core_persistence=0.4", "tier@live", "index")
    before, after = lock(workspace), lock(clone)
    assert {name for name in after if after[name] != before[name]} == {"tier@live"}
