"""What rank and evaluate share: a window of users, and the candidates that earlier models propose for them."""

from strata.index import ItemIndex
from strata.ranking import Table
from strata.recommend import Models, RecommendSettings, audience_of, propose
from strata.settings import read_settings
from strata.tuning import Window
from tasks import INDEX
from tasks.inputs import Inputs, folder


def window_between(inputs: Inputs, start: str, end: str) -> Window:
    """The users who are active between two cut-offs, and what they chose."""
    repeats = read_settings(RecommendSettings, "recommend").repeats
    return Window.of(inputs.history, inputs.time(start), inputs.time(end), repeats=repeats)


def candidates_for(inputs: Inputs, window: Window, cut_off: str) -> Table:
    """Candidates for the window's users from the models of `cut_off`, which know nothing of the window."""
    settings = read_settings(RecommendSettings, "recommend")
    models = Models.read(folder(cut_off), ItemIndex.read(INDEX))
    audience = audience_of(
        window.users,
        window.past,
        models.profiles,
        settings.tier_weights,
        allowed=inputs.catalogue.available(window.time, window.past),
        exclude_seen=not window.repeats,
    )
    return propose(audience, models.generators, settings.candidates)
