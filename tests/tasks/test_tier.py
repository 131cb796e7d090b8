"""The stage `tier` as a program: killed half-way and run again, it goes on from its shards unless the code changed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from strata.storage import read_json, write_array, write_json
from tests.benchmarks.test_evidence_context import small_context, write_workspace
from tests.places import ROOT

USERS = 60
MARK = 1_000_000
"""More faded points than there are events: only a run that takes the marked shard as it is can count them."""
Edit = tuple[str, str, str]
ONE_USER_A_SHARD: Edit = ("strata/interests/shards.py", "EVENTS_AT_ONCE = 200_000", "EVENTS_AT_ONCE = 1")
EDITS: tuple[Edit, ...] = (
    ("strata/interests/profiling.py", '"strength": strength.round(6)', '"strength": strength.round(3)'),
    ("tasks/tier.py", '"""Stage tier@', '"""The stage tier@'),
)


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stages before left of a small shop, and a copy of the code in which each user is a shard."""
    folder = write_workspace(tmp_path_factory.mktemp("inputs"), small_context(users=USERS))
    (folder / "artifacts" / "models" / "backtest").rename(folder / "artifacts" / "models" / "live")
    write_array(np.zeros(0, np.int32), folder / "artifacts" / "vectors" / "profile_text_users.npy")
    write_array(np.zeros((0, 48), np.float32), folder / "artifacts" / "vectors" / "profile_texts.npy")
    for package in ("strata", "tasks"):
        shutil.copytree(ROOT / package, folder / package)
    edit(folder, *ONE_USER_A_SHARD)
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-m", "tasks.tier", "live"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(folder: Path) -> dict[str, bytes]:
    """Run the stage to its end; what it wrote."""
    process = start(folder)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output.decode()
    made = folder / "artifacts" / "models" / "live"
    return {path.name: path.read_bytes() for path in (made / "tiers.json", *(made / "profiles").iterdir())}


def shards_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoints/tier/live/*/users-*"))


@pytest.fixture(scope="module")
def killed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose run was killed with SIGKILL as soon as its first shard was there, which then was marked."""
    folder = shutil.copytree(inputs, tmp_path_factory.mktemp("killed") / "work")
    process = start(folder)
    deadline = time.monotonic() + 240
    while not shards_of(folder):
        assert process.poll() is None, "the stage ended before it could be killed"
        assert time.monotonic() < deadline, "no shard appeared"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 1 <= len(shards_of(folder)) < USERS
    assert not (folder / "artifacts" / "models" / "live" / "profiles").exists()
    faded = shards_of(folder)[0] / "faded.json"
    write_json({"faded": read_json(faded)["faded"] + MARK}, faded)
    return folder


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_shards(inputs: Path, killed: Path, tmp_path: Path) -> None:
    whole, resumed = (shutil.copytree(one, tmp_path / one.parent.name) for one in (inputs, killed))
    expected, found = finish(whole), finish(resumed)
    tiers, tiers_found = (read_json(one / "artifacts" / "models" / "live" / "tiers.json") for one in (whole, resumed))
    assert tiers_found == tiers | {"faded": tiers["faded"] + MARK}
    assert found | {"tiers.json": b""} == expected | {"tiers.json": b""}
    assert not shards_of(resumed)


@pytest.mark.slow
@pytest.mark.parametrize("change", EDITS, ids=lambda change: change[0])
def test_shards_of_other_code_are_made_anew(inputs: Path, killed: Path, tmp_path: Path, change: Edit) -> None:
    whole, resumed = (shutil.copytree(one, tmp_path / one.parent.name) for one in (inputs, killed))
    for folder in (whole, resumed):
        edit(folder, *change)
    assert finish(resumed) == finish(whole)
    assert not shards_of(resumed)
