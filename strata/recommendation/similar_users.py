"""Users with similar interests, and the interests they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from strata.interests.profiles import Profiles
from strata.interests.tier_words import worded
from strata.recommendation.crowd import Crowd, _best, weigh

AT_ONCE = 4_096
"""Users whose points are compared at a time."""
MOST = 3
"""Most shared interests named per user."""


@dataclass(frozen=True)
class SharedInterest:
    """Two points that are each other's nearest; `similarity` is their cosine."""

    name: str
    tier: str
    their_name: str
    their_tier: str
    similarity: float


@dataclass(frozen=True)
class SimilarUser:
    """A user with similar interests; `similarity` is 1 for the same points with the same weights."""

    user_id: str
    similarity: float
    shared: tuple[SharedInterest, ...]
    text: str


def similar_users(own: Profiles, crowd: Crowd, k: int, without: Sequence[int] | np.ndarray = ()) -> list[SimilarUser]:
    """Up to `k` users with the interests nearest to one person's, nearest first, leaving out user rows `without`.

    `own`: the person's points only (see `alone`). Each is matched to the other user's nearest by max(0, cosine), and
    each of the other's to the nearest of `own`; the similarity is the mean of the two weighted sums, so that it is high
    only if each covers the other. Users without anything in common are left out.
    """
    if not len(own.vectors):
        return []
    weights = weigh(own, crowd.tier_weights)
    alike = _alike(own.vectors, weights, crowd)
    found = []
    for user, similarity in _best(alike, k, without):
        shared = _shared(own, weights, crowd, user)
        text = "; ".join(_said(pair, timed=crowd.timed) for pair in shared)
        found.append(SimilarUser(crowd.user_id(user), similarity, shared, text[:1].upper() + text[1:]))
    return found


def _said(pair: SharedInterest, *, timed: bool) -> str:
    yours, theirs = worded(pair.tier, timed=timed), worded(pair.their_tier, timed=timed)
    return " ".join(f"your {yours} {pair.name} and their {theirs} {pair.their_name}".split())


def _alike(mine: np.ndarray, weights: np.ndarray, crowd: Crowd) -> np.ndarray:
    """Similarity of points (m, d) with their weights to every user: (n_users,), 0 for users without points."""
    starts, alike = crowd.liked.indptr, np.zeros(crowd.liked.shape[0])
    users = np.flatnonzero(np.diff(starts))
    for first in range(0, len(users), AT_ONCE):
        block = users[first : first + AT_ONCE]
        points = slice(starts[block[0]], starts[block[-1] + 1])
        cosines = np.maximum(mine @ crowd.profiles.vectors[points].T, 0)
        at = starts[block] - points.start
        theirs_for_mine = weights @ np.maximum.reduceat(cosines, at, axis=1)
        mine_for_theirs = np.add.reduceat(crowd.liked.data[points] * cosines.max(0), at)
        alike[block] = (theirs_for_mine + mine_for_theirs) / 2
    return alike


def _shared(own: Profiles, weights: np.ndarray, crowd: Crowd, user: int) -> tuple[SharedInterest, ...]:
    """The pairs of points that are each other's nearest, by largest weight."""
    points = crowd.points_of(user)
    cosines = np.asarray(own.vectors @ crowd.profiles.vectors[points].T)
    nearest = cosines.argmax(1)
    mutual = np.flatnonzero(cosines.argmax(0)[nearest] == np.arange(len(nearest)))
    weight = weights[mutual] * crowd.liked.data[points][nearest[mutual]] * cosines[mutual, nearest[mutual]]
    shared = []
    for mine in mutual[np.argsort(-weight, kind="stable")[:MOST]].tolist():
        theirs = int(nearest[mine])
        yours, other = own.table.row(mine, named=True), crowd.profiles.table.row(points.start + theirs, named=True)
        similarity = round(float(cosines[mine, theirs]), 3)
        shared.append(SharedInterest(yours["name"], yours["tier"], other["name"], other["tier"], similarity))
    return tuple(shared)
