"""Windows of users between cut-offs, as the settings define them."""

from strata.evaluation.split import SplitSettings
from strata.evaluation.window import Window
from strata.ranking.settings import RecommendSettings
from strata.settings import read_settings
from tasks.inputs import Inputs


def least_users() -> int:
    """Users that an item needs before a window to be recommended or relevant in it."""
    return read_settings(SplitSettings, "split").least_users


def window_between(inputs: Inputs, start: str, end: str) -> Window:
    """The users with relevant items between two cut-offs, and these items."""
    repeats = read_settings(RecommendSettings, "recommend").repeats
    return Window.of(inputs.history, inputs.time(start), inputs.time(end), repeats=repeats, least_users=least_users())
