"""From users to ranked items: who is asked for, which generators propose, what ranks, how the list is cut."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from strata.arrivals import Arrivals
from strata.behaviour import Behaviour
from strata.candidates import Audience, Generator, Table, propose
from strata.catalogue import Catalogue
from strata.facts import point_weights, tier_factors
from strata.generators import NearestToInterests
from strata.history import History, ranges
from strata.index import ItemIndex
from strata.lambdamart import REPORT, LambdaMart
from strata.metrics import NOTHING
from strata.profiles import Profiles
from strata.ranking import SUM, WeightedSum
from strata.recommend_settings import RecommendSettings
from strata.signals import Signals
from strata.tiers import TIERS
from strata.tuning import Window

Ranker = WeightedSum | LambdaMart


def read_ranker(folder: Path, method: str) -> Ranker:
    """The ranker of a folder that the stage `rank` wrote, by the method of its settings.

    The sum ranks where there was nothing that trees could have learned from.
    """
    learned = method == "lambdamart" and (folder / REPORT).exists()
    return LambdaMart.read(folder) if learned else WeightedSum.read(folder / SUM)


@dataclass(frozen=True)
class Models:
    """Everything learned up to one cut-off that recommending needs."""

    profiles: Profiles
    generators: tuple[Generator, ...]
    signals: Signals

    @classmethod
    def of(
        cls,
        profiles: Profiles,
        behaviour: Behaviour,
        index: ItemIndex,
        catalogue: Catalogue,
        vectors: np.ndarray,
        topics: np.ndarray,
        past: History,
    ) -> Self:
        """Put together what one cut-off has; `topics` (n_items,), `past`: all events before it."""
        signals = Signals.before(catalogue, np.asarray(vectors), topics, past)  # a view: memory maps are slow to index
        arrivals = Arrivals.of(catalogue, topics, past)
        return cls(profiles, (NearestToInterests(index), *behaviour.generators(topics), arrivals), signals)

    @property
    def names(self) -> tuple[str, ...]:
        """The generators' names, in order."""
        return tuple(generator.name for generator in self.generators)

    @property
    def arrivals(self) -> np.ndarray:
        """Rows of the items that are new."""
        return next(each.items for each in self.generators if isinstance(each, Arrivals))

    def score(self, table: Table, audience: Audience, ranker: Ranker) -> np.ndarray:
        """Score of each row of a table of candidates (n,), comparable within a user."""
        if isinstance(ranker, WeightedSum):
            return ranker.scores(table)
        return ranker.scores(self.signals.of(table, audience))


def select_users(history: History, users: Sequence[int] | np.ndarray) -> History:
    """The events of `users`, who become users 0 … B−1 in the order given."""
    rows = np.asarray(users, np.int64)
    events, owners = ranges(history.offsets[rows], history.offsets[rows + 1])
    return History(
        owners.astype(np.int32),
        history.items[events],
        history.times[events],
        history.weights[events],
        np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(rows)))]).astype(np.int64),
        history.n_items,
    )


def audience_of(
    users: np.ndarray,
    history: History,
    profiles: Profiles,
    tier_weights: Mapping[str, float],
    time: float | np.ndarray,
    *,
    allowed: np.ndarray | None = None,
    exclude_seen: bool = True,
    dislike: float = 0.5,
) -> Audience:
    """Known users (B,) rows as an audience: their events in `history` and the points of their profiles.

    A point counts by `point_weights`, a dislike −`dislike` × √share. `time`, in seconds: of all or of each.
    """
    rows, owners = _rows_of(profiles, users)
    facts = profiles.facts.take(rows)
    points, factors = profiles.vectors[rows], tier_factors(facts.tiers, tier_weights)
    weights = point_weights(facts.shares, owners, factors)
    if profiles.dislikes is not None and dislike > 0 and len(profiles.dislikes.table):
        disliked, whose = _rows_of(profiles.dislikes, users)
        against = -dislike * np.sqrt(profiles.dislikes.table["share"].to_numpy()[disliked])
        points = np.concatenate([points, profiles.dislikes.vectors[disliked]])
        owners, weights = np.concatenate([owners, whose]), np.concatenate([weights, against])
    return Audience(
        select_users(history, users),
        np.asarray(points, np.float32),
        owners,
        np.asarray(weights, np.float32),
        facts,
        np.ones(history.n_items, bool) if allowed is None else allowed,
        np.broadcast_to(np.asarray(time, np.float64), len(users)),
        exclude_seen,
    )


def _rows_of(profiles: Profiles, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (P,) of the users' points and the number 0 … B−1 of the user each belongs to."""
    owners = profiles.owners
    return ranges(np.searchsorted(owners, users), np.searchsorted(owners, users, "right"))


def mix(
    table: Table,
    audience: Audience,
    vectors: np.ndarray,
    scores: np.ndarray,
    tier_weights: Mapping[str, float] | None,
) -> np.ndarray:
    """What a wish for more of some tiers adds to the scores (n,) of the only user's table: 0 without one.

    An item nearest to a point of a tier gains ln(weight) standard deviations of the scores; LEAST_WISH bounds it.
    """
    n_points = len(audience.facts.tiers)
    if not tier_weights or not n_points or not len(table):
        return np.zeros(len(table))
    nearest = (vectors[table.items] @ audience.points[:n_points].T).argmax(1)
    wished = np.array([max(tier_weights.get(tier, 1.0), LEAST_WISH) for tier in TIERS])
    return np.asarray(np.log(wished)[audience.facts.tiers[nearest]] * max(float(scores.std()), 1e-9))


LEAST_WISH = 1e-2
"""Weight at which a tier is as good as unwanted; its items still come when there is nothing else."""
SCORES_AT_ONCE = 8_000_000
"""Users × items whose scores one generator holds in memory."""


def tables(
    window: Window, models: Models, settings: RecommendSettings, available: np.ndarray
) -> Iterator[tuple[slice, Audience, Table]]:
    """Candidates for the users of a window, a block of users at a time: which of them, as an audience, the table."""
    block = max(1, SCORES_AT_ONCE // max(window.past.n_items, 1))
    for start in range(0, max(len(window.users), 1), block):  # a window without users has an empty table
        part = slice(start, min(start + block, len(window.users)))
        audience = audience_of(
            window.users[part],
            window.past,
            models.profiles,
            settings.tier_weights,
            window.time if window.asked is None else window.asked[part],
            allowed=available & window.items,
            exclude_seen=not window.repeats,
            dislike=settings.dislike,
        )
        yield part, audience, propose(audience, models.generators, settings.candidates)


def rank(
    window: Window, models: Models, ranker: Ranker, settings: RecommendSettings, available: np.ndarray, k: int
) -> np.ndarray:
    """Best k item rows of each user of the window: (B, k), NOTHING pads."""
    ranked = np.full((len(window.users), k), NOTHING, np.int64)
    for part, audience, table in tables(window, models, settings, available):
        scores = models.score(table, audience, ranker)
        ranked[part] = table.items_at(table.top(scores, len(audience), k))
    return ranked
