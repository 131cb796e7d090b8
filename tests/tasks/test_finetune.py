"""The stages `finetune` and `embed` as programs: killed half-way and run again, they end with the same artefacts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from strata.data.history import order_interactions
from strata.data.schema import INTERACTIONS, ITEMS, USERS
from strata.evaluation.split import CutOffs
from strata.storage import read_json, write_table
from tests.places import ROOT

STEPS = 16
PARAMS = {
    "encoder": {"base": "all-minilm-l6-v2"},
    "finetune": {
        "steps": STEPS,
        "users_per_step": 10,
        "evaluate_every": 4,
        "checkpoint_every": 4,
        "patience": 9,
        "learning_rate": 1e-4,
    },
}


def table(rows: list[dict], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small tables: 40 users who keep to even or odd items, some with words of their own."""
    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    names = ["night", "river", "stone", "garden", "winter", "engine", "mirror", "harbour", "letter", "crown"]
    genres = ["horror", "romance", "western", "musical"]
    items = [{"item_id": f"{n:02}", "title": f"The {names[n % 10]}", "tags": [genres[n // 10]]} for n in range(40)]
    users = [{"user_id": f"u{n:02}", "profile_text": "I like trains" if n < 2 else ""} for n in range(40)]
    events = [
        {
            "user_id": f"u{user:02}",
            "item_id": f"{item:02}",
            "behaviour": "view",
            "timestamp": np.datetime64(day, "D").astype("datetime64[us]").item(),
            "text": "for a quiet evening" if item == user else None,
            "weight": 1.0,
            "chosen": True,
            "event_id": f"{user}-{day}",
        }
        for user in range(40)
        for day, item in enumerate(rng.choice(np.arange(user % 2, 40, 2), 12, replace=False))
    ]
    interactions = table(events, INTERACTIONS)
    tables = {"items": table(items, ITEMS), "users": table(users, USERS), "interactions": interactions}
    for name, content in tables.items():
        write_table(content, folder / "artifacts" / "tables" / f"{name}.parquet")
    ordered = order_interactions(interactions, tables["users"], tables["items"])
    write_table(ordered, folder / "artifacts" / "history" / "interactions.parquet")
    day = 86_400.0
    CutOffs(8 * day, 10 * day, 11 * day, 12 * day).write(folder / "artifacts" / "history" / "cut_offs.json")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    return folder


def start(stage: str, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", f"tasks.{stage}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(stage: str, folder: Path) -> None:
    process = start(stage, folder)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output.decode()


def artefacts(folder: Path) -> dict[str, bytes]:
    kept = [folder / "artifacts" / "encoder", folder / "artifacts" / "finetune"]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for room in kept
        for path in sorted(room.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the stage ran without interruption."""
    folder = tmp_path_factory.mktemp("finished") / "work"
    shutil.copytree(inputs, folder)
    finish("finetune", folder)
    return folder


@pytest.fixture(scope="module")
def killed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose run was killed with SIGKILL as soon as its first checkpoint was there."""
    folder = tmp_path_factory.mktemp("killed") / "work"
    shutil.copytree(inputs, folder)
    process = start("finetune", folder)
    deadline = time.monotonic() + 240
    while not list(folder.glob("checkpoints/finetune/step-*")):
        assert process.poll() is None, "the stage ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "artifacts" / "encoder").exists()
    (state,) = folder.glob("checkpoints/finetune/step-*/state.json")
    assert 0 < read_json(state)["step"] < STEPS
    return folder


@pytest.mark.slow
def test_killed_run_goes_on_and_ends_with_the_same_bytes(killed: Path, finished: Path, tmp_path: Path) -> None:
    resumed = shutil.copytree(killed, tmp_path / "work")
    finish("finetune", resumed)
    expected, found = artefacts(finished), artefacts(resumed)
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name] == expected[name], name
    assert not (resumed / "checkpoints" / "finetune").exists()


@pytest.mark.slow
@pytest.mark.parametrize("edited", [False, True])
def test_resumed_run_starts_from_the_checkpoint_of_its_own_code(killed: Path, tmp_path: Path, edited: bool) -> None:
    marked = shutil.copytree(killed, tmp_path / "work")
    (path,) = marked.glob("checkpoints/finetune/step-*/state.json")
    state = read_json(path)
    state["curve"][0]["loss"] = 99.0  # only a run that reads the checkpoint can show it
    path.write_text(json.dumps(state))
    for package in ("strata", "tasks"):  # a program loads what lies in its folder first
        shutil.copytree(ROOT / package, marked / package)
    if edited:
        with (marked / "strata" / "embeddings" / "sampling.py").open("a", encoding="utf-8") as file:
            file.write("EDITED = True\n")
    finish("finetune", marked)
    shown = (marked / "artifacts/finetune/curves/plots/metrics/loss.tsv").read_text()
    assert ("1\t99.0" in shown) == (not edited)


@pytest.mark.slow
def test_checkpoint_of_other_settings_is_ignored(killed: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(killed, tmp_path / "work")
    finetune = {**PARAMS["finetune"], "steps": 4, "learning_rate": 2e-4}
    (changed / "params.yaml").write_text(yaml.safe_dump({**PARAMS, "finetune": finetune}))
    (path,) = changed.glob("checkpoints/finetune/step-*/state.json")
    path.write_text(json.dumps({**read_json(path), "curve": [{"step": 1, "loss": 99.0}]}))
    finish("finetune", changed)
    assert "99.0" not in (changed / "artifacts/finetune/curves/plots/metrics/loss.tsv").read_text()
    assert not (changed / "checkpoints" / "finetune").exists()


@pytest.mark.slow
def test_metrics_curves_and_vectors_of_a_finished_run(finished: Path) -> None:
    metrics = read_json(finished / "artifacts/finetune/metrics.json")
    assert metrics["steps"] == STEPS
    better = metrics["tuned"]["ndcg@10"] > metrics["zero_shot"]["ndcg@10"]
    assert metrics["kept"] == ("tuned" if metrics["best_step"] and better else "zero-shot")
    loss = pl.read_csv(finished / "artifacts/finetune/curves/plots/metrics/loss.tsv", separator="\t")
    assert loss["step"].to_list() == list(range(1, STEPS + 1))
    ndcg = pl.read_csv(finished / "artifacts/finetune/curves/plots/metrics/ndcg_at_10.tsv", separator="\t")
    assert ndcg["step"].to_list() == [4, 8, 12, 16]
    assert {path.name for path in finished.iterdir()} <= {"artifacts", "params.yaml", "checkpoints"}

    finish("embed", finished)
    vectors = {path.stem: np.load(path) for path in (finished / "artifacts/vectors").iterdir()}
    assert vectors.keys() == {"items", "zero_shot", "profile_texts", "profile_text_users"}
    assert vectors["items"].shape == vectors["zero_shot"].shape == (40, 384)
    assert vectors["profile_texts"].shape == (2, 384)
    assert vectors["profile_text_users"].tolist() == [0, 1]
    for name in ("items", "zero_shot", "profile_texts"):
        assert vectors[name].dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors[name], axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_model_adapted_to_the_texts_is_what_behaviour_tunes(inputs: Path, tmp_path: Path) -> None:
    work = shutil.copytree(inputs, tmp_path / "work")
    adapt = {"enabled": True, "steps": 8, "texts_per_step": 16, "evaluate_every": 4, "held_share": 0.4}
    params = {**PARAMS, "adapt": adapt, "finetune": {**PARAMS["finetune"], "tune": "none"}}
    (work / "params.yaml").write_text(yaml.safe_dump(params))
    finish("adapt", work)
    metrics = read_json(work / "artifacts/adapted/metrics.json")
    assert metrics["adapted"], metrics
    assert metrics["after"]["perplexity"] < metrics["before"]["perplexity"]
    finish("finetune", work)
    weights = [work / "artifacts" / folder / "model.safetensors" for folder in ("adapted/encoder", "encoder")]
    assert weights[0].read_bytes() == weights[1].read_bytes()

    (work / "params.yaml").write_text(yaml.safe_dump({**PARAMS, "adapt": {}}))
    shutil.rmtree(work / "artifacts" / "adapted")  # as DVC does before it runs a stage
    finish("adapt", work)
    assert [path.name for path in (work / "artifacts" / "adapted").iterdir()] == ["metrics.json"]
