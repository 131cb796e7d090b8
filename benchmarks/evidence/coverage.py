"""Whether what users choose next lies near their points: coverage by equally many vectors of each method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from sklearn.cluster import KMeans

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.evidence.standing import Standing, standing
from strata._kernels.ward import ward_groups
from strata.data.history import DAY, History, as_date
from strata.embeddings.vectors import spread, unit
from strata.evaluation.metrics import bootstrap
from strata.ranking.query import select_users

DAYS = 30.0
MOST = 8
"""Vectors of a user, at most; as many as the user has points where these are fewer."""
USERS = 600
"""Users judged, at most: so many are drawn once where there are more."""
PAIRS, AT_ONCE = 1_000_000, 16_384
WIDE = 0.01
"""Share of the pairs of items that are near in a second, wider look."""
HALF_LIVES = (30.0, 120.0, np.inf)
"""Days in which a choice comes to count half, for means."""
HEIGHTS = (0.7, 1.0, 1.4)
"""Heights at which Ward's tree of a user's items is cut, in units of the spread of the vectors."""
FADING = 0.01
"""Of a cluster's importance Σ exp(−FADING · days), as PinnerSage has it (arXiv 2007.03634)."""
ORDERS = 3
"""Orders of a user's points that are tried: as many as settings of every other method."""
METHODS = ("Strata", "medoids", "k-means", "decayed-mean")


@dataclass(frozen=True)
class Past:
    """What is known of a user: `vectors` (m, d) of distinct items and, of each event, `item` and age in `days` (n,).

    `points` (P, d): the user's points, by several `orders` (P,) of which the best has the largest number.
    """

    vectors: np.ndarray
    item: np.ndarray
    days: np.ndarray
    points: np.ndarray
    orders: Sequence[np.ndarray]

    def weights(self, half_life: float) -> np.ndarray:
        """Decayed events of each item: (m,)."""
        return np.bincount(self.item, np.exp2(-self.days / half_life))


Way = Callable[[Past, int], np.ndarray]
"""A user's past and a number → at most so many unit vectors (k, d)."""


def points_by(order: int) -> Way:
    """The user's points, best first by one of their orders."""
    return lambda past, most: past.points[np.argsort(-past.orders[order], kind="stable")[:most]]


def medoids(height: float) -> Way:
    """PinnerSage: medoids of Ward's clusters of the items, the most important first."""

    def find(past: Past, most: int) -> np.ndarray:
        groups = ward_groups(past.vectors, np.array([0, len(past.vectors)]), height)
        importance = np.bincount(groups[past.item], np.exp(-FADING * past.days))
        best = np.argsort(-importance, kind="stable")[:most]
        members = [past.vectors[groups == group] for group in best]
        return np.stack([own[np.argmax(own @ own.sum(0))] for own in members])

    return find


def k_means(half_life: float) -> Way:
    """Centres of K-Means over the items, weighted by their decayed events."""

    def find(past: Past, most: int) -> np.ndarray:
        count = min(most, len(np.unique(past.vectors, axis=0)))
        model = KMeans(count, n_init=1, random_state=SEED).fit(past.vectors, sample_weight=past.weights(half_life))
        return unit(model.cluster_centers_)

    return find


def decayed_mean(half_life: float) -> Way:
    """One vector: repeating it would cover nothing more."""
    return lambda past, most: unit(past.weights(half_life)[None] @ past.vectors)


def settings_of(context: Context) -> list[Way]:
    """The settings of all METHODS, one method after the other, equally many of each."""
    heights = [height * spread(context.vectors) for height in HEIGHTS]
    return [
        *map(points_by, range(ORDERS)),
        *map(medoids, heights),
        *map(k_means, HALF_LIVES),
        *map(decayed_mean, HALF_LIVES),
    ]


