"""Whether the interest that a recommendation cites led to it: its score without that point, and without others."""

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from strata.candidates import propose
from strata.explain import without_each_point
from strata.recommend import audience_of
from strata.recommender import Recommender
from strata.visitors import Person

USERS, LISTED = 1_000, 10
RATIO = 3.0
"""Times, at least, that the cited point should matter as much as another."""


def rows(context: Context) -> list[Row]:
    """How much more the cited point matters to an item's score than another point of the same user."""
    folder = context.folder / "artifacts" / "release"
    if not folder.exists():
        context.say(f"{folder} does not exist")
        return []
    recommender = Recommender.load(folder)
    drawn = sorted(np.random.default_rng(SEED).permutation(sorted(recommender.users))[:USERS])
    sums = np.array([drops(recommender, user) for user in drawn])
    cited = sums[sums[:, 2] > 0]
    return [
        Row.of(
            "explanation-fidelity",
            f"Drop of the score of each of {LISTED} recommended items when the point it cites is removed from the "
            "profile, over the mean drop (a rise counts 0) when another of the user's points is: cited / other.",
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
    listed = recommender.recommend(user, LISTED)
    reasons = [(recommender.catalogue.row(each.item_id), each.reason) for each in listed]
    cited = [(item, points.index(reason.interest)) for item, reason in reasons if reason and reason.moved]
    lost = without_each(recommender, person, [item for item, _ in reasons])
    of_cited = sum(lost[point, item] for item, point in cited)
    of_others = sum(np.maximum(np.delete(lost[:, item], point), 0).mean() for item, point in cited)
    return float(of_cited), float(of_others), len(cited), len(listed) - len(cited)


def without_each(recommender: Recommender, person: Person, items: list[int]) -> np.ndarray:
    """What each of `items` (rows) would lose of its score without each of the person's points: (P, n_items)."""
    settings = recommender.settings
    audience = audience_of(
        np.array([person.row]), person.history, person.profiles, settings.tier_weights, recommender.visitors.time,
        allowed=recommender.admitted(), exclude_seen=not settings.repeats, dislike=settings.dislike,
    )  # fmt: skip
    table = propose(audience, recommender.models.generators, settings.candidates)
    table = table.only(np.isin(table.items, items))
    lost = without_each_point(table, audience, recommender.models, recommender.ranker, settings.candidates)
    found = np.zeros((len(lost), len(recommender.catalogue)))
    found[:, table.items] = lost
    return found
