"""A release to serve and a server of it, each made once."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.release.manifest import MANIFEST, write_release
from strata.storage import read_json
from tests.services.serving import SERVICE, Server, serving


@pytest.fixture(scope="session", autouse=True)
def _bentoml() -> None:
    """Import BentoML once: it uses what others deprecate, and says so on import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import bentoml.models  # noqa: F401

        import services.recommender  # noqa: F401


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small release that the pipeline made; STRATA_TEST_RELEASE names another, for a quick run of these tests."""
    given = os.environ.get("STRATA_TEST_RELEASE")
    source = Path(given) if given else request.getfixturevalue("release_folder")
    made = tmp_path_factory.mktemp("served") / "release"
    files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    former = read_json(files.pop(MANIFEST))  # a given one may be of the format before
    write_release(made, files, versions=former["versions"], metrics=former["metrics"])
    return made


@pytest.fixture(scope="session")
def library(release: Path) -> Recommender:
    """The same release, asked directly."""
    return load_recommender(release)


@pytest.fixture(scope="session")
def server(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The services as a developer serves them: from the working tree, with a release folder."""
    home = tmp_path_factory.mktemp("home")
    environment = {
        "STRATA_RELEASE": release, "STRATA_SESSIONS": home / "sessions.sqlite", "STRATA_HEADER_TIME_OUT": "2",
    }  # fmt: skip
    with serving(home, *SERVICE, environment=environment) as started:
        yield started
