"""Whether the interest that a recommendation cites led to it: its score without that point, and without others."""

from dataclasses import replace

import numpy as np
import polars as pl

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from strata.candidates import NearestToInterests
from strata.recommend import audience_of, select_users
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
            f"Drop of what a user's points give to the score of each of {LISTED} recommended items when the point it "
            "cites is removed, over the mean drop when another of the user's points is: cited / other.",
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
    lost = without_each(recommender, person, len(points))
    of_cited = sum(lost[point, item] for item, point in cited)
    of_others = sum(np.delete(lost[:, item], point).mean() for item, point in cited)
    return float(of_cited), float(of_others), len(cited), len(listed) - len(cited)


def without_each(recommender: Recommender, person: Person, n_points: int) -> np.ndarray:
    """What each item loses of the feature that points give the ranker when one is removed: (n_points, n_items).

    The feature keeps its scale, from the worst to the best item of the whole profile, and the other points their
    weights. Persons who lack one point each are asked for at once, as if they were so many users.
    """
    settings = recommender.settings
    one = audience_of(
        np.array([person.row]), person.history, person.profiles, settings.tier_weights,
        allowed=recommender.admitted(), exclude_seen=not settings.repeats, dislike=settings.dislike,
    )  # fmt: skip
    copies = n_points + 1
    weights = np.tile(one.weights, (copies, 1))
    weights[np.arange(n_points), np.arange(n_points)] = 0
    audience = replace(
        one,
        history=select_users(person.history, [person.row] * copies),
        points=np.tile(one.points, (copies, 1)),
        owners=np.repeat(np.arange(copies), len(one.weights)),
        weights=weights.ravel(),
    )
    generator = next(each for each in recommender.models.generators if isinstance(each, NearestToInterests))
    found = generator.propose(audience, settings.candidates)
    intact = found.scores[found.users == n_points]
    low, high = intact.min(initial=np.inf), intact.max(initial=-np.inf)
    if not low < high:
        return np.zeros((n_points, len(recommender.catalogue)))
    scores = np.zeros((copies, len(recommender.catalogue)))
    scores[found.users, found.items] = np.maximum(found.scores - low, 0) / (high - low)
    return np.asarray(scores[-1] - scores[:-1])
