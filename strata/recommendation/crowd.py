"""All users' interest points and their weights, for answers that compare users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from strata._kernels.selection import NOTHING, top_k
from strata.data.catalogue import Catalogue
from strata.data.schema import USER
from strata.interests.point_facts import point_weights, tier_factors
from strata.interests.profiles import Profiles
from strata.interests.tier_words import worded
from strata.recommendation.explanation import EVIDENCE


@dataclass(frozen=True)
class Crowd:
    """All users' points and their weights, computed once per release.

    `liked` (n_users, P): weight of each point for its owner, √share × tier weight, summing to 1 for each user.
    `disliked` (n_users, D): the same for `dislikes`, without tiers, summing to `dislike`.
    """

    profiles: Profiles
    dislikes: Profiles
    liked: sparse.csr_matrix
    disliked: sparse.csr_matrix
    tier_weights: Mapping[str, float]
    timed: bool = True
    """Whether the data have times, from which tiers come."""

    @classmethod
    def of(
        cls,
        profiles: Profiles,
        n_users: int,
        *,
        tier_weights: Mapping[str, float] | None = None,
        dislike: float = 0.5,
        timed: bool = True,
    ) -> Self:
        """Weigh all points of the `n_users` users; a tier without a weight has 1."""
        dislikes, tier_weights = dislikes_of(profiles), tier_weights or {}
        liked, disliked = _by_owner(profiles, n_users, tier_weights), dislike * _by_owner(dislikes, n_users, {})
        return cls(profiles, dislikes, liked, disliked, tier_weights, timed)

    def points_of(self, user: int) -> slice:
        """The rows of one user's points."""
        return slice(*self.liked.indptr[user : user + 2].tolist())

    def user_id(self, user: int) -> str:
        """The id of a user with points."""
        return str(self.profiles.table[USER][self.points_of(user).start])


def alone(profiles: Profiles, user: int) -> Profiles:
    """One user's points and dislikes only."""
    part, dislikes = profiles.of(user), dislikes_of(profiles)
    against = dislikes.of(user)
    apart = Profiles(dislikes.table[against], dislikes.vectors[against])
    return Profiles(profiles.table[part], profiles.vectors[part], apart)


def dislikes_of(profiles: Profiles) -> Profiles:
    """The dislikes; an empty table if there are none."""
    if profiles.dislikes is None:
        return Profiles(profiles.table.clear(), profiles.vectors[:0])
    return profiles.dislikes


def weigh(points: Profiles, tier_weights: Mapping[str, float]) -> np.ndarray:
    """Weights (P,) of points by their tiers, or of dislikes: see `point_weights`."""
    tiered = "tier" in points.table.columns  # dislikes have none
    factors = tier_factors(points.facts.tiers, tier_weights) if tiered else 1.0
    return point_weights(points.table["share"].to_numpy(), points.owners, factors)


def cited(point: Mapping[str, Any], catalogue: Catalogue, *, timed: bool = True) -> str:
    """A point as reasons name it: tier, name and the first of its evidence; `timed`: whether the data have times."""
    read_from = f" ({titles(point['evidence'][:EVIDENCE], catalogue)})" if point["evidence"] else ""
    return f"{worded(point['tier'], timed=timed)} interest {point['name']}{read_from}".lstrip()


def titles(item_ids: Sequence[str], catalogue: Catalogue) -> str:
    """Titles of items in one line."""
    return ", ".join(catalogue.title_of(item) for item in item_ids)


def _by_owner(points: Profiles, n_users: int, tier_weights: Mapping[str, float]) -> sparse.csr_matrix:
    """Weight of each point for its owner: sparse (n_users, P)."""
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
