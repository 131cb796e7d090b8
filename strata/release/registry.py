"""The release registry: verified copies of releases in one folder, and a pointer to the one in service."""

import fcntl
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strata.errors import ReleaseError
from strata.release.manifest import MANIFEST, read_manifest, verify
from strata.storage import read_json, replacing, write_json

POINTER = "current.json"
SHADOW = "shadow.json"
"""Names the release that answers beside the current one, unseen, if any does."""
REFUSED = "refused"
"""Folder of what services say of releases that they do not serve: a file each, ID.json."""
ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Pointer:
    """The release in service, and those that served before it, each once, the latest last."""

    current: str | None = None
    former: tuple[str, ...] = ()

    def to(self, release: str) -> "Pointer":
        """The pointer after promoting `release`."""
        if release == self.current:
            return self
        past = [*self.former, *([self.current] if self.current else [])]
        return Pointer(release, tuple(each for each in past if each != release))

    def without(self, refused: Collection[str]) -> "Pointer":
        """The same without former releases that were refused: none of them served."""
        return Pointer(self.current, tuple(each for each in self.former if each not in refused))

    def back(self) -> "Pointer":
        """The pointer after a roll back; the release rolled back from is dropped."""
        return Pointer(self.former[-1], self.former[:-1])


@dataclass(frozen=True)
class Entry:
    """One release of the registry."""

    id: str
    metrics: Mapping[str, Any]
    current: bool
    former: bool
    """Served right before the current one: the target of a roll back."""
    fault: str = ""
    """Why its manifest cannot be read, if so."""
    refused: str = ""
    """Why a service that follows the registry does not serve it, if so."""
    shadow: bool = False
    """Whether it answers beside the current one, unseen."""


