"""A release serves only after it has answered: one that is whole but cannot answer is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from services.releases import Releases, rehearsed
from services.settings import ServiceSettings
from strata.data.history import DAY, History
from strata.release.manifest import read_manifest, verify, write_release
from strata.release.registry import Registry
from strata.storage import read_array, write_array
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import write_tiny_release


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    users, items = np.nonzero(np.random.default_rng(1).random((N_USERS, N_ITEMS)) < 0.7)
    times = TIME - DAY * (1 + np.arange(len(users)))
    history = History.from_columns(users, items, times, np.ones(len(users)), n_users=N_USERS, n_items=N_ITEMS)
    return write_tiny_release(tmp_path_factory.mktemp("tiny"), history)


def without_a_dimension(release: Path, folder: Path) -> Path:
    """The same release, its hashes right, but with vectors that its index and profiles do not fit."""
    parts = shutil.copytree(release, folder / "parts")
    (parts / "manifest.json").unlink()
    vectors = parts / "space" / "items.npy"
    write_array(np.asarray(read_array(vectors))[:, :-1].copy(), vectors)
    files = {path.relative_to(parts).as_posix(): path for path in parts.rglob("*") if path.is_file()}
    write_release(folder / "broken", files, versions={}, metrics={})
    return folder / "broken"


def test_one_that_cannot_answer_is_refused_and_the_one_before_it_stays(good: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "store")
    registry.promote(registry.add(good))
    releases = Releases(ServiceSettings(releases=registry.folder))
    releases.start()
    assert releases.live is not None
    assert releases.refused is None
    damaged = without_a_dimension(good, tmp_path)
    verify(damaged)  # all its files are as the manifest says
    broken = registry.add(damaged)
    registry.promote(broken)
    assert releases.next() is None
    assert releases.live.manifest.id == read_manifest(good).id
    assert releases.refused is not None
    assert releases.refused.release == broken
    with pytest.raises(ValueError, match="mismatch|shape"):
        rehearsed(damaged)


def test_where_nothing_served_before_the_built_in_release_does(good: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "store")
    registry.promote(registry.add(without_a_dimension(good, tmp_path)))
    releases = Releases(ServiceSettings(releases=registry.folder, release=good))
    releases.start()
    assert releases.live is not None
    assert releases.live.manifest.id == read_manifest(good).id
