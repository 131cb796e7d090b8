"""Which documents of a folder are read, and what they are."""

from typing import Literal

from pydantic import field_validator

from strata.data.schema import Behaviour
from strata.data.sources.documents.fields import USUAL
from strata.data.sources.times import TimeUnit
from strata.settings import Settings


class DocumentsSettings(Settings):
    """Which files of the source's folder are documents, and what they are."""

    pattern: str = "**/*"
    """Files below the folder; * stands for any name, ** for any folders."""
    are: Literal["items", "profiles"] = "items"
    """Items, or what users wrote of themselves: then an author's documents are one profile text."""
    encoding: str | None = None
    """Of text files; left out: UTF-8, or what the file declares, or a guess that is said."""
    fields: dict[str, str] = {}
    """Our column, or author → its name in front matter, meta tags or JSON, where it is none of the usual ones."""
    folders: Literal["categories", "authors", "ignored"] = "categories"
    """What the names of folders say, of documents that do not say it themselves."""
    time_unit: TimeUnit = "iso"
    """Of dates that are numbers."""
    undated: Literal["empty", "file"] = "empty"
    """`file`: the time at which the file was last changed; it differs from copy to copy."""
    behaviour: Behaviour = "share"
    """What an author did with the own document, where no table says what people did: published it, which is neither an
    opinion on somebody's item (review) nor an answer to one (comment)."""

    @field_validator("fields")
    @classmethod
    def _known(cls, given: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(given) - set(USUAL)):
            raise ValueError(f"unknown {', '.join(unknown)}; there is: {', '.join(USUAL)}")
        return given
