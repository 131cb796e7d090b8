"""GET /releases and what changes them: list, compare, promote, roll back, answer in the shadow."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field

from services.endpoints.base import examples
from services.errors import ApiError
from services.settings import ServiceSettings
from strata.errors import ReleaseError
from strata.fields import Request
from strata.release.registry import Entry, Registry


class ListedRelease(BaseModel):
    """A release of the registry."""

    release: str
    current: bool
    before: bool = Field(description="Whether it served right before the current one: the target of a roll back.")
    shadow: bool = Field(description="Whether it answers beside the current one, unseen.")
    damaged: str | None
    refused: str | None = Field(description="Why a service does not serve it.")
    metrics: dict[str, Any] = Field(description="As its evaluation measured them: of each model, by name.")

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """As the registry has it."""
        return cls(
            release=entry.id, current=entry.current, before=entry.former, shadow=entry.shadow,
            damaged=entry.fault or None, refused=entry.refused or None, metrics=dict(entry.metrics),
        )  # fmt: skip


class ReleaseList(BaseModel):
    """The releases of the registry, oldest first, with their metrics side by side."""

    releases: list[ListedRelease]


class ChangeRequest(Request):
    """Which release."""

    model_config = examples({"release": "0123456789ab"})

    release: str = Field(pattern="^[0-9a-f]{12}$", description="An id of /releases.")


def registry(settings: ServiceSettings) -> Registry:
    """The registry that the service follows. Raises ApiError where it follows none."""
    if settings.releases is None:
        raise ApiError(
            409, "this service follows no registry: it serves what it was started with", code="no_registry",
            remedy="start it with STRATA_RELEASES set to the folder of a registry",
        )  # fmt: skip
    return Registry(settings.releases)


def listed(known: Registry) -> ReleaseList:
    """All releases. Raises ApiError where the registry is damaged."""
    with _as_told(known.folder):
        return ReleaseList(releases=[ListedRelease.of(entry) for entry in known.list()])


@contextmanager
def _as_told(folder: Path) -> Iterator[None]:
    """Turn what the registry refuses into 409, without its folder. Raises ApiError."""
    try:
        yield
    except ReleaseError as error:
        said = str(error).replace(f"{folder}/", "").replace(str(folder), "the registry")
        raise ApiError(409, said, code="registry", remedy="choose an id of /releases that is whole") from None


def promoted(known: Registry, release: str) -> ReleaseList:
    """Point to a release. Raises ApiError."""
    with _as_told(known.folder):
        known.promote(release)
    return listed(known)


def rolled_back(known: Registry) -> ReleaseList:
    """Point to the release that served before. Raises ApiError."""
    with _as_told(known.folder):
        known.rollback()
    return listed(known)


def shadowed(known: Registry, release: str | None) -> ReleaseList:
    """Have a release answer in the shadow, or none. Raises ApiError."""
    with _as_told(known.folder):
        known.shadow(release)
    return listed(known)
