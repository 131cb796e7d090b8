"""The Bento: built, then served from an empty folder by an environment that holds the Bento's lock and nothing else."""

import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.services.serving import ROOT, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bentoml")


@pytest.fixture(scope="module")
def bento(home: Path, release: Path) -> Path:
    """Folder of a Bento that the command line built."""
    done = subprocess.run(
        [sys.executable, "-m", "services.build", "--release", str(release), "--name", "small", "--torch", "cpu"],
        cwd=ROOT,
        env={**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return home / "bentos" / done.stdout.split()[-1].replace(":", "/")


@pytest.fixture(scope="module")
def locked_python(bento: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that sees the packages of the Bento's lock, by links: neither the others nor this project."""
    folder = tmp_path_factory.mktemp("locked")
    venv.create(folder, symlinks=True)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    lines = (bento / "env" / "python" / "requirements.txt").read_text().split()
    names = {canonicalize_name(Requirement(line).name) for line in lines}
    for package in metadata.distributions():
        name = canonicalize_name(package.name)
        if name in names or name.startswith(("nvidia-", "triton")):  # what torch brings along where there is a GPU
            for top in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
                source = Path(str(package.locate_file(top)))
                if source.exists() and not (site / top).exists():
                    (site / top).symlink_to(source)
    return folder / "bin" / "python"


def test_it_holds_code_lock_and_release_and_nothing_else(bento: Path, home: Path, library: Recommender) -> None:
    files = {path.relative_to(bento).as_posix() for path in bento.rglob("*") if path.is_file()}
    code = {file for file in files if file.startswith("src/")}
    assert all(file.endswith((".py", ".yaml")) for file in code)
    assert {Path(file).parts[1] for file in code} == {"strata", "services", "bentofile.yaml"}
    lock = (bento / "env" / "python" / "requirements.txt").read_text().split()
    assert "torch==2.13.0" in lock
    assert not {"pytest", "dvc", "prefect", "great-expectations"} & {line.partition("==")[0] for line in lock}
    described = yaml.safe_load((bento / "bento.yaml").read_text())
    assert [model["tag"] for model in described["models"]] == [f"small:{library.manifest.id}"]
    encoder = next(service for service in described["services"] if service["name"] == "encoder")
    assert encoder["config"]["resources"] == {"gpu": 1}
    set_to = {each["name"]: each["value"] for each in described["envs"]}
    assert set_to == {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "UV_TORCH_BACKEND": "cpu"}
    assert "/recommend" in yaml.safe_load((bento / "apis" / "openapi.yaml").read_text())["paths"]
    assert str(ROOT) not in "".join((bento / file).read_text(errors="replace") for file in files)


def test_it_serves_from_an_empty_folder_without_the_repository(
    bento: Path, home: Path, locked_python: Path, library: Recommender, tmp_path: Path
) -> None:
    missing = subprocess.run([locked_python, "-c", "import strata"], cwd=tmp_path, capture_output=True, check=False)
    assert missing.returncode != 0
    with serving(home, "small:latest", python=locked_python, folder=tmp_path) as server:
        user = library.richest_user()
        answer = server.post("/recommend", json={"user_id": user, "k": 5}).json()
        expected = library.recommend(user, ListRequest(k=5))
        assert [item["reason"]["text"] for item in answer["items"]] == [item.reason.text for item in expected]
        text = server.post("/search", json={"text": "space opera", "k": 2}).json()
        assert text["fallback"] is False
        assert len(text["items"]) == 2
        assert server.get("/release").json()["release"] == library.manifest.id
        worker = server.worker("encoder")
        assert Path(worker.cwd()) == bento / "src"
        assert not list(tmp_path.iterdir())


def test_a_damaged_release_is_not_built(release: Path, tmp_path: Path) -> None:
    (tmp_path / "release").symlink_to(release)
    done = subprocess.run(
        [sys.executable, "-m", "services.build", "--release", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "BENTOML_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no release here" in done.stderr
