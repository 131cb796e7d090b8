"""The flows release and rollback: whole and no worse serves, anything else is refused and changes nothing."""

import json
from pathlib import Path

import polars as pl
import pytest
from prefect.artifacts import Artifact
from typer.testing import CliRunner

from flows.leash import CommandFailed
from flows.release import release, rollback
from strata.cli.release import app
from strata.errors import ReleaseError
from strata.release.registry import Registry
from tests.tiny_release import flip_a_byte, tiny_release

pytestmark = pytest.mark.usefixtures("server")
BUILD = """\
import sys
from pathlib import Path
from strata.release.manifest import verify
assert sys.argv[1] == "--release"
Path("built.txt").write_text(verify(Path(sys.argv[2])).id)
"""


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("gate: {may_fall: {strata.ndcg@10: 0.02, users_with_points: 0.05}}\n")
    return tmp_path


def current() -> str | None:
    folder = Registry(Path("releases")).current()
    return folder.name if folder else None


def test_a_worse_release_is_refused_with_the_table() -> None:
    good = tiny_release(Path("good"), ndcg=0.30)
    tiny_release(Path("worse"), ndcg=0.20, with_points=9)
    nearly = tiny_release(Path("nearly"), ndcg=0.298)
    release(Path("good"), build=False)
    with pytest.raises(ReleaseError) as refused:
        release(Path("worse"), build=False)
    for row in ("| strata.ndcg@10 | 0.3000 | 0.2000 | 0.2940 | **refused**", "| users_with_points | 1.0000 | 0.9000 |"):
        assert row in str(refused.value)
        assert row in Artifact.get("gate").data
    assert current() == good
    assert [entry.id for entry in Registry(Path("releases")).list()] == [good]
    release(Path("nearly"), build=False)
    assert current() == nearly


def test_a_release_is_remembered_by_its_themes_once_it_serves() -> None:
    tiny_release(Path("good"), ndcg=0.30)
    tiny_release(Path("worse"), ndcg=0.10)
    release(Path("good"), build=False)
    remembered = pl.read_parquet("anchors/themes.parquet")
    assert remembered["id"].to_list() == pl.read_parquet("good/themes/themes.parquet")["id"].to_list()
    written = Path("anchors/themes.parquet").stat().st_mtime_ns
    with pytest.raises(ReleaseError):
        release(Path("worse"), build=False)
    assert Path("anchors/themes.parquet").stat().st_mtime_ns == written


def test_a_flipped_byte_is_refused_by_name() -> None:
    good = tiny_release(Path("good"))
    tiny_release(Path("bad"), content="bad")
    release(Path("good"), build=False)
    flip_a_byte(Path("bad/tables/users.parquet"))
    with pytest.raises(ReleaseError, match=r"tables/users\.parquet is not the file that was released"):
        release(Path("bad"), build=False)
    assert current() == good


def test_promote_roll_back_and_prune_by_flow_and_by_command() -> None:
    ids = [tiny_release(Path(f"r{n}"), content=str(n)) for n in range(4)]
    store = Registry(Path("releases"))
    for n in range(3):
        store.promote(store.add(Path(f"r{n}")))
    rollback()
    assert current() == ids[1]
    assert CliRunner().invoke(app, ["promote", ids[2]]).exit_code == 0
    assert current() == ids[2]
    assert CliRunner().invoke(app, ["rollback"]).exit_code == 0
    assert current() == ids[1]
    release(Path("r3"), keep=1, build=False)
    assert {entry.id for entry in store.list()} == {ids[1], ids[3]}
    release(Path("r3"), build=False)  # serves already
    assert json.loads(Path("releases/current.json").read_text()) == {"current": ids[3], "former": [ids[1]]}


def test_the_bento_is_built_from_the_stored_release_before_it_serves(workspace: Path) -> None:
    (workspace / "services").mkdir()
    (workspace / "services" / "__init__.py").touch()
    (workspace / "services" / "build.py").write_text(BUILD)
    first = tiny_release(Path("first"))
    release(Path("first"))
    assert Path("built.txt").read_text() == first == current()
    (workspace / "services" / "build.py").write_text("import sys; sys.exit('no room left')")
    tiny_release(Path("second"), content="second")
    with pytest.raises(CommandFailed, match="no room left"):
        release(Path("second"))
    assert current() == first
