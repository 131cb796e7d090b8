"""What the tier mix moves: places whose reason cites an interest of a tier, at weight 3 and at 1, and what it costs."""

from collections.abc import Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled
from benchmarks.quality.time_split import Judged
from strata._kernels.selection import NOTHING
from strata._kernels.threads import side_by_side
from strata.data.schema import TIERS
from strata.evaluation.metrics import ndcg_at_k
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes
from strata.ranking.rankers import read_ranker
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.recommendation.lists import ListBuilder, Recommendation
from strata.recommendation.request import ListRequest, TierMix
from strata.recommendation.rerank import RerankSettings
from strata.settings import read_settings
from tasks import RANKER
from tasks.inputs import Inputs, folder
from tasks.models import models_at
from tasks.spaces import space_of
from tasks.window import window_between

LISTED, WEIGHT, USERS = 10, 3.0, 1_000
STEERED: Final = ("momentary", "core")
TIMES, FALL, MOST = 1.5, 1 / 3, 0.6
"""What is asked: TIMES as many places or, where the tier has more than MOST of them, FALL of the others gone."""
COLUMNS: Final = ("plain", "steered", "plain ndcg", "steered ndcg")


def rows(workspace: Path, what: str, suffix: str = "") -> tuple[list[Row], str]:
    """Rows steer-momentary and steer-core, of the test window in a workspace whose data are `what`."""
    with chdir(workspace):
        found = [row(tier, values(tier), what) for tier in STEERED]
    return [replace(one, id=one.id + suffix) for one in found], Judged.read(workspace).split


def row(tier: str, found: pl.DataFrame, what: str) -> Row:
    """The row of a tier from COLUMNS of its users: shares of places that cite it, and NDCG@10."""
    plain, steered, ndcg, after = (float(found[column].mean() or 0) for column in COLUMNS)
    change = after / ndcg - 1 if ndcg else 0.0
    told = (
        f"{what}: of {LISTED} places, {plain:.3f} cite a {tier} interest at weight 1 and {steered:.3f} at weight "
        f"{WEIGHT:g}, of users who have such interests and others; NDCG@10 goes from {ndcg:.4f} to {after:.4f} "
        f"({change:+.1%})"
    )
    sums = found.select(COLUMNS[:2]).to_numpy()
    most = plain > MOST
    interval = pooled(np.column_stack([sums, np.ones(len(sums))]), _fall if most else _times)
    value = "share of the other places that goes" if most else "share of the places over that before"
    return Row.of(
        f"steer-{tier}", f"{told}. {value.capitalize()}.", interval, "share" if most else "times", len(found),
        claim=FALL if most else TIMES, seeds=(SEED,), per_user=found,
    )  # fmt: skip


def _times(sums: np.ndarray) -> np.ndarray:
    """Steered share over plain share, which counts as one place at least, from sums (…, 3) of both and of the users."""
    return np.asarray(sums[..., 1] / np.maximum(sums[..., 0], 1 / LISTED))


def _fall(sums: np.ndarray) -> np.ndarray:
    """Share of the places of other tiers that goes; these count as one at least, too."""
    plain, steered = (sums[..., 2] - sums[..., place] for place in (0, 1))
    return np.asarray(1 - steered / np.maximum(plain, 1 / LISTED))


def having(tier: str, users: np.ndarray, profiles: Profiles) -> np.ndarray:
    """Which of the user rows (B,) have points of this tier and of others: (B,) bool."""
    of_tier = profiles.facts.tiers == TIERS.index(tier)
    return np.isin(users, profiles.owners[of_tier]) & np.isin(users, profiles.owners[~of_tier])


def cites(tier: str, listed: Sequence[Recommendation]) -> float:
    """Share of the places whose reason cites an interest of this tier; 0 of an empty list."""
    return sum(item.reason is not None and item.reason.tier == tier for item in listed) / max(len(listed), 1)


def values(tier: str) -> pl.DataFrame:
    """COLUMNS of the warm users of the test window who have points of this tier and of others, at most USERS."""
    inputs, recommend = Inputs(), read_settings(RecommendSettings, "recommend")
    window, models = window_between(inputs, "backtest", "live"), models_at(inputs, "backtest")
    window = window.only(window.warm & having(tier, window.users, models.profiles)).sample(USERS, SEED)
    ranker = read_ranker(RANKER, read_settings(RankSettings, "rank").method, models.feature_names)
    themes, vectors = Themes.read(folder("backtest") / "themes"), np.asarray(space_of("backtest").vectors)
    builder = ListBuilder(inputs.catalogue, themes, vectors, window.past, models, ranker, recommend, window.time,
                          RerankSettings())  # fmt: skip
    allowed = inputs.catalogue.available(window.time, window.past) & window.items
    found = {}
    for name, weight in zip(("plain", "steered"), (1.0, WEIGHT), strict=True):
        mix = TierMix.model_validate({tier: weight})
        request = ListRequest(k=LISTED, tier_mix=mix, exclude_seen=not window.repeats)
        lists = _lists(builder, window, allowed, request)
        ranked = np.full((len(lists), LISTED), NOTHING, np.int64)
        for place, listed in enumerate(lists):
            ranked[place, : len(listed)] = [inputs.catalogue.row(item.item_id) for item in listed]
        found[name] = np.array([cites(tier, listed) for listed in lists])
        found[f"{name} ndcg"] = ndcg_at_k(ranked, window.relevant, LISTED)
    return pl.DataFrame(found).select(COLUMNS)


def _lists(
    builder: ListBuilder, window: Window, allowed: np.ndarray, request: ListRequest
) -> list[list[Recommendation]]:
    """The list of each user of the window, with reasons."""

    def listed(user: int) -> list[Recommendation]:
        person = QueryUser(user, window.past, builder.models.profiles)
        return builder.best(person, allowed, request)

    return list(side_by_side(listed, window.users.tolist()))
