"""Packaged resources: real pip, real hashes, real folders."""

import hashlib
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from strata.data.sources import packages
from strata.data.sources.packages import ALL_MINILM_L6_V2, MOVIELENS_100K, RESOURCES, fetch_data, model_folder
from strata.errors import FetchError


@pytest.fixture(scope="module")
def movielens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fetch_data("movielens-100k", tmp_path_factory.mktemp("data") / "movielens-100k")


def test_a_data_set_is_fetched_whole_and_nothing_beside_it(movielens: Path) -> None:
    assert sorted(path.name for path in movielens.iterdir()) == sorted(MOVIELENS_100K.files)
    assert [path.name for path in movielens.parent.iterdir()] == ["movielens-100k"]


def test_a_complete_folder_is_left_alone(movielens: Path) -> None:
    said: list[str] = []
    before = {path: path.stat().st_mtime_ns for path in movielens.iterdir()}
    fetch_data("movielens-100k", movielens, said.append)
    assert said == [f"{movielens} already holds movielens-100k, nothing to do"]
    assert before == {path: path.stat().st_mtime_ns for path in movielens.iterdir()}


def test_an_altered_folder_is_refused_not_overwritten(movielens: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(movielens, tmp_path / "mine")
    (folder / "ml-100k.user").write_text("mine")
    with pytest.raises(FetchError, match=r"ml-100k\.user is not the file .* move the folder away"):
        fetch_data("movielens-100k", folder)
    assert (folder / "ml-100k.user").read_text() == "mine"


@pytest.mark.parametrize(("name", "function"), [("imagenet", fetch_data), ("all-minilm-l6-v2", fetch_data)])
def test_an_unknown_name_lists_the_known(name: str, function: object, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="there is: movielens-100k"):
        fetch_data(name, tmp_path / "x")


def test_a_wheel_that_is_not_the_pinned_one_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = replace(MOVIELENS_100K, wheel_sha256="0" * 64)
    monkeypatch.setattr(packages, "RESOURCES", {"movielens-100k": altered})
    with pytest.raises(FetchError, match="pinned is 0000"):
        fetch_data("movielens-100k", tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_without_an_index_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(FetchError, match=r"could not download recbole==1\.2\.1 .* reaches a package index"):
        fetch_data("movielens-100k", tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_every_resource_says_where_it_comes_from() -> None:
    for name, resource in RESOURCES.items():
        assert name == resource.name
        assert "==" in resource.requirement
        assert resource.licence
        assert resource.about
        assert not any(".." in file or file.startswith("/") for file in resource.files)


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the test's own, served to pip from a folder."""
    folder = tmp_path_factory.mktemp("wheels")
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/model/config.json", "{}")
        archive.writestr("tiny_model/model/../../../escaped", "no")
        archive.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return wheel


@pytest.fixture
def tiny(small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`tiny` is a known resource, pip finds it, the cache is the test's own; returns the model's folder."""
    resource = replace(
        ALL_MINILM_L6_V2,
        name="tiny",
        requirement="tiny-model==1.0",
        wheel_sha256=packages._sha256(small_model),
        members="tiny_model/model/",
        files={"config.json": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
    )
    monkeypatch.setattr(packages, "RESOURCES", {"tiny": resource})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(small_model.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "strata" / "models" / "tiny"


def test_a_model_is_cached_and_only_listed_members_are_written(tiny: Path, tmp_path: Path) -> None:
    assert model_folder("tiny") == tiny
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["config.json"]


def test_a_spoilt_model_is_noticed_and_fetched_again(tiny: Path) -> None:
    model_folder("tiny")
    (tiny / "config.json").write_text("spoilt")
    said: list[str] = []
    assert (model_folder("tiny", said.append) / "config.json").read_text() == "{}"
    assert "config.json is not the file" in said[0]
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny"]


def test_two_can_fetch_the_same_model_at_once(tiny: Path) -> None:
    found: list[Path] = []
    racers = [threading.Thread(target=lambda: found.append(model_folder("tiny"))) for _ in range(3)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert found == [tiny] * 3
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny"]


def test_a_model_is_made_from_wheels(
    tiny: Path, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(wheels: Sequence[Path], folder: Path) -> None:
        content = "".join(zipfile.ZipFile(wheel).read("tiny_model/model/config.json").decode() for wheel in wheels)
        (folder / "both.json").write_text(content)

    hashes = {"both.json": hashlib.sha256(b"{}{}").hexdigest()}
    further = {"tiny-model===1.0": packages._sha256(small_model)}  # the same wheel again, by another requirement
    resource = replace(packages.RESOURCES["tiny"], files=hashes, further=further, made=made)
    monkeypatch.setattr(packages, "RESOURCES", {"tiny": resource})
    assert (model_folder("tiny") / "both.json").read_text() == "{}{}"
    shutil.rmtree(tiny)
    further["tiny-model===1.0"] = "0" * 64
    with pytest.raises(FetchError, match="pinned is 0000"):
        model_folder("tiny")
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.slow
def test_the_default_encoder_is_the_official_file() -> None:
    code = "from strata.data.sources.packages import model_folder as f; print(f('all-minilm-l6-v2'), end='')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    weights = Path(done.stdout) / "model.safetensors"
    assert packages._sha256(weights) == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
