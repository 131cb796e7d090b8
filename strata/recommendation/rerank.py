"""Re-ranking for diversity, and for calibration to the user's own mix of themes and tiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from pydantic import Field, PositiveInt
from pyversity import msd

from strata._kernels.selection import NOTHING
from strata.data.schema import LEVELS, TIERS
from strata.evaluation.beyond_accuracy import SMOOTHING
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.settings import Settings

PAGE: Final = 10
"""Places of a usual list. What a list's length must not move is measured in these."""


class RerankSettings(Settings):
    """How far re-ranking may depart from scores; diversity 0 and calibration 0 change nothing."""

    diversity: float = Field(default=0.0, ge=0, le=1)
    """0: the best scores; 1: the best item, then always the one farthest from those chosen."""
    calibration: float = Field(default=0.0, ge=0, le=1)
    """0: the best scores; 1: the user's own mix, whatever the scores."""
    pool: PositiveInt = 4
    """If both are used, calibration chooses each place among the next `pool` × PAGE candidates that diversity left."""

    @property
    def changes_nothing(self) -> bool:
        """Whether lists are left unchanged."""
        return not self.diversity and not self.calibration

    def but(self, diversity: float | None, calibration: float | None) -> Self:
        """These settings, with the given values replaced."""
        given = {"diversity": diversity, "calibration": calibration}
        asked = {name: value for name, value in given.items() if value is not None}
        return self.model_validate({**self.model_dump(), **asked})


@dataclass(frozen=True)
class Mix:
    """Groups of candidates (by theme or tier) and the target mix of a list.

    `groups` (B, n): group of each candidate, NOTHING for none. `target` (B, G): share of each group that a user's list
    should have, summing to 1; all zeros for users without a target.
    """

    groups: np.ndarray
    target: np.ndarray


def rerank(
    items: np.ndarray,
    scores: np.ndarray,
    k: int,
    settings: RerankSettings,
    vectors: np.ndarray,
    mixes: Sequence[Mix] = (),
) -> np.ndarray:
    """The `k` candidates (fewer where there are fewer) of each user's re-ranked list, best first: (B, k).

    `items` (B, n): candidates, best first, NOTHING pads; `scores` (B, n): comparable within a user; `vectors`
    (n_items, d): unit. Places are given one after the other, each by those before it, so that no place depends on `k`.
    With both diversity and calibration, the i-th item by diversity gets the i-th best score for calibration. Ties go to
    the earlier candidate.
    """
    k = min(k, items.shape[1])
    if not settings.diversity and not (settings.calibration and mixes):
        return items[:, :k]
    scores, places = scaled(items, scores), np.tile(np.arange(items.shape[1]), (len(items), 1))
    reach = items.shape[1]
    if settings.diversity > 0:
        reach = settings.pool * PAGE
        wanted = min(reach + k, items.shape[1]) if settings.calibration > 0 else k
        places = diversify(items, scores, wanted, settings.diversity, vectors)
        scores = np.sort(scores, axis=1)[:, ::-1][:, :wanted]
    if settings.calibration > 0 and mixes:
        moved = [Mix(_at(mix.groups, places), mix.target) for mix in mixes]
        places = _at(places, calibrate(scores, k, settings.calibration, moved, reach))
    return _at(items, places[:, :k])


