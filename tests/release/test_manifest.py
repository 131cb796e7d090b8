"""A release is whole or refused: one changed byte, one missing or extra file is named."""

from pathlib import Path

import pytest

from strata.errors import ReleaseError
from strata.release.manifest import MANIFEST, verify, write_release


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
    again = write_release(
        tmp_path / "again", {name: release / name for name in manifest.files}, versions={}, metrics={}
    )
    assert again.id == manifest.id


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
