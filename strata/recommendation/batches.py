"""Lists for many users at once, for newsletters and nightly jobs: the same as one by one, but faster."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata._kernels.threads import side_by_side
from strata.data.schema import ITEM, USER
from strata.ranking.two_stage import blocks
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
    """Up to `k` items of each user in the order given, best first: user_id, place (from 1), item_id and score.

    The lists equal those of `Recommender.recommend`, without reasons. Users with corrections, and all users where the
    rules have must-includes, are computed one by one. `advance` is called with the number of users done. Raises
    UnknownId and SettingsError as `recommend` does.
    """
    rows = np.array([recommender.user_row(user) for user in user_ids], np.int64)
    filled = recommender.filled(request.model_copy(update={"explain": False}))
    k, n = filled.k, max(recommender.settings.candidates, filled.k)
    allowed = recommender.admitted(filled.filters)
    apart = np.array(
        [bool(filled.effective_rules.must_include) or user in recommender.corrections for user in user_ids], bool
    )

    def listed(part: slice) -> tuple[np.ndarray, np.ndarray]:
        return recommender.list_builder.of_many(rows[~apart][part], allowed, n, filled)

    items, scores = np.full((len(rows), k), NOTHING, np.int64), np.zeros((len(rows), k))
    parts = blocks(int((~apart).sum()), len(allowed))
    together = np.flatnonzero(~apart)
    for part, (its_items, its_scores) in zip(parts, side_by_side(listed, parts), strict=True):
        items[together[part]], scores[together[part]] = its_items, its_scores
        advance(len(its_items))
    for row in np.flatnonzero(apart).tolist():
        found = recommender.recommend(user_ids[row], filled)
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