def scaled(items: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Scores (B, n) from 0 (a user's worst candidate) to 1 (the best), −inf where `items` (B, n) hold NOTHING."""
    there = items != NOTHING
    low = np.where(there, scores, np.inf).min(1, keepdims=True, initial=np.inf)
    extent = np.where(there, scores, -np.inf).max(1, keepdims=True, initial=-np.inf) - low
    between = np.divide(scores - low, extent, out=np.ones(scores.shape), where=extent > 0)
    return np.where(there, between, -np.inf)


def diversify(items: np.ndarray, scores: np.ndarray, k: int, diversity: float, vectors: np.ndarray) -> np.ndarray:
    """Places of `k` candidates chosen by max-sum diversification (Borodin et al. 2012): (B, k), NOTHING pads.

    `scores` (B, n): as `scaled` gives. Each step maximises (1 − d) · score + d · Σ (1 − cosine) to those chosen.
    Of pyversity's strategies this one loses least NDCG for the diversity gained.
    """
    places = np.full((len(items), k), NOTHING, np.int64)
    for row, there in enumerate(items != NOTHING):
        candidates = np.flatnonzero(there)
        chosen = msd(vectors[items[row, candidates]], scores[row, candidates], k, diversity, normalize=False).indices
        places[row, : len(chosen)] = candidates[chosen]
    return places


def calibrate(scores: np.ndarray, k: int, calibration: float, mixes: Sequence[Mix], reach: int) -> np.ndarray:
    """Places of `k` candidates chosen so that the list's mix follows the user's (Steck 2018): (B, k), NOTHING pads.

    `scores` (B, n): as `scaled` gives; each place is chosen among the first `reach` candidates that are left. Each step
    maximises (1 − c) · mean score − c · divergence of the list so far.
    The divergence is that of `miscalibration`, divided by its maximum, averaged over the `mixes`. An item changes it
    only through its group, so a step evaluates groups rather than lists.
    """
    starts = np.cumsum([0, *(mix.target.shape[1] for mix in mixes)])
    nowhere = starts[-1]  # a last column with target 0, for items of no group
    pairs = zip(mixes, starts, strict=False)
    groups = np.stack([np.where(mix.groups == NOTHING, nowhere, mix.groups + start) for mix, start in pairs])
    wanted = np.concatenate([*(mix.target for mix in mixes), np.zeros((len(scores), 1))], axis=1)
    weight = calibration / (len(mixes) * np.log(1 / SMOOTHING))
    rows, counts, free = np.arange(len(scores)), np.zeros(wanted.shape), scores > -np.inf
    relevance = (1 - calibration) * np.where(free, scores, 0.0)
    places = np.full((len(scores), k), NOTHING, np.int64)
    for step in range(k):
        gained = weight * _gained(wanted, counts, step + 1)
        value = relevance / (step + 1) + gained[rows[:, None], groups].sum(0)
        near = np.s_[:, : step + reach]  # of which `step` are chosen
        best = np.where(free[near], value[near], -np.inf).argmax(1)
        places[:, step] = np.where(free[rows, best], best, NOTHING)
        free[rows, best] = False
        for of_item in groups:
            counts[rows, of_item[rows, best]] += 1
    return places


def _gained(wanted: np.ndarray, counts: np.ndarray, n: int) -> np.ndarray:
    """How much the divergence of a list of `n` items from shares `wanted` (B, G) falls if one is of a group: (B, G).

    `counts` (B, G): items of each group so far, n − 1 in all at most; compared with adding an item of no group.
    """
    least = SMOOTHING * np.maximum(wanted, 1e-12)
    before, after = (least + (1 - SMOOTHING) * share for share in (counts / n, (counts + 1) / n))
    return np.asarray(wanted * np.log(after / before))


def interest_mixes(
    items: np.ndarray, users: np.ndarray, vectors: np.ndarray, profiles: Profiles, themes: Themes
) -> tuple[Mix, Mix]:
    """Target mixes by theme and by tier, for users (B,) with candidates `items` (B, n).

    An item's tier is that of the user's nearest point; targets are the points' shares of the user's strength.
    """
    there, n_themes = items != NOTHING, int((themes.groups["level"] == "theme").sum())
    of_theme = np.where(there, themes.of_item[items, LEVELS.index("theme")], NOTHING)
    of_tier = np.full(items.shape, NOTHING)
    by_theme, by_tier = np.zeros((len(users), n_themes)), np.zeros((len(users), len(TIERS)))
    for row, user in enumerate(users):
        part = profiles.of(int(user))
        if part.start < part.stop:
            theme, tier, share = (profiles.table[column][part] for column in ("theme", "tier", "share"))
            tiers = np.array([TIERS.index(name) for name in tier])
            np.add.at(by_theme[row], theme.to_numpy(), share.to_numpy())
            np.add.at(by_tier[row], tiers, share.to_numpy())
            nearest = (vectors[items[row]] @ profiles.vectors[part].T).argmax(1)
            of_tier[row] = np.where(there[row], tiers[nearest], NOTHING)
    return Mix(of_theme, _summing_to_1(by_theme)), Mix(of_tier, _summing_to_1(by_tier))


def _summing_to_1(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / np.maximum(weights.sum(1, keepdims=True), 1e-12))


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """`values` (B, n) at `places` (B, k), NOTHING where the place is NOTHING."""
    return np.where(places == NOTHING, NOTHING, np.take_along_axis(values, places, axis=1))
