"""Shared by rank and evaluate: all that is learned before a cut-off or a training window, ready to propose items."""

import numpy as np

from strata.embeddings.index import IndexSettings, ItemIndex
from strata.embeddings.space import InterestSpace
from strata.evaluation.window import Window
from strata.interests.naming import Namer
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.settings import tier_settings
from strata.interests.themes import Themes, ThemeSettings, learn_themes
from strata.models.fitted import TUNING, CollaborativeModels
from strata.ranking.generators.registry import GeneratorInputs
from strata.ranking.settings import RecommendSettings
from strata.ranking.two_stage import Models
from strata.settings import read_settings
from strata.storage import read_json
from tasks.inputs import Inputs, folder
from tasks.spaces import chosen_settings, space_of


def models_at(inputs: Inputs, cut_off: str) -> Models:
    """The models that earlier stages wrote for a cut-off."""
    made = folder(cut_off)
    return Models.of(
        Profiles.read(made / "profiles"),
        GeneratorInputs(
            inputs.catalogue,
            ItemIndex.read(made / "items.faiss"),
            CollaborativeModels.read(made / "collaborative"),
            Themes.read(made / "themes").of_item[:, 0],
            inputs.history.before(inputs.time(cut_off)),
            read_settings(RecommendSettings, "recommend"),
        ),
        space_of(cut_off).vectors,
    )


def profiler_before(window: Window, inputs: Inputs, namer: Namer) -> Profiler:
    """A profiler with an interest space and topics of its own, which know nothing of what comes in the window."""
    known = inputs.catalogue.available(window.time, window.past)
    space = InterestSpace.fit(inputs.texts, known, window.past, chosen_settings())
    themes = learn_themes(space.vectors, known, namer, read_settings(ThemeSettings, "themes"))
    return Profiler.of(inputs.catalogue, space, themes, tier_settings())


def models_before(window: Window, profiler: Profiler, profiles: Profiles, inputs: Inputs) -> Models:
    """Models fitted before a window, with the settings of those that are evaluated and that serve."""
    vectors, topics = profiler.space.vectors, profiler.themes.of_item[:, 0]
    chosen = read_json(folder("backtest") / TUNING)["chosen"]
    collaborative = CollaborativeModels.fit(window.past, window.time, chosen)
    index = ItemIndex.build(vectors, read_settings(IndexSettings, "index"))
    recommend = read_settings(RecommendSettings, "recommend")
    known = GeneratorInputs(inputs.catalogue, index, collaborative, topics, window.past, recommend)
    return Models.of(profiles, known, vectors)


def profiles_before(window: Window, profiler: Profiler) -> Profiles:
    """Profiles of a window's users by its past."""
    theirs = window.past.keep(np.isin(window.past.users, window.users))
    return profiler.profiles(theirs, window.time)[0]
