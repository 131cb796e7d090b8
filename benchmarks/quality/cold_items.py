"""New items: those that nobody had chosen before a cut-off and somebody chose in the month after it, ranked alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.quality.cold_users import ZERO_SHOT
from benchmarks.quality.site import LISTED, MONTH, Site, Values, judge, judge_baseline
from strata.data.history import History
from strata.evaluation.report import OURS
from strata.evaluation.window import Window
from strata.models.baselines import WINDOWED, Baseline, behavioural, mean_vector
from strata.ranking.ranker import Ranker
from strata.ranking.two_stage import Models, rank


def new_items(history: History, time: float) -> np.ndarray:
    """Items that nobody chose before `time` and somebody did in the month after it: bool (n_items,)."""
    before, after = history.before(time), history.between(time, time + MONTH).positive()
    known, chosen = (np.bincount(part.items, minlength=history.n_items) > 0 for part in (before, after))
    return np.asarray(chosen & ~known)


def window_of_new(history: History, known: History, time: float) -> Window:
    """The users of `known` with a past who choose new items in the month, and which; no other items count.

    `history`: what everybody did; it says which items are new.
    """
    window = Window.of(known, time, time + MONTH, repeats=True).among(new_items(history, time))
    return window.only(window.warm)


def references(site: Site) -> dict[str, Baseline]:
    """Popularity, which knows nothing of new items, and text."""
    behaviour, grid = behavioural(site.tuning, repeats=site.recommend.repeats), site.tuning.grids.mean_vector
    return {WINDOWED: behaviour[WINDOWED], ZERO_SHOT: mean_vector(site.zero_shot, grid)}


def judge_new(
    site: Site, window: Window, models: Models, ranker: Ranker, chosen: Mapping[str, Mapping[str, Any]]
) -> Values:
    """The recommender and the references over new items alone.

    `models` hold the profiles of the window's users. `chosen`: settings of the references.
    """
    everything = np.ones(len(site.catalogue), bool)
    values = {OURS: judge(rank(window, models, ranker, site.recommend, everything, LISTED), window)}
    for name, model in references(site).items():
        values[name] = judge_baseline(model, window.past, window, chosen[name])
    return window.users, values
