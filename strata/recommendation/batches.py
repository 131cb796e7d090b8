"""Lists for many users at once, for newsletters and nightly jobs: the same as one by one, but faster."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata._kernels.threads import side_by_side
from strata.data.schema import ITEM, USER
from strata.ranking.two_stage import blocks
from strata.recommendation.lists import ManyLists, Recommendation
from strata.recommendation.recommender import DEFAULT, Recommender
from strata.recommendation.request import ListRequest

PLACE, SCORE = "place", "score"


def recommend_many(
    recommender: Recommender,
    user_ids: Sequence[str],
    request: ListRequest = DEFAULT,
    *,
    advance: Callable[[int], None] = lambda users: None,
) -> pl.DataFrame:
    """Up to `k` items of each user in the order given, best first: user_id, place (from offset + 1), item_id and score.

    The lists equal those of `Recommender.recommend`, without reasons. Users with corrections, users whose list the
    usual candidates do not fill, and all users where must-includes or a tier mix are asked for, are computed one by
    one. `advance` is called with the number of users done. Raises UnknownId and SettingsError as `recommend` does.
    """
    rows = np.array([recommender.user_row(user) for user in user_ids], np.int64)
    filled = recommender.filled(request.model_copy(update={"explain": False}))
    allowed = recommender.admitted(filled.filters)
    alone = bool(filled.effective_rules.must_include or filled.tier_weights)
    apart = np.array([alone or user in recommender.corrections for user in user_ids], bool)
    items, scores = np.full((len(rows), filled.k), NOTHING, np.int64), np.zeros((len(rows), filled.k))

    def listed(part: slice) -> ManyLists:
        return recommender.list_builder.of_many(rows[together[part]], allowed, filled)

    def recommended(row: int) -> list[Recommendation]:
        return recommender.recommend(user_ids[row], filled)

    together = np.flatnonzero(~apart)
    parts = blocks(len(together), len(allowed))
    for part, found in zip(parts, side_by_side(listed, parts), strict=True):
        items[together[part]], scores[together[part]] = found.items, found.scores
        apart[together[part]] = found.short
        advance(int((~found.short).sum()))
    left = np.flatnonzero(apart).tolist()
    for row, each in zip(left, side_by_side(recommended, left), strict=True):
        items[row, : len(each)] = [recommender.catalogue.row(item.item_id) for item in each]
        scores[row, : len(each)] = [item.score for item in each]
        advance(1)
    user, place = (items != NOTHING).nonzero()
    return pl.DataFrame(
        {
            USER: np.asarray(user_ids, object)[user] if len(user_ids) else [],
            PLACE: filled.offset + place + 1,
            ITEM: recommender.catalogue.ids[items[user, place]],
            SCORE: scores[user, place].round(6),
        },
        schema={USER: pl.String, PLACE: pl.Int64, ITEM: pl.String, SCORE: pl.Float64},
    )
