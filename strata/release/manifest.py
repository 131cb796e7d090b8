"""Release folders: a manifest with the SHA-256 of every file, written once and verified before each load."""

import hashlib
import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strata.errors import ReleaseError
from strata.storage import read_json, replacing, write_json

MANIFEST = "manifest.json"
FORMAT = 4
DIGITS = 12
FILES_ALONE = 3
"""The format of before, whose ids tell of the files alone: such a release is still read, with a warning."""


@dataclass(frozen=True)
class Manifest:
    """Content of a release: `id` is a hash of all the rest; `files` maps relative paths to SHA-256."""

    id: str
    files: dict[str, str]
    versions: dict[str, str]
    """Path → hash of the data and artefacts it was made from, as in dvc.lock."""
    metrics: dict[str, Any]


def sha256(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_release(
    folder: Path, parts: Mapping[str, Path], *, versions: dict[str, str], metrics: dict[str, Any]
) -> Manifest:
    """Copy `parts` (path in the release → file or folder) and write the manifest; all or nothing."""
    with replacing(folder) as temporary:
        for name, source in parts.items():
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
        files = {path: sha256(temporary / path) for path in _files(temporary)}
        content = {"files": files, "versions": versions, "metrics": metrics}
        manifest = Manifest(identity(content), **content)
        write_json({"format": FORMAT, **manifest.__dict__}, temporary / MANIFEST)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read a manifest and check it, not the files. Raises ReleaseError where there is none, or it was altered."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ReleaseError(f"{path} does not exist: no release here; make one with `make demo` or `dvc repro`")
    try:
        content = read_json(path)
        form, id = content.pop("format"), content.pop("id")
        if form not in (FORMAT, FILES_ALONE):
            raise ReleaseError(f"{path}: another format than {FORMAT}, which this version reads; build it again")
        manifest = Manifest(id, **content)
        right = identity(content) if form == FORMAT else identity_of_files(manifest.files)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"{path} is not a manifest ({error}); build the release again") from None
    if id != right:
        raise ReleaseError(f"release {id}: {MANIFEST} was altered; fetch the release again")
    if form == FILES_ALONE:
        warnings.warn(
            f"release {id} is of an earlier version: nothing tells whether its metrics are those it was made with; "
            "make it anew by `dvc repro`",
            FutureWarning,
            stacklevel=2,
        )
    return manifest


def verify(folder: Path) -> Manifest:
    """Check every file against the manifest. Raises ReleaseError naming the first that is missing, altered or extra."""
    manifest = read_manifest(folder)
    present = set(_files(folder)) - {MANIFEST}
    for path, expected in manifest.files.items():
        if path not in present:
            raise ReleaseError(f"release {manifest.id}: {path} is missing; build or fetch the release again")
        if sha256(folder / path) != expected:
            raise ReleaseError(f"release {manifest.id}: {path} is not the file that was released; fetch it again")
    extra = sorted(present - set(manifest.files))
    if extra:
        raise ReleaseError(f"release {manifest.id}: {extra[0]} does not belong to it; remove it")
    return manifest


def identity(content: Mapping[str, Any]) -> str:
    """A release's id by what its manifest says: its files, what they were made from, and its metrics."""
    plain = json.loads(json.dumps(content))  # as it will be read: keys are strings
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def identity_of_files(files: Mapping[str, str]) -> str:
    """A release's id in the format of before."""
    lines = "\n".join(f"{digest} {path}" for path, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:DIGITS]


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
