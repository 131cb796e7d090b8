"""Shared by the stages that learn or read interest spaces."""

from strata.embeddings.space import InterestSpace, SpaceSettings
from strata.settings import read_settings
from strata.storage import read_json
from tasks import SHARE
from tasks.inputs import folder


def space_of(cut_off: str) -> InterestSpace:
    """The interest space of a cut-off."""
    return InterestSpace.read(folder(cut_off) / "space")


def chosen_settings() -> SpaceSettings:
    """Settings of the interest space, with the share of behaviour that stage `fuse` chose."""
    return read_settings(SpaceSettings, "space").model_copy(update={"behaviour": read_json(SHARE)["share"]})