class Registry:
    """Releases under `folder`/ID and the pointer `folder`/current.json, which is replaced in one step.

    Every release is verified when it is added and again before the pointer moves to it, so the pointer always leads
    to a complete release. A lock serialises changes by several processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, release_folder: Path) -> str:
        """Copy a release in and return its id; an intact copy already there is kept.

        Raises ReleaseError naming the file if the release, or the copy, does not match its manifest.
        """
        release = verify(release_folder).id
        with self._alone():
            if not self._sound(release):
                with replacing(self.folder / release) as temporary:
                    shutil.copytree(release_folder, temporary, copy_function=shutil.copyfile)
                    verify(temporary)
                self.accept(release)
        return release

    def list(self) -> Sequence[Entry]:
        """All releases in the order in which they were added."""
        refused = self.refused()
        pointer, shadow = self._pointer().without(refused), self._shadow()
        return [self._entry(release, pointer, refused.get(release, ""), shadow) for release in self._ids()]

    def promote(self, release: str) -> None:
        """Verify a release of the registry and point to it. Raises ReleaseError, leaving the pointer, if it fails."""
        with self._alone():
            self._point(self._pointer().to(self._known(release)))
            if release == self._shadow():
                self._end_shadow()

    def rollback(self) -> str:
        """Point to the release that served before the current one, verified, and return its id.

        What services refused never served, and is passed over.
        """
        with self._alone():
            pointer = self._pointer().without(self.refused())
            if not pointer.former:
                raise ReleaseError(
                    f"{self.folder}: no release served before the current one; "
                    "promote one by its id (strata release list)"
                )
            self._known(pointer.former[-1])
            self._point(pointer.back())
        return pointer.former[-1]

    def shadow(self, release: str | None) -> None:
        """Have a release answer beside the current one, its answers compared and sent to nobody; None: no more.

        Raises ReleaseError if it fails to verify, or serves already.
        """
        with self._alone():
            if release is None:
                self._end_shadow()
                return
            if self._pointer().current == self._known(release):
                raise ReleaseError(f"release {release} serves already; a shadow is another one")
            verify(self.folder / release)
            write_json({"release": release}, self.folder / SHADOW)

    def shadowed(self) -> Path | None:
        """Folder of the release that answers beside the current one, if any does. Raises ReleaseError."""
        release = self._shadow()
        return None if release is None else self.folder / self._known(release)

    def current(self) -> Path | None:
        """Folder of the release in service, or None before the first promotion."""
        release = self._pointer().current
        return None if release is None else self.folder / self._known(release)

    def refuse(self, release: str, reason: str) -> None:
        """Note that a service does not serve a release of the registry. Raises OSError where it may not write here."""
        if release in self._ids():
            write_json({"release": release, "reason": reason}, self.folder / REFUSED / f"{release}.json")

    def accept(self, release: str) -> None:
        """Take back what was noted: the release serves, or is whole again. Raises OSError."""
        (self.folder / REFUSED / f"{release}.json").unlink(missing_ok=True)

    def refused(self) -> dict[str, str]:
        """Releases that services refused → why."""
        return {path.stem: _reason(path) for path in sorted((self.folder / REFUSED).glob("*.json"))}

    def prune(self, keep: int) -> Sequence[str]:
        """Remove all but the `keep` latest releases, the current one, the one before it and the shadow.

        Returns the removed ids.
        """
        if keep < 1:
            raise ReleaseError(f"keep is {keep}; keep at least 1 release")
        with self._alone():
            pointer = self._pointer().without(self.refused())
            kept = {*self._ids()[-keep:], pointer.current, *pointer.former[-1:], self._shadow()}
            removed = [release for release in self._ids() if release not in kept]
            if removed:  # pointer first, so that it never names a removed release
                former = tuple(release for release in pointer.former if release not in removed)
                self._write(Pointer(pointer.current, former))
            for release in removed:
                self.accept(release)
            for folder in (*removed, *(path.name for path in self.folder.glob(".*.tmp"))):
                shutil.rmtree(self.folder / folder, ignore_errors=True)
        return removed

    def _point(self, pointer: Pointer) -> None:
        if pointer.current is not None:
            verify(self.folder / pointer.current)
        self._write(pointer)

    def _write(self, pointer: Pointer) -> None:
        write_json({"current": pointer.current, "former": [*pointer.former]}, self.folder / POINTER)

    def _shadow(self) -> str | None:
        path = self.folder / SHADOW
        try:
            return str(read_json(path)["release"])
        except FileNotFoundError:
            return None
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ReleaseError(
                f"{path} names no release ({error!r}); remove it, or run `strata release shadow ID` again"
            ) from None

    def _end_shadow(self) -> None:
        (self.folder / SHADOW).unlink(missing_ok=True)

    def _pointer(self) -> Pointer:
        path = self.folder / POINTER
        if not path.exists():
            return Pointer()
        try:
            content = read_json(path)
            pointer = Pointer(content["current"], tuple(content["former"]))
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ReleaseError(f"{path} is not a pointer ({error!r}); remove it and promote a release again") from None
        return pointer

    def _ids(self) -> Sequence[str]:
        """Ids by the time they were added: the manifest is written when a release is copied."""
        folders = [path for path in self.folder.glob("*") if ID.fullmatch(path.name) and path.is_dir()]
        return [path.name for path in sorted(folders, key=_arrival)]

    def _known(self, release: str) -> str:
        if release not in self._ids():
            known = ", ".join(self._ids()) or "none yet"
            raise ReleaseError(f"{self.folder} holds no release {release!r}; add it first. Known: {known}")
        return release

    def _sound(self, release: str) -> bool:
        try:
            return release in self._ids() and verify(self.folder / release).id == release
        except ReleaseError:
            return False

    def _entry(self, release: str, pointer: Pointer, refused: str, shadow: str | None) -> Entry:
        current, former = release == pointer.current, release in pointer.former[-1:]
        unseen = release == shadow
        try:
            metrics = read_manifest(self.folder / release).metrics
            return Entry(release, metrics, current, former, refused=refused, shadow=unseen)
        except ReleaseError as error:
            return Entry(release, {}, current, former, fault=str(error), refused=refused, shadow=unseen)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock for one change at a time; the system releases it if the process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _reason(path: Path) -> str:
    try:
        return str(read_json(path)["reason"])
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return "it was refused; why cannot be read"


def _arrival(release: Path) -> tuple[int, str]:
    manifest = release / MANIFEST
    return (manifest.stat().st_mtime_ns if manifest.exists() else 0, release.name)
