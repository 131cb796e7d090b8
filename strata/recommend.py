"""From users to ranked items: who is asked for, which generators propose, what ranks, how the list is cut."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
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
from strata.profiles import Profiles
from strata.ranking import SUM, WeightedSum
from strata.recommend_settings import RecommendSettings
from strata.signals import Signals
from strata.threads import cores, side_by_side
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
    def index(self) -> ItemIndex:
        """The items by their vectors."""
        return next(each.index for each in self.generators if isinstance(each, NearestToInterests))

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
        history.chosen[events],
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
    exclude_hidden: bool = True,
    dislike: float = 0.5,
    index: ItemIndex | None = None,
) -> Audience:
    """Known users (B,) rows as an audience: their events in `history` and the points of their profiles.

    A point counts by `point_weights`, a dislike −`dislike` × √share. `time`, in seconds: of all or of each. `index`, of
    the items, where their cosines to the points are wanted, as far as it tells them.
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
    points = np.asarray(points, np.float32)
    return Audience(
        select_users(history, users),
        points,
        owners,
        np.asarray(weights, np.float32),
        facts,
        np.ones(history.n_items, bool) if allowed is None else allowed,
        np.broadcast_to(np.asarray(time, np.float64), len(users)),
        exclude_seen,
        exclude_hidden,
        None if index is None else index.cosines(points),
    )


def _rows_of(profiles: Profiles, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (P,) of the users' points and the number 0 … B−1 of the user each belongs to."""
    owners = profiles.owners
    return ranges(np.searchsorted(owners, users), np.searchsorted(owners, users, "right"))


def mix(
    table: Table,
    audience: Audience,
    signals: Signals,
    scores: np.ndarray,
    tier_weights: Mapping[str, float] | None,
) -> np.ndarray:
    """What a wish for more of some tiers adds to the scores (n,) of a table: 0 without one.

    An item nearest to a point of a tier gains ln(weight) standard deviations of its user's scores; LEAST_WISH bounds
    it.
    """
    if not tier_weights:
        return np.zeros(len(table))
    wished = np.log([max(tier_weights.get(tier, 1.0), LEAST_WISH) for tier in TIERS])
    rows = np.maximum(np.bincount(table.users, minlength=len(audience)), 1)
    means = np.bincount(table.users, scores, len(audience)) / rows
    squares = np.bincount(table.users, (scores - means[table.users]) ** 2, len(audience))
    deviation = np.maximum(np.sqrt(squares / rows), 1e-9)
    return np.asarray(np.append(wished, 0)[signals.nearest_tiers(table, audience)] * deviation[table.users])


LEAST_WISH = 1e-2
"""Weight at which a tier is as good as unwanted; its items still come when there is nothing else."""
SCORES_AT_ONCE = 4_000_000
"""Users × items whose scores one generator holds in memory."""
USERS_AT_ONCE = 256
"""At most: what is known of more does not stay in a processor's cache."""


def blocks(n_users: int, n_items: int) -> list[slice]:
    """Users in blocks of about the same size that fit in memory, some for each core; an empty one where nobody is."""
    most = min(max(1, SCORES_AT_ONCE // max(n_items, 1)), USERS_AT_ONCE)
    n_blocks = max(-(-n_users // most), 1)
    if n_users > n_blocks > 1:
        n_blocks = min(-(-n_blocks // cores()) * cores(), n_users)
    bounds = np.arange(n_blocks + 1) * n_users // n_blocks
    return [slice(int(start), int(stop)) for start, stop in pairwise(bounds)]


def tables(
    window: Window, models: Models, settings: RecommendSettings, available: np.ndarray
) -> Iterator[tuple[slice, Audience, Table]]:
    """Candidates for the users of a window, a block of users at a time: which of them, as an audience, the table."""
    asked = partial(_asked, window=window, models=models, settings=settings, available=available)
    return side_by_side(asked, blocks(len(window.users), window.past.n_items))


def rank(
    window: Window, models: Models, ranker: Ranker, settings: RecommendSettings, available: np.ndarray, k: int
) -> np.ndarray:
    """Best k item rows of each user of the window: (B, k), NOTHING pads."""

    def best(part: slice) -> np.ndarray:
        _, audience, table = _asked(part, window, models, settings, available)
        return table.items_at(table.top(models.score(table, audience, ranker), len(audience), k))

    return np.concatenate(list(side_by_side(best, blocks(len(window.users), window.past.n_items))))


def _asked(
    part: slice, window: Window, models: Models, settings: RecommendSettings, available: np.ndarray
) -> tuple[slice, Audience, Table]:
    audience = audience_of(
        window.users[part],
        window.past,
        models.profiles,
        settings.tier_weights,
        window.time if window.asked is None else window.asked[part],
        allowed=available & window.items,
        exclude_seen=not window.repeats,
        dislike=settings.dislike,
        index=models.index,
    )
    return part, audience, propose(audience, models.generators, settings.candidates)
