"""Shared by rank and evaluate: windows of users, and models fitted before them."""

from strata.embeddings.index import ItemIndex
from strata.evaluation.split import SplitSettings
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.models.fitted import CollaborativeModels
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.settings import RecommendSettings
from strata.ranking.two_stage import Models
from strata.settings import read_settings
from tasks import INDEX
from tasks.inputs import Inputs, folder


def least_users() -> int:
    """Users that an item needs before a window to be recommended or relevant in it."""
    return read_settings(SplitSettings, "split").least_users


def window_between(inputs: Inputs, start: str, end: str) -> Window:
    """The users with relevant items between two cut-offs, and these items."""
    repeats = read_settings(RecommendSettings, "recommend").repeats
    return Window.of(inputs.history, inputs.time(start), inputs.time(end), repeats=repeats, least_users=least_users())


def models_at(inputs: Inputs, cut_off: str) -> Models:
    """The models that earlier stages wrote for a cut-off."""
    made = folder(cut_off)
    return Models.of(
        Profiles.read(made / "profiles"),
        GeneratorInputs(
            inputs.catalogue,
            ItemIndex.read(INDEX),
            CollaborativeModels.read(made / "collaborative"),
            Themes.read(made / "themes").of_item[:, 0],
            inputs.history.before(inputs.time(cut_off)),
            read_settings(RecommendSettings, "recommend"),
        ),
        inputs.vectors,
    )
