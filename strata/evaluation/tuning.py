"""Tunes models by random search over a grid, on the window before a cut-off and never on the one after."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from strata.evaluation.metrics import JUDGED_AT, ndcg_at_k
from strata.evaluation.window import Scorer, Window


def trials(grid: Mapping[str, Sequence[Any]], most: int, seed: int) -> list[dict[str, Any]]:
    """`most` different settings from a grid, always the same ones for the same seed; all where it holds fewer."""
    everything = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    chosen = np.random.default_rng(seed).permutation(len(everything))[:most]
    return [everything[i] for i in sorted(chosen)]


def tune(
    fit: Callable[..., Scorer], grid: Mapping[str, Sequence[Any]], window: Window, *, most: int, seed: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The settings whose scorer ranks the window best, and all trials.

    `fit(past, time, **settings)` gives the scorer. Compared by mean NDCG@10 of warm users; where there are none, the
    first settings are taken.
    """
    warm = window.only(window.warm)
    tried = []
    for settings in trials(grid, most, seed):
        if len(warm.users):
            ranked = warm.rank(fit(window.past, window.time, **settings), JUDGED_AT)
            score = float(ndcg_at_k(ranked, warm.relevant, JUDGED_AT).mean())
        else:
            score = 0.0
        tried.append({**settings, "ndcg@10": round(score, 6)})
    best = max(tried, key=lambda trial: trial["ndcg@10"])
    return {name: best[name] for name in grid}, tried
