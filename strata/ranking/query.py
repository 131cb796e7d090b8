"""The query batch: the users asked for, with their histories, interest points and filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from strata._kernels.selection import NOTHING, Admission
from strata.data.history import History, ranges
from strata.embeddings.index import ItemIndex
from strata.interests.point_facts import PointFacts, point_weights, tier_factors
from strata.interests.profiles import Profiles


@dataclass(frozen=True)
class QueryBatch:
    """The users that one call recommends to, numbered 0 … B−1.

    `history`: their events, with B users. `points` (P, d): their interest points, liked ones first; `owners` (P,): user
    of each; `weights` (P,): below 0 for dislikes. `facts`: tiers, numbers and topics of the liked points. `allowed`
    (n_items,) bool: what filters admit. `times` (B,): time of each query, in seconds. `exclude_seen`: leave out items
    of the history; `exclude_hidden`: leave out those spoken against. `cosines` (P, n_items): of all
    points to all items, if the catalogue is small enough.
    """

    history: History
    points: np.ndarray
    owners: np.ndarray
    weights: np.ndarray
    facts: PointFacts
    allowed: np.ndarray
    times: np.ndarray
    exclude_seen: bool = True
    exclude_hidden: bool = True
    cosines: np.ndarray | None = None

    def __len__(self) -> int:
        return self.history.n_users

    @property
    def choices(self) -> History:
        """The events that are choices: what generators and the ranker read."""
        return self.history.choices

    @cached_property
    def barred_events(self) -> History:
        """The events whose items must not be recommended to their user."""
        if self.exclude_seen:
            return self.history
        return self.history.keep(self.history.spoken_against() & self.exclude_hidden)

    @cached_property
    def barred(self) -> np.ndarray:
        """Items that must not be recommended to each user: (B, n_items) bool."""
        found = np.zeros((len(self), self.history.n_items), bool)
        found[self.barred_events.users, self.barred_events.items] = True
        return found

    @cached_property
    def admission(self) -> Admission:
        """Item rows that filters admit, and which of them are barred for each user."""
        items = np.flatnonzero(self.allowed)
        place, barred = np.full(len(self.allowed), NOTHING), self.barred_events
        if not len(barred):
            return Admission(items, np.zeros(len(self) + 1, np.int64), items[:0])
        place[items] = np.arange(len(items))
        never = place[barred.items]
        starts = np.append(0, np.cumsum(never >= 0))[barred.offsets]
        return Admission(items, starts, never[never >= 0])


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


def query_batch(
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
) -> QueryBatch:
    """Known users (B,) rows as a query batch: their events in `history` and the points of their profiles.

    A point's weight comes from `point_weights`, a dislike's is −`dislike` × √share. `time` in seconds: one for all, or
    (B,). `index`: item index that fills `cosines` if it can.
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
    return QueryBatch(
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
