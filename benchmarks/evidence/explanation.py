"""Whether the interest that a recommendation cites led to it: its score without that point, and without others."""

from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from strata.interests.profiles import Profiles
from strata.interests.query_users import QueryUser
from strata.recommendation.loading import load_recommender
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

USERS, LISTED = 1_000, 10
RATIO = 3.0
"""Times, at least, that the cited point should matter as much as another."""


def rows(context: Context) -> list[Row]:
    """How much more the cited point matters to an item's score than another point of the same user."""
    folder = context.folder / "artifacts" / "release"
    if not folder.exists():
        context.say(f"{folder} does not exist")
        return []
    recommender = load_recommender(folder)
    drawn = sorted(np.random.default_rng(SEED).permutation(sorted(recommender.users))[:USERS])
    sums = np.array([drops(recommender, user) for user in drawn])
    cited = sums[sums[:, 2] > 0]
    return [
        Row.of(
            "explanation-fidelity",
            f"Drop of the score of each of {LISTED} recommended items when the point it cites is taken out of the "
            "profile and the user is recommended to anew, over the mean drop when another of the user's points is; a "
            "rise counts 0: cited / other.",
            pooled(cited[:, :2], share), "ratio", len(cited), claim=RATIO,
            excluded=f"{len(recommender.users) - len(cited)} users not drawn, with fewer than two points, or whose "
            f"items cite none; {int(sums[:, 3].sum())} of {int(sums[:, 2:].sum())} items, which cite none.",
            per_user=pl.DataFrame(cited[:, :2], schema=["cited", "other"]),
        )
    ]  # fmt: skip


def drops(recommender: Recommender, user: str) -> tuple[float, float, int, int]:
    """Summed drops without the cited point and, on average, without another; items that cite one, and that do not.

    An item that is said to lie near a point, not to come from it, cites none.
    """
    person = recommender.user(user)
    points = person.profiles.table["name"][person.profiles.of(person.row)].to_list()
    if len(points) < 2:
        return 0.0, 0.0, 0, 0
    listed = recommender.recommend(user, ListRequest(k=LISTED))
    reasons = [(recommender.catalogue.row(each.item_id), each.reason) for each in listed]
    cited = [(item, points.index(reason.interest)) for item, reason in reasons if reason and reason.moved]
    lost = np.maximum(without_each(recommender, person, [each.item_id for each in listed]), 0)
    place = {recommender.catalogue.row(each.item_id): number for number, each in enumerate(listed)}
    of_cited = sum(lost[point, place[item]] for item, point in cited)
    of_others = sum(np.delete(lost[:, place[item]], point).mean() for item, point in cited)
    return float(of_cited), float(of_others), len(cited), len(listed) - len(cited)


def without_each(recommender: Recommender, person: QueryUser, item_ids: list[str]) -> np.ndarray:
    """How much the score of each item falls when each of the person's points is not there: (P, len(item_ids)).

    The generators propose anew for what is left of the profile; nothing of how reasons are found is used.
    """
    mine = np.arange(*person.profiles.of(person.row).indices(len(person.profiles.table)))
    whole = _scores(recommender, person, mine, item_ids)
    return np.array([whole - _scores(recommender, person, mine[mine != point], item_ids) for point in mine])


def _scores(recommender: Recommender, person: QueryUser, points: np.ndarray, item_ids: list[str]) -> np.ndarray:
    """Scores of the items (n,) for somebody with these rows of the profile table alone, proposed or not."""
    whole, allowed = person.profiles, recommender.admitted()
    allowed[person.rejected] = False
    left = replace(person, profiles=Profiles(whole.table[points], whole.vectors[points], whole.dislikes))
    named = np.array([recommender.catalogue.row(item) for item in item_ids], np.int64)
    request = recommender.filled(ListRequest(explain=False))
    listed = recommender.list_builder.ranking(left, allowed, named, request)
    score = {each.item_id: each.score for each in listed}
    return np.array([score[item] for item in item_ids])
