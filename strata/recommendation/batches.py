"""Lists for many users at once, for newsletters and nightly jobs: the same as one by one, but faster."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from strata._kernels.selection import NOTHING
from strata._kernels.threads import side_by_side
from strata.data.schema import ITEM, USER
from strata.interests.query_users import QueryUser
from strata.ranking.two_stage import blocks
from strata.recommendation.lists import ListBuilder, Recommendation
from strata.recommendation.recommender import DEFAULT, Recommender
from strata.recommendation.request import ListRequest
from strata.recommendation.scoring import ManyLists

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
    apart = np.array([user in recommender.corrections for user in user_ids], bool)

    def recommended(row: int) -> list[Recommendation]:
        return recommender.recommend(user_ids[row], filled)

    allowed = recommender.admitted(filled.filters)
    items, scores = lists_of(recommender.list_builder, rows, allowed, filled, recommended, apart, advance)
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


def lists_of(
    builder: ListBuilder,
    users: np.ndarray,
    allowed: np.ndarray,
    request: ListRequest,
    alone: Callable[[int], list[Recommendation]] | None = None,
    apart: np.ndarray | None = None,
    advance: Callable[[int], None] = lambda users: None,
) -> tuple[np.ndarray, np.ndarray]:
    """The lists of user rows (B,): item rows, best first, NOTHING pads, and their scores; both (B, k).

    `allowed` (n_items,) bool: what may be listed; `request`: filled. `alone` gives the list of one of them, a number
    below B, and does so for those `apart` (B,) bool, for all where must-includes or a tier mix are asked for, and
    where the usual candidates do not fill a list.
    """

    def best(row: int) -> list[Recommendation]:
        person = QueryUser(int(users[row]), builder.history, builder.models.profiles)
        return builder.best(person, allowed, request)

    def listed(part: slice) -> ManyLists:
        return builder.of_many(users[together[part]], allowed, request)

    apart = np.zeros(len(users), bool) if apart is None else apart.copy()
    apart |= bool(request.effective_rules.must_include or request.tier_weights)
    items, scores = np.full((len(users), request.k), NOTHING, np.int64), np.zeros((len(users), request.k))
    together = np.flatnonzero(~apart)
    parts = blocks(len(together), len(allowed))
    for part, found in zip(parts, side_by_side(listed, parts), strict=True):
        items[together[part]], scores[together[part]] = found.items, found.scores
        apart[together[part]] = found.short
        advance(int((~found.short).sum()))
    left = np.flatnonzero(apart).tolist()
    for row, each in zip(left, side_by_side(alone or best, left), strict=True):
        items[row, : len(each)] = [builder.catalogue.row(item.item_id) for item in each]
        scores[row, : len(each)] = [item.score for item in each]
        advance(1)
    return items, scores