def rows(context: Context) -> list[Row]:
    """Coverage where being near is as rare as sharing a topic, and where it is less so."""
    earlier, times = context.times("validation", DAYS), context.times("backtest", DAYS)
    if not earlier or not times:
        context.say(f"no {DAYS:g} days between the cut-offs")
        return []
    there = context.history.between(times[0], times[-1] + DAYS * DAY).active_users()
    users = np.sort(np.random.default_rng(SEED).permutation(there)[:USERS])
    history, ways = select_users(context.history, users), settings_of(context)
    nears = [cosine_of(context, rarity) for rarity in (shared_topics(context), WIDE)]
    context.say(f"{len(ways)} settings of {len(METHODS)} methods at {', '.join(map(as_date, earlier))}")
    tried, _ = covered(context, history, earlier, ways, nears)
    best = tried.sum(1).reshape(len(METHODS), ORDERS, -1).argmax(1) + ORDERS * np.arange(len(METHODS))[:, None]
    context.say(f"the best of each at {', '.join(map(as_date, times))}")
    wanted, place = np.unique(best, return_inverse=True)
    hits, cases = covered(context, history, times, [ways[way] for way in wanted], nears)
    judged = cases > 0
    shares = hits[:, judged] / cases[judged, None]
    by_method = shares[place.reshape(best.shape), :, np.arange(len(nears))]  # (methods, nears, users)
    excluded = (
        f"{context.history.n_users - judged.sum()} users: all but {len(users)} of those who choose something then, "
        f"drawn at random, and who lack a point, or a choice in the next {DAYS:g} days, at all of "
        f"{', '.join(map(as_date, times))}."
    )
    close, wide = by_method[:, 0], by_method[:, 1]
    found = [
        *_rows("coverage-30d", close, nears[0], "as rare as a shared topic", excluded),
        _rows("coverage-30d-wide", wide, nears[1], f"one in {1 / WIDE:g} pairs of items", excluded)[0],
    ]
    return [replace(row, what=f"{row.what} {context.learned}") for row in found]


def shared_topics(context: Context) -> float:
    """The share of pairs of items that have one topic."""
    sizes = np.bincount(context.topics["validation"])
    return float(((sizes / sizes.sum()) ** 2).sum())


def cosine_of(context: Context, rarity: float) -> float:
    """The cosine that such a share of all pairs of items exceeds."""
    pairs = np.random.default_rng(SEED).integers(len(context.vectors), size=(PAIRS, 2))
    parts = np.array_split(pairs, -(-PAIRS // AT_ONCE))
    cosines = [(context.vectors[part[:, 0]] * context.vectors[part[:, 1]]).sum(1) for part in parts]
    return float(np.quantile(np.concatenate(cosines), 1 - rarity))


def covered(
    context: Context, history: History, times: Sequence[float], ways: Sequence[Way], nears: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Items chosen in the days after `times` that lie near a vector of each way, and all of them.

    (ways, users, nears) and (users,), summed over times; of one time, a user's items are distinct.
    """
    hits, cases = np.zeros((len(ways), history.n_users, len(nears))), np.zeros(history.n_users)
    for time in times:
        at, ahead = standing(context, history.before(time), time), history.between(time, time + DAYS * DAY)
        bounds = np.searchsorted(at.users[at.kept], np.arange(history.n_users + 1))
        for user in range(history.n_users):
            points, chosen = at.kept[bounds[user] : bounds[user + 1]], np.unique(ahead.items[ahead.of(user)])
            if len(points) and len(chosen):
                past = _past(context, at, user, points, time)
                for number, way in enumerate(ways):
                    best = (context.vectors_at(time)[chosen] @ way(past, min(MOST, len(points))).T).max(1)
                    hits[number, user] += (best[:, None] >= nears).sum(0)
                cases[user] += len(chosen)
    return hits, cases


def _past(context: Context, at: Standing, user: int, points: np.ndarray, time: float) -> Past:
    own = at.history.of(user)
    items, item = np.unique(at.history.items[own], return_inverse=True)
    strength, persistence = at.statistics.strength[points], at.statistics.persistence[points]
    return Past(
        context.vectors_at(time)[items],
        item,
        (time - at.history.times[own]) / DAY,
        at.points.vectors[points],
        (strength, persistence * strength, at.tiers[points] + strength / (1 + strength)),
    )


def _rows(name: str, shares: np.ndarray, near: float, rarely: str, excluded: str) -> list[Row]:
    """Strata's coverage against that of the best other, then each other's own; `shares` (methods, users)."""
    best = 1 + int(shares[1:].mean(1).argmax())
    means = ", ".join(f"{method} {own.mean():.3f}" for method, own in zip(METHODS[1:], shares[1:], strict=True))
    what = (
        f"Mean over users of the share of the next {DAYS:g} days' items with a cosine of {near:.3f} or more ({rarely}) "
        f"to one of at most {MOST} vectors, as many for every method"
    )
    gain = bootstrap(shares[0] - shares[best], samples=SAMPLES, seed=SEED)
    ours = Row.of(
        name, f"{what}; {means}.", gain, "share", shares.shape[1], value=float(shares[0].mean()), excluded=excluded,
        trials=ORDERS, reference=float(shares[best].mean()), reference_name=METHODS[best],
        per_user=pl.DataFrame(dict(zip(METHODS, shares, strict=True))),
    )  # fmt: skip
    others = [
        Row.of(
            f"{name}-{method}", f"{what}: {method}.", bootstrap(own, samples=SAMPLES, seed=SEED), "share", len(own),
            excluded=excluded, trials=ORDERS, per_user=pl.DataFrame({method: own}),
        )
        for method, own in zip(METHODS[1:], shares[1:], strict=True)
    ]  # fmt: skip
    return [ours, *others]
