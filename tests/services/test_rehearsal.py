"""A release serves only after it has answered: one that is whole but cannot answer is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from services.releases import Releases, rehearsed
from services.settings import ServiceSettings
from strata.data.history import DAY, History
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.release.layout import Part
from strata.release.manifest import MANIFEST, read_manifest, verify, write_release
from strata.release.registry import POINTER, REFUSED, Registry
from strata.settings import read_settings
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


def served(good: Path, folder: Path) -> tuple[Registry, Releases]:
    registry = Registry(folder / "store")
    registry.promote(registry.add(good))
    releases = Releases(ServiceSettings(releases=registry.folder))
    releases.start()
    assert releases.live is not None
    return registry, releases


def test_a_roll_back_leads_to_the_release_that_served_last(good: Path, tmp_path: Path) -> None:
    registry, releases = served(good, tmp_path)
    first = registry.add(without_a_dimension(good, tmp_path))
    registry.promote(first)
    assert releases.next() is None
    second = with_other_metrics(good, tmp_path / "second")
    registry.promote(registry.add(tmp_path / "second"))
    releases.refuse(second, "the encoder cannot load its model")
    assert registry.refused().keys() == {first, second}
    assert registry.rollback() == read_manifest(good).id
    registry.promote(second)
    loaded = releases.next()
    assert loaded is not None
    releases.swap(loaded)
    assert registry.refused().keys() == {first}


def with_other_metrics(release: Path, folder: Path) -> str:
    """The same files, another release."""
    names = [name for name in read_manifest(release).files]
    return write_release(folder, {name: release / name for name in names}, versions={}, metrics={"n": 2}).id


def test_every_file_that_is_changed_or_cut_is_refused_by_its_name_before_it_is_read(
    good: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry, releases = served(good, tmp_path)
    other = with_other_metrics(good, tmp_path / "other")
    registry.add(tmp_path / "other")
    live, pointer = releases.live, registry.folder / POINTER
    files = [*read_manifest(good).files, MANIFEST]
    assert len(files) > 20
    for file in files:
        whole = (registry.folder / other / file).read_bytes()
        for change in (flipped, cut, lengthened):
            damaged = change(whole)
            (registry.folder / other / file).write_bytes(damaged)
            pointer.write_text(json.dumps({"current": other, "former": [read_manifest(good).id]}))
            releases._tried = None
            assert releases.next() is None, (file, change.__name__)
            assert releases.live is live
            assert file in releases.refused.reason
            assert "is not the file" in releases.refused.reason or file == MANIFEST
        (registry.folder / other / file).write_bytes(whole)
    pointer.write_text(json.dumps({"current": other, "former": []}))
    releases._tried = None
    assert releases.next() is not None


def flipped(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] if content else b"x"


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3] if content else b"y"


def lengthened(content: bytes) -> bytes:
    return content + b"\0"


def test_what_is_loaded_follows_no_file(good: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(good, tmp_path / "release"))
    loaded = rehearsed(folder)
    before = loaded.recommend("u0"), loaded.similar_items("i00"), loaded.levels("u0").points.to_dicts()
    for path in folder.rglob("*"):
        if path.is_file():
            size = path.stat().st_size
            with path.open("r+b") as file:  # in place, as a careless copy does it
                file.write(b"\xff" * size)
                file.truncate(size // 3)
    assert (loaded.recommend("u0"), loaded.similar_items("i00"), loaded.levels("u0").points.to_dicts()) == before
    assert str(folder) not in Path("/proc/self/maps").read_text()


@pytest.mark.slow
def test_weights_of_the_encoder_follow_no_file_either(release: Path) -> None:
    from services.encoder import unmap

    settings = read_settings(EncoderSettings, "encoder", release / Part.PARAMS)
    model = Encoder.load(release / Part.ENCODER, settings)
    before = model.encode(["space opera"])
    unmap(model.model)
    assert str(release) not in Path("/proc/self/maps").read_text()
    np.testing.assert_array_equal(model.encode(["space opera"]), before)


def test_where_a_refusal_cannot_be_noted_it_is_told(
    good: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, releases = served(good, tmp_path)
    bad = registry.add(without_a_dimension(good, tmp_path))
    registry.promote(bad)
    (registry.folder / REFUSED).write_text("a file where the folder should be")
    assert releases.next() is None
    assert f"a roll back may lead to the refused release {bad}" in caplog.text


def test_where_nothing_served_before_the_built_in_release_does(good: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "store")
    registry.promote(registry.add(without_a_dimension(good, tmp_path)))
    releases = Releases(ServiceSettings(releases=registry.folder, release=good))
    releases.start()
    assert releases.live is not None
    assert releases.live.manifest.id == read_manifest(good).id
