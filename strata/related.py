"""Who shares an interest: users alike, and the audience of an item or a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from strata.catalogue import Catalogue
from strata.explain import EVIDENCE
from strata.facts import point_weights, tier_factors
from strata.metrics import NOTHING
from strata.profiles import Profiles
from strata.schema import USER
from strata.selection import top_k

AT_ONCE = 4_096
"""Users whose points are compared at a time."""
MOST = 3
"""Shared interests that are named."""


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
    """Somebody of like interests: `similarity` up to 1, for the same interests of the same weight."""

    user_id: str
    similarity: float
    shared: tuple[SharedInterest, ...]
    text: str


@dataclass(frozen=True)
class Member:
    """A user of an audience, and the interest that adds most to the `score`; `evidence` are item ids."""

    user_id: str
    score: float
    interest: str
    tier: str
    similarity: float
    evidence: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Crowd:
    """Everybody's points and what they count, made once per release for one answer after another.

    `liked` (n_users, P): weight of each point with its owner, √share × tier weight, summing to 1 for each user.
    `disliked` (n_users, D): the same of `dislikes`, summing to what a dislike counts.
    """

    profiles: Profiles
    dislikes: Profiles
    liked: sparse.csr_matrix
    disliked: sparse.csr_matrix
    tier_weights: Mapping[str, float]

    @classmethod
    def of(
        cls, profiles: Profiles, n_users: int, *, tier_weights: Mapping[str, float] | None = None, dislike: float = 0.5
    ) -> Self:
        """Weigh all points of the `n_users` users; a tier without weight counts 1."""
        dislikes, tier_weights = dislikes_of(profiles), tier_weights or {}
        liked, disliked = _by_owner(profiles, n_users, tier_weights), dislike * _by_owner(dislikes, n_users, {})
        return cls(profiles, dislikes, liked, disliked, tier_weights)

    def points_of(self, user: int) -> slice:
        """The rows of one user's points."""
        return slice(*self.liked.indptr[user : user + 2].tolist())

    def user_id(self, user: int) -> str:
        """The id of a user with points."""
        return str(self.profiles.table[USER][self.points_of(user).start])


def similar_users(own: Profiles, crowd: Crowd, k: int, without: Sequence[int] | np.ndarray = ()) -> list[SimilarUser]:
    """Up to `k` users with the interests nearest to one person's, nearest first; none of the rows `without`.

    `own`: the person's points alone (`alone`). Each of them is compared with the nearest of the other's, by
    max(0, cosine), and each of the other's with the nearest of theirs; the similarity is the mean of the two weighted
    sums, so that both must find what they like in the other. Users without anything in common are left out.
    """
    if not len(own.vectors):
        return []
    weights = weigh(own, crowd.tier_weights)
    alike = _alike(own.vectors, weights, crowd)
    found = []
    for user, similarity in _best(alike, k, without):
        shared = _shared(own, weights, crowd, user)
        text = "; ".join(f"your {s.tier} {s.name} and their {s.their_tier} {s.their_name}" for s in shared)
        found.append(SimilarUser(crowd.user_id(user), similarity, shared, text[:1].upper() + text[1:]))
    return found


def audience_for(
    vector: np.ndarray, crowd: Crowd, catalogue: Catalogue, k: int, without: Sequence[int] | np.ndarray = ()
) -> list[Member]:
    """Up to `k` users whom an item or a text of unit `vector` (d,) concerns most; none of the rows `without`.

    r_u = Σ_p w_p · max(0, x_p · v) over the points of a user, less the same over the dislikes. Who comes to 0 or less
    is no audience; those who have the item already belong into `without`.
    """
    cosines = np.asarray(crowd.profiles.vectors @ vector)
    against = crowd.disliked @ np.maximum(crowd.dislikes.vectors @ vector, 0)
    added = crowd.liked.data * np.maximum(cosines, 0)
    members = []
    for user, score in _best(crowd.liked @ np.maximum(cosines, 0) - against, k, without):
        points = crowd.points_of(user)
        row = points.start + int(added[points].argmax())
        point = crowd.profiles.table.row(row, named=True)
        text = f"Fits their {cited(point, catalogue)}, {point['because']}"
        evidence = tuple(point["evidence"][:EVIDENCE])
        similarity = round(float(cosines[row]), 3)
        members.append(Member(point[USER], score, point["name"], point["tier"], similarity, evidence, text))
    return members


def alone(profiles: Profiles, user: int) -> Profiles:
    """One user's points and dislikes without anybody else's."""
    part, dislikes = profiles.of(user), dislikes_of(profiles)
    against = dislikes.of(user)
    apart = Profiles(dislikes.table[against], dislikes.vectors[against])
    return Profiles(profiles.table[part], profiles.vectors[part], apart)


def dislikes_of(profiles: Profiles) -> Profiles:
    """The dislikes, be it none."""
    if profiles.dislikes is None:
        return Profiles(profiles.table.clear(), profiles.vectors[:0])
    return profiles.dislikes


def weigh(points: Profiles, tier_weights: Mapping[str, float]) -> np.ndarray:
    """Weights (P,) of points by their tiers, or of dislikes: see `point_weights`."""
    tiered = "tier" in points.table.columns  # dislikes are of none
    factors = tier_factors(points.facts.tiers, tier_weights) if tiered else 1.0
    return point_weights(points.table["share"].to_numpy(), points.owners, factors)


def cited(point: Mapping[str, Any], catalogue: Catalogue) -> str:
    """A point as reasons name it: tier, name and the first of its evidence."""
    read_from = f" ({titles(point['evidence'][:EVIDENCE], catalogue)})" if point["evidence"] else ""
    return f"{point['tier']} interest {point['name']}{read_from}"


def titles(item_ids: Sequence[str], catalogue: Catalogue) -> str:
    """Titles of items in one line."""
    return ", ".join(catalogue.title_of(item) for item in item_ids)


def _by_owner(points: Profiles, n_users: int, tier_weights: Mapping[str, float]) -> sparse.csr_matrix:
    """Users × points, what each point counts."""
    starts = np.searchsorted(points.owners, np.arange(n_users + 1))
    n_points = len(points.vectors)
    return sparse.csr_matrix((weigh(points, tier_weights), np.arange(n_points), starts), shape=(n_users, n_points))


def _best(scores: np.ndarray, k: int, without: Sequence[int] | np.ndarray) -> list[tuple[int, float]]:
    """The `k` users with the best of `scores` (n_users,) above 0, and those scores, rounded; ties by row."""
    scores = scores.astype(np.float64).round(6)
    scores = np.where(scores > 0, scores, -np.inf)
    scores[np.asarray(without, np.int64)] = -np.inf
    users, best = top_k(scores[None], k)
    return [(u, s) for u, s in zip(users[0].tolist(), best[0].tolist(), strict=True) if u != NOTHING]


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
    """The weightiest pairs of points that are each other's nearest."""
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
