"""Lists of many users of a release at once, for newsletters and nightly jobs: what asking for each gives, faster."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata._kernels.threads import side_by_side
from strata.data.filters import Filters
from strata.data.schema import ITEM, USER
from strata.ranking.two_stage import blocks
from strata.recommendation.business_rules import BusinessRules
from strata.recommendation.lists import Wish
from strata.recommendation.recommender import Recommender

PLACE, SCORE = "place", "score"


def recommend_many(
    recommender: Recommender,
    user_ids: Sequence[str],
    k: int = 10,
    *,
    tier_weights: Mapping[str, float] | None = None,
    filters: Filters | None = None,
    exclude_seen: bool | None = None,
    diversity: float | None = None,
    calibration: float | None = None,
    rules: BusinessRules | None = None,
    advance: Callable[[int], None] = lambda users: None,
) -> pl.DataFrame:
    """Up to `k` items of each user in the order given, best first: user_id, place (from 1), item_id and score.

    The options are those of `Recommender.recommend`, and so are the lists; reasons are not among what is given. Users
    who corrected something, and all where some items must be included, are asked for one by one. `advance` is told of
    users done. Raises UnknownId and SettingsError as `recommend` does.
    """
    rows = np.array([recommender.user_row(user) for user in user_ids], np.int64)
    wish = Wish(
        tier_weights or {},
        recommender.rerank.but(diversity, calibration),
        recommender.rules.but(rules),
        recommender.hides_seen(exclude_seen),
        explained=False,
    )
    n, allowed = max(recommender.settings.candidates, k), recommender.admitted(filters)
    apart = np.array([bool(wish.rules.must_include) or user in recommender.corrections for user in user_ids], bool)

    def listed(part: slice) -> tuple[np.ndarray, np.ndarray]:
        return recommender.lists.of_many(rows[~apart][part], allowed, k, n, wish)

    items, scores = np.full((len(rows), k), NOTHING, np.int64), np.zeros((len(rows), k))
    parts = blocks(int((~apart).sum()), len(allowed))
    together = np.flatnonzero(~apart)
    for part, (its_items, its_scores) in zip(parts, side_by_side(listed, parts), strict=True):
        items[together[part]], scores[together[part]] = its_items, its_scores
        advance(len(its_items))
    for row in np.flatnonzero(apart).tolist():
        found = recommender.recommend(
            user_ids[row], k, tier_weights=tier_weights, filters=filters, exclude_seen=exclude_seen,
            diversity=diversity, calibration=calibration, rules=rules, explained=False,
        )  # fmt: skip
        items[row, : len(found)] = [recommender.catalogue.row(item.item_id) for item in found]
        scores[row, : len(found)] = [item.score for item in found]
        advance(1)
    user, place = (items != NOTHING).nonzero()
    return pl.DataFrame(
        {
            USER: np.asarray(user_ids, object)[user] if len(user_ids) else [],
            PLACE: place + 1,
            ITEM: recommender.catalogue.ids[items[user, place]],
            SCORE: scores[user, place].round(6),
        },
        schema={USER: pl.String, PLACE: pl.Int64, ITEM: pl.String, SCORE: pl.Float64},
    )
