"""From many good candidates to a few that go together: lists that vary, and whose mix is the user's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from pydantic import Field, PositiveInt
from pyversity import msd

from strata._kernels.selection import NOTHING
from strata.data.schema import LEVELS, TIERS
from strata.evaluation.beyond_accuracy import SMOOTHING
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.settings import Settings


class RerankSettings(Settings):
    """How far a list may leave its scores; diversity 0 and calibration 0 change nothing."""

    diversity: float = Field(default=0.0, ge=0, le=1)
    """0: the best scores; 1: after the best item, whatever is farthest from those chosen."""
    calibration: float = Field(default=0.0, ge=0, le=1)
    """0: the best scores; 1: the user's own mix, whatever the scores."""
    pool: PositiveInt = 4
    """Lists' lengths that diversity puts in order where calibration then chooses from them."""

    @property
    def changes_nothing(self) -> bool:
        """Whether every list stays as it is."""
        return not self.diversity and not self.calibration

    def but(self, diversity: float | None, calibration: float | None) -> Self:
        """These settings, with what is given in place of their own."""
        given = {"diversity": diversity, "calibration": calibration}
        asked = {name: value for name, value in given.items() if value is not None}
        return self.model_validate({**self.model_dump(), **asked})


@dataclass(frozen=True)
class Mix:
    """What a list is made of, and what it should be.

    `groups` (B, n): group of each candidate, NOTHING for none. `target` (B, G): share of each group that a user's list
    should have, summing to 1; zeros for users of whom nothing is known, and then nothing is asked.
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
    """The `k` candidates (fewer where there are fewer) that make the best list of each user, best first: (B, k).

    `items` (B, n): candidates, best first, NOTHING pads; `scores` (B, n): theirs, any real numbers that compare within
    a user; `vectors` (n_items, d): unit. Where both are asked for, what diversity puts in a place has that place's
    score for calibration. Ties go to the earlier candidate.
    """
    k = min(k, items.shape[1])
    if not settings.diversity and not (settings.calibration and mixes):
        return items[:, :k]
    scores, places = scaled(items, scores), np.tile(np.arange(items.shape[1]), (len(items), 1))
    if settings.diversity > 0:
        wanted = min(settings.pool * k, items.shape[1]) if settings.calibration > 0 else k
        places = diversify(items, scores, wanted, settings.diversity, vectors)
        scores = np.sort(scores, axis=1)[:, ::-1][:, :wanted]
    if settings.calibration > 0 and mixes:
        moved = [Mix(_at(mix.groups, places), mix.target) for mix in mixes]
        places = _at(places, calibrate(scores, k, settings.calibration, moved))
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

    `scores` (B, n) as `scaled`. Each next one has the best (1 − d) · score + d · Σ (1 − cosine) to those chosen. Of
    pyversity's strategies it loses least NDCG for the diversity it brings.
    """
    places = np.full((len(items), k), NOTHING, np.int64)
    for row, there in enumerate(items != NOTHING):
        candidates = np.flatnonzero(there)
        chosen = msd(vectors[items[row, candidates]], scores[row, candidates], k, diversity, normalize=False).indices
        places[row, : len(chosen)] = candidates[chosen]
    return places


def calibrate(scores: np.ndarray, k: int, calibration: float, mixes: Sequence[Mix]) -> np.ndarray:
    """Places of `k` candidates chosen so that the list's mix follows the user's (Steck 2018): (B, k), NOTHING pads.

    `scores` (B, n) as `scaled`. Each next one makes (1 − c) · mean score − c · divergence of the list so far largest.
    The divergence is that of `miscalibration`, over its greatest value, averaged over the `mixes`. Adding an item
    changes it by what its group gains alone, so that a step looks at groups, not at lists.
    """
    starts = np.cumsum([0, *(mix.target.shape[1] for mix in mixes)])
    nowhere = starts[-1]  # a last column, for items of no group, that nobody wants
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
        best = np.where(free, value, -np.inf).argmax(1)
        places[:, step] = np.where(free[rows, best], best, NOTHING)
        free[rows, best] = False
        for of_item in groups:
            counts[rows, of_item[rows, best]] += 1
    return places


def _gained(wanted: np.ndarray, counts: np.ndarray, n: int) -> np.ndarray:
    """How much less a list of `n` items diverges from the shares `wanted` (B, G) with one more of a group: (B, G).

    `counts` (B, G): items of each group, n − 1 at most; compared with an item of no group.
    """
    least = SMOOTHING * np.maximum(wanted, 1e-12)
    before, after = (least + (1 - SMOOTHING) * share for share in (counts / n, (counts + 1) / n))
    return np.asarray(wanted * np.log(after / before))


def interest_mixes(
    items: np.ndarray, users: np.ndarray, vectors: np.ndarray, profiles: Profiles, themes: Themes
) -> tuple[Mix, Mix]:
    """What lists should be made of for users (B,) with candidates `items` (B, n): by theme, and by tier.

    An item is of its theme, and of the tier of the user's point that it is nearest to; each point asks for its share
    of the user's strength.
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
    """`values` (B, n) at `places` (B, k), NOTHING where a place is."""
    return np.where(places == NOTHING, NOTHING, np.take_along_axis(values, places, axis=1))
