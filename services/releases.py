"""Follows the registry's pointer: loads the next release beside the current one, then swaps them at once."""

import ctypes
import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bentoml
from bentoml.exceptions import BentoMLException

from services.errors import log_without_values
from services.fields import pseudonyms
from services.metrics import LOAD_FAILURES, RELEASE
from services.settings import ServiceSettings
from strata.data.cleaning import CleaningSettings
from strata.errors import ReleaseError, StrataError
from strata.online.pseudonyms import VARIABLE
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.release.layout import Part
from strata.release.manifest import read_manifest, verify
from strata.release.registry import POINTER, Registry
from strata.settings import read_settings

logger = logging.getLogger("bentoml.strata")
ALIAS = "release"
"""Name of the Bento's model that holds its release, and of the folder in it."""


@dataclass(frozen=True)
class Refusal:
    """A release that should be in service but was refused, and why."""

    release: str
    reason: str


def built_in(settings: ServiceSettings) -> Path:
    """Folder of the release that serves without a registry. Raises ReleaseError."""
    if settings.release is not None:
        return settings.release
    try:
        return Path(bentoml.models.get(ALIAS).path_of(ALIAS))
    except BentoMLException:
        raise ReleaseError(
            "this service holds no release: serve a built Bento (python -m services.build --release FOLDER), or set "
            "STRATA_RELEASE to a release folder or STRATA_RELEASES to a release registry"
        ) from None


def wanted(settings: ServiceSettings) -> Path:
    """The folder that should serve: the registry's current release, or the built-in one. Raises ReleaseError."""
    current = Registry(settings.releases).current() if settings.releases is not None else None
    return built_in(settings) if current is None else current


def folder_of(release: str, settings: ServiceSettings) -> Path:
    """Folder of a release by its id: in the registry, or the built-in one. Raises ReleaseError."""
    if settings.releases is not None:
        known = {entry.id for entry in Registry(settings.releases).list()}
        if release in known:
            return settings.releases / release
    folder = built_in(settings)
    if read_manifest(folder).id != release:
        raise ReleaseError(f"release {release} is neither in the registry nor built in")
    return folder


def rehearsed(folder: Path) -> Recommender:
    """Load and verify a release, and warm it up with one recommendation, so that no user waits for compilation.

    It is verified before its files are read and again after, so that what was read is what was verified. Raises
    ReleaseError and whatever that recommendation raises.
    """
    loaded = load_recommender(folder)
    verify(folder)
    made = read_settings(CleaningSettings, "cleaning", folder / Part.PARAMS).pseudonymous
    if made != (pseudonyms() is not None):
        known, key = ("pseudonyms", "set it to the key that made them") if made else ("their ids", "unset it")
        raise ReleaseError(
            f"release {loaded.manifest.id} knows users by {known}, and {VARIABLE} is {'not set' if made else 'set'}; "
            f"{key}, or change cleaning.pseudonymous in params.yaml and make a release anew"
        )
    if len(loaded.profiles.table):
        loaded.recommend(loaded.richest_user())
    return loaded


def give_back_memory() -> None:
    """Have the C library return what a replaced release took; it keeps freed pages, and more with each change.

    Where the library cannot (only glibc can), nothing happens.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Releases:
    """Holds the release in service: `live` changes in one assignment; running requests keep the one they began with."""

    def __init__(
        self, settings: ServiceSettings, joined: Callable[[Recommender], Recommender] = lambda release: release
    ) -> None:
        """`joined`: what a loaded release becomes before it serves."""
        self.settings = settings
        self.joined = joined
        self.live: Recommender | None = None
        self.swaps = 0
        self.refused: Refusal | None = None
        self._tried: object = None

    def start(self) -> None:
        """Load the release that should serve or, if it is refused, the built-in one."""
        loaded = self.next()
        if loaded is None and self.settings.releases is not None:
            try:
                loaded = self.joined(rehearsed(built_in(self.settings)))
            except StrataError as error:
                logger.error("the built-in release does not serve either: %s", error)
        if loaded is not None:
            self.swap(loaded)

    def next(self) -> Recommender | None:
        """Load the release that should serve, verified; None where it serves already or was refused before."""
        name = "?"
        try:
            folder = wanted(self.settings)
            name = folder.name
            name = read_manifest(folder).id
            if self.live is not None and name == self.live.manifest.id:
                if self.refused is not None and self.refused.release != name:
                    self.refused = None
                return None
            if self._tried == self._attempt(name):
                return None
            return self.joined(rehearsed(folder))
        except StrataError as error:
            self.refuse(name, str(error))
        except Exception as error:  # a fault in the next release must not stop this one
            log_without_values(error)
            self.refuse(name, f"it cannot answer ({type(error).__name__}; the log says where)")
        return None

    def swap(self, release: Recommender) -> None:
        """Put a loaded release in service."""
        former, self.live, self.refused = self.live, release, None
        self.swaps += 1
        if former is not None:
            RELEASE.labels(former.manifest.id).set(0)
        RELEASE.labels(release.manifest.id).set(1)
        logger.info("release %s serves", release.manifest.id)
        self._note(release.manifest.id, None)

    def refuse(self, release: str, reason: str) -> None:
        """Keep the current release and record why the other was refused."""
        if self._tried == self._attempt(release):
            return
        self._tried, self.refused = self._attempt(release), Refusal(release, reason)
        LOAD_FAILURES.inc()
        logger.error("release %s does not serve: %s", release, reason)
        self._note(release, reason)

    def _note(self, release: str, reason: str | None) -> None:
        """Have the registry know whether a release was refused, so that no roll back leads to one that was."""
        if self.settings.releases is None:
            return
        registry = Registry(self.settings.releases)
        try:
            registry.accept(release) if reason is None else registry.refuse(release, reason)
        except OSError as error:
            if reason is not None:
                logger.warning(
                    "%s cannot be written (%s): a roll back may lead to the refused release %s",
                    self.settings.releases, type(error).__name__, release,
                )  # fmt: skip

    def _attempt(self, release: str) -> tuple[str, int, int]:
        """Key of an attempt: a refused release is tried again when the pointer is written again, and every minute."""
        pointer = None if self.settings.releases is None else self.settings.releases / POINTER
        moved = pointer.stat().st_mtime_ns if pointer is not None and pointer.exists() else 0
        return release, moved, int(time.monotonic() / 60)
