"""Public data sets that Strata knows: what each is, where its files come from, and the settings that read them."""

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from strata.data.sources.packages import RESOURCES
from strata.errors import SettingsError

FOLDER: Final = files("strata.data.sources").joinpath("presets")
PART: Final = "{part}"
"""Stands in a preset for the part of the data set that is asked for."""
Checksum = Field(default=None, pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")
Way = Literal["in a package", "at an address", "placed by hand"]
"""How files are had: inside a Python package, from a public address, or placed by a person who accepted a licence."""


class Facts(BaseModel):
    """Facts of presets: no settings, since nobody changes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Download(Facts):
    """One file behind a public address."""

    url: str = Field(pattern="^https?://")
    members: list[str] = []
    """Of an archive: the files wanted, without its folders. Left out: the file itself, unpacked if it is a .gz."""
    checksum: str | None = Checksum
    """Of the file as it comes, `md5:` or `sha256:` before it, where its publisher states one; left out: unknown."""

    @property
    def name(self) -> str:
        """What the file is called at its address."""
        return PurePosixPath(self.url).name

    @property
    def files(self) -> list[str]:
        """What it leaves in the data set's folder."""
        return self.members or [self.name.removesuffix(".gz")]


class KnownDataSet(Facts):
    """The section `preset` of a preset: facts of the data set, which never go into params.yaml."""

    about: str
    licence: str
    page: str | None = None
    """The publisher's own."""
    parts: list[str] = []
    """What the data set comes in, such as categories; one of them is read."""
    package: bool = False
    """Whether strata/data/sources/packages.py pins a package that holds it."""
    downloads: list[Download] = []
    placed: list[str] = []
    """Files that a person places, relative to the data set's folder."""
    steps: str | None = None
    """What to do with what the page offers so that these files come out."""

    @model_validator(mode="after")
    def _had_in_one_way(self) -> Self:
        if sum(map(bool, (self.package, self.downloads, self.placed))) != 1:
            raise ValueError("give one of package, downloads, placed")
        return self

    @property
    def way(self) -> Way:
        """How its files are had."""
        return "in a package" if self.package else "at an address" if self.downloads else "placed by hand"

    @property
    def files(self) -> list[str]:
        """What must lie in the data set's folder; none for packages, which check that themselves."""
        return [file for download in self.downloads for file in download.files] + self.placed


def names() -> list[str]:
    """Names of all known data sets."""
    return sorted(file.name.removesuffix(".yaml") for file in FOLDER.iterdir() if file.name.endswith(".yaml"))


def facts(name: str, part: str | None = None) -> KnownDataSet:
    """What is known of data set `name`, its addresses those of `part`.

    Raises SettingsError for an unknown name and, if one is given, an unknown part.
    """
    return _facts(name, _text(name) if part is None else preset(name, part))


def preset(name: str, part: str | None = None) -> str:
    """The preset as YAML text, of `part` where the data set comes in parts.

    Raises SettingsError for an unknown name, an unknown part, and a part that is missing or not asked for.
    """
    content = _text(name)
    parts = _facts(name, content).parts
    if part in parts:
        return content.replace(PART, part)
    if part is None and not parts:
        return content
    if not parts:
        raise SettingsError(f"{name} has no parts; leave --part out")
    asked = f"has no part '{part}'" if part else "comes in parts; name one with --part"
    raise SettingsError(f"{name} {asked}: {', '.join(parts)}")


def _text(name: str) -> str:
    if name not in names():
        raise SettingsError(f"'{name}' is no preset; there is: {', '.join(names())}")
    return FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _facts(name: str, content: str) -> KnownDataSet:
    stated: dict[str, Any] = yaml.safe_load(content)["preset"]
    if stated.get("package"):
        stated = {"about": RESOURCES[name].about, "licence": RESOURCES[name].licence, **stated}
    return KnownDataSet.model_validate(stated)
