"""Hand-made cases, read from their files, and the releases on which they are asked."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import yaml

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.evidence.sections import FILMS, SITE
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.evaluation.metrics import bootstrap
from strata.interests.query_users import QueryUser
from strata.language.opinions import things
from strata.recommendation.lists import Recommendation
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from strata.release.layout import Part
from strata.settings import read_settings

FIXTURES: Final = Path(__file__).with_name("fixtures")
RELEASES: Final = {
    FILMS: Path("artifacts/release"),
    SITE: Path(".workspaces/stack-exchange/artifacts/release"),
}
"""Of `make demo`, and of `python -m benchmarks.workspaces stack-exchange --data FOLDER --stage package`."""
Case = dict[str, Any]
HALVES: Final = (("", True, "held out, scored once"), ("-seen", False, "of the half that rules were written by"))


def read_cases(name: str) -> Any:
    """What a file of fixtures holds."""
    return yaml.safe_load((FIXTURES / f"{name}.yaml").read_text(encoding="utf-8"))


def digest(*names: str) -> str:
    """Hash of files of fixtures: what rows were measured on."""
    content = b"".join((FIXTURES / f"{name}.yaml").read_bytes() for name in names)
    return hashlib.sha256(content).hexdigest()[:12]


def share_row(id: str, what: str, right: list[bool], claim: float, excluded: str = "") -> Row:
    """The share of cases that are right, with its interval over cases; `claim`: what it should exceed."""
    found = bootstrap(np.array(right, float), samples=SAMPLES, seed=SEED)
    return Row.of(id, what, found, "share", len(right), claim=claim, excluded=excluded)


@dataclass(frozen=True)
class Asked:
    """A release with its language model."""

    release: Recommender
    encoder: Encoder

    @classmethod
    def of(cls, data: str) -> Self | None:
        """The release of a data set; None where nobody made it."""
        folder = RELEASES[data]
        if not folder.exists():
            return None
        settings = read_settings(EncoderSettings, "encoder", folder / Part.PARAMS)
        return cls(load_recommender(folder), Encoder.load(folder / Part.ENCODER, settings))

    def person(self, text: str, *, query: bool = True) -> QueryUser:
        """Who says this, as a wish or as a bio."""
        said, new_users = things([text]), self.release.new_users
        read = new_users.to_read(said)
        vectors = self.encoder.encode(read) if read else np.zeros((0, self.release.texts.dimension), np.float32)
        return new_users.from_opinions(said, vectors, query=query)

    def listed(self, person: QueryUser, k: int) -> list[Recommendation]:
        """Their list."""
        return self.release.recommend(person, ListRequest(k=k, explain=False))

    @cached_property
    def labels(self) -> dict[str, set[str]]:
        """Categories and tags of each item."""
        rows = self.release.catalogue.items.select("item_id", "categories", "tags").iter_rows()
        return {item: {*(kinds or ()), *(tags or ())} for item, kinds, tags in rows}
