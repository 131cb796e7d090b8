"""A dvc.lock that differs: by rounding alone, which is expected, or because something else went in."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from strata.cli.app import app
from strata.cli.lock import lock_finding

LOCK = """\
schema: '2.0'
stages:
  embed:
    cmd: exec python -m tasks.embed
    deps:
    - {path: data/films, hash: md5, md5: d1, size: 1}
    - {path: strata/embeddings/encoder.py, hash: md5, md5: c1, size: 2}
    params: {params.yaml: {encoder: {batch: 8}}}
    outs:
    - {path: artifacts/vectors, hash: md5, md5: v1, size: 3}
  index:
    cmd: exec python -m tasks.index
    deps:
    - {path: artifacts/vectors/items.npy, hash: md5, md5: i1, size: 4}
    outs:
    - {path: artifacts/index, hash: md5, md5: x1, size: 5}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the lock committed."""
    (tmp_path / "dvc.lock").write_text(LOCK)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "lock"]):
        subprocess.run([*git, *command], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "state", "said"),
    [
        ("", "", "ok", "dvc.lock as committed"),
        ("v1", "v2", "note", "in results alone. That is expected: processors round differently"),
        ("i1", "i2", "note", "in results alone"),
        ("d1", "d2", "note", "other code, data or settings"),
        ("c1", "c2", "note", "other code, data or settings"),
        ("batch: 8", "batch: 9", "note", "other code, data or settings"),
        ("tasks.index", "tasks.search", "note", "other code, data or settings"),
        ("schema", "<<<<<<< HEAD: [", "bad", "cannot be read"),
        ("stages", "stage", "bad", "cannot be read"),
    ],
)
def test_a_lock_is_compared_with_the_committed_one(project: Path, old: str, new: str, state: str, said: str) -> None:
    (project / "dvc.lock").write_text(LOCK.replace(old, new) if old else LOCK)
    found = lock_finding(project)
    assert found is not None
    assert found.state == state
    assert said in found.what
    assert ("git checkout dvc.lock" in found.remedy) == (state != "ok")


def test_without_a_lock_or_a_commit_there_is_nothing_to_say(project: Path, tmp_path_factory) -> None:
    (project / "dvc.lock").unlink()
    assert lock_finding(project) is None
    alone = tmp_path_factory.mktemp("alone")
    (alone / "dvc.lock").write_text(LOCK)
    assert lock_finding(alone) is None


def test_what_to_do_next_says_how_to_discard_what_was_rounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert "dvc.lock" not in CliRunner().invoke(app, ["next"]).stdout
    (project / "dvc.lock").write_text(LOCK.replace("v1", "v2"))
    said = " ".join(CliRunner().invoke(app, ["next"], env={"COLUMNS": "80"}).stdout.split())
    assert "Look at another user: .venv/bin/strata user ID" in said
    assert "`git checkout dvc.lock` discards the difference" in said
    assert "dvc.lock differs" in CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"}).stdout
