"""Earlier times at which the ranker may look: what was known then, what was proposed, and what was chosen next."""

import numpy as np

from strata.history import History
from strata.lambdamart import Examples
from strata.ranking import RankSettings
from strata.recommend import Models, tables
from strata.recommend_settings import RecommendSettings
from strata.tuning import Window


def slice_windows(
    history: History, end: float, settings: RankSettings, *, repeats: bool, least_users: int
) -> list[Window]:
    """Windows of equal shares of all interactions, each a step later, the last one ending at `end` (seconds)."""
    times = np.sort(history.times)
    step = max(int(settings.slice_share * len(times)), 1)
    last = int(np.searchsorted(times, end))
    bounds = [last - step * n for n in range(settings.slices + settings.horizon - 1, -1, -1)]
    moments = [float(times[place]) if place < len(times) else end for place in bounds if place > 0]
    moments[-1:] = [end]
    windows = [
        Window.of(history, start, stop, repeats=repeats, least_users=least_users)
        for start, stop in zip(moments, moments[settings.horizon :], strict=False)
        if start < stop
    ]
    return [window for window in windows if len(window.users)]


def examples(
    window: Window, models: Models, settings: RecommendSettings, available: np.ndarray, *, negatives: int, seed: int
) -> Examples:
    """The candidates of a window's users with their signals; all that were chosen, and of the others a sample."""
    rng = np.random.default_rng(seed)
    queries, signals, chosen = [], [], []
    for part, audience, table in tables(window, models, settings, available):
        relevant = window.relevant[part]
        hit = np.asarray(relevant[table.users, table.items]).ravel() > 0
        others = np.bincount(table.users[~hit], minlength=len(audience))
        kept = hit | (rng.random(len(hit)) < negatives / np.maximum(others, 1)[table.users])
        small = table.only(kept)
        queries.append(small.users + part.start)
        signals.append(models.signals.of(small, audience))
        chosen.append(hit[kept])
    return Examples(
        np.concatenate(queries), np.concatenate(signals), np.concatenate(chosen), np.diff(window.relevant.indptr)
    )
