"""A release is whole or refused: one changed byte, one missing or extra file is named."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.errors import ReleaseError
from strata.release.manifest import FILES_ALONE, MANIFEST, identity_of_files, verify, write_release
from strata.storage import read_json, write_json


@pytest.fixture
def release(tmp_path: Path) -> Path:
    parts = tmp_path / "parts"
    (parts / "encoder").mkdir(parents=True)
    (parts / "encoder" / "model.safetensors").write_bytes(b"weights" * 100)
    (parts / "vectors.npy").write_bytes(b"vectors")
    folder = tmp_path / "release"
    sources = {"encoder": parts / "encoder", "vectors.npy": parts / "vectors.npy"}
    write_release(folder, sources, versions={}, metrics={"ndcg@10": 0.2})
    return folder


def test_what_was_written_verifies_and_its_id_follows_from_its_content(release: Path, tmp_path: Path) -> None:
    manifest = verify(release)
    assert set(manifest.files) == {"encoder/model.safetensors", "vectors.npy"}
    parts = {name: release / name for name in manifest.files}
    again = write_release(tmp_path / "again", parts, versions={}, metrics={"ndcg@10": 0.2})
    assert again.id == manifest.id
    better = write_release(tmp_path / "better", parts, versions={}, metrics={"ndcg@10": 0.3})
    assert better.id != manifest.id


@pytest.mark.parametrize("file", ["encoder/model.safetensors", "vectors.npy"])
def test_one_flipped_byte_in_any_file_is_refused_by_name(release: Path, file: str) -> None:
    content = bytearray((release / file).read_bytes())
    content[3] ^= 1
    (release / file).write_bytes(content)
    with pytest.raises(ReleaseError, match=file):
        verify(release)


def test_missing_extra_and_altered_files_are_refused_by_name(release: Path) -> None:
    (release / "extra.bin").write_bytes(b"x")
    with pytest.raises(ReleaseError, match=r"extra\.bin does not belong"):
        verify(release)
    (release / "extra.bin").unlink()
    (release / "vectors.npy").unlink()
    with pytest.raises(ReleaseError, match=r"vectors\.npy is missing"):
        verify(release)


words = st.text(st.characters(codec="utf-8"), max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(words, values, max_size=4))
def test_whatever_the_metrics_are_they_are_part_of_the_id(metrics: dict) -> None:
    with TemporaryDirectory() as folder:
        release = Path(folder) / "release"
        (Path(folder) / "part").write_text("x")
        made = write_release(release, {"part": Path(folder) / "part"}, versions={}, metrics=metrics)
        assert verify(release).id == made.id
        content = read_json(release / MANIFEST)
        write_json({**content, "metrics": {**metrics, "more": 1}}, release / MANIFEST)
        if metrics.get("more") != 1:
            with pytest.raises(ReleaseError, match="was altered"):
                verify(release)


def test_metrics_and_versions_that_were_altered_are_refused(release: Path) -> None:
    content = read_json(release / MANIFEST)
    for change in ({"metrics": {"ndcg@10": 0.9}}, {"versions": {"data": "x"}}, {"metrics": {}}):
        write_json({**content, **change}, release / MANIFEST)
        with pytest.raises(ReleaseError, match=r"manifest\.json was altered"):
            verify(release)


def test_a_release_of_the_format_before_is_read_with_a_warning(release: Path) -> None:
    content = read_json(release / MANIFEST)
    former = {**content, "format": FILES_ALONE, "id": identity_of_files(content["files"])}
    write_json(former, release / MANIFEST)
    with pytest.warns(FutureWarning, match="of an earlier version"):
        assert verify(release).id == former["id"]
    write_json({**former, "id": "0" * 12}, release / MANIFEST)
    with pytest.raises(ReleaseError, match="was altered"):
        verify(release)
    write_json({**content, "format": 5}, release / MANIFEST)
    with pytest.raises(ReleaseError, match="another format than 4"):
        verify(release)


def test_an_altered_or_absent_manifest_is_refused(release: Path) -> None:
    manifest = release / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(verify(release).id, "000000000000"), encoding="utf-8")
    with pytest.raises(ReleaseError, match="was altered"):
        verify(release)
    manifest.write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseError, match="not a manifest"):
        verify(release)
    manifest.unlink()
    with pytest.raises(ReleaseError, match="make demo"):
        verify(release)
