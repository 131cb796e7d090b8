"""From users to ranked items: who is asked for, which generators propose, how the list is cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from strata.candidates import Audience, FromHistory, Generator, NearestToInterests, Popular
from strata.collaborative import load_model
from strata.history import History
from strata.index import ItemIndex
from strata.profiles import Profiles
from strata.ranking import Ranker, Table
from strata.settings import Settings
from strata.storage import read_array
from strata.tiers import TIERS


class RecommendSettings(Settings):
    """What every recommendation does unless a request says otherwise."""

    candidates: int = 200
    """Items each generator proposes for a user."""
    repeats: bool = False
    """Whether what the user already had may come back: yes where people re-consume, as in retail."""
    tier_weights: dict[str, float] = dict.fromkeys(TIERS, 1.0)
    dislike: float = Field(0.5, ge=0)
    """How much dislikes take from what lies near to them."""


@dataclass(frozen=True)
class Models:
    """Everything learned up to one cut-off that recommending needs."""

    profiles: Profiles
    generators: tuple[Generator, ...]

    @classmethod
    def read(cls, folder: Path, index: ItemIndex) -> "Models":
        """Read the profiles and collaborative models of one cut-off; the index serves all of them."""
        collaborative = folder / "collaborative"
        models = sorted(collaborative.glob("*.safetensors"))
        from_history = [FromHistory(load_model(path), path.stem) for path in models]
        popular = Popular(np.asarray(read_array(collaborative / "popularity.npy")))
        generators: tuple[Generator, ...] = (NearestToInterests(index), *from_history, popular)
        return cls(Profiles.read(folder / "profiles"), generators)


def select_users(history: History, users: Sequence[int] | np.ndarray) -> History:
    """The events of `users`, who become users 0 … B−1 in the order given."""
    slices = [history.of(int(user)) for user in users]
    counts = np.array([part.stop - part.start for part in slices], np.int64)
    events = np.concatenate([np.arange(part.start, part.stop) for part in slices] or [np.zeros(0, np.int64)])
    return History(
        np.repeat(np.arange(len(slices), dtype=np.int32), counts),
        history.items[events],
        history.times[events],
        history.weights[events],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        history.n_items,
    )


def audience_of(
    users: np.ndarray,
    history: History,
    profiles: Profiles,
    tier_weights: Mapping[str, float],
    *,
    allowed: np.ndarray | None = None,
    exclude_seen: bool = True,
    dislike: float = 0.5,
) -> Audience:
    """Known users (B,) rows as an audience: their events in `history` and the points of their profiles.

    A point counts by tier weight × √share of the user's strength, scaled to sum to 1: the root keeps one strong
    point from silencing the others. A dislike counts −`dislike` × √share.
    """
    rows, owners = _rows_of(profiles, users)
    points, weights = profiles.vectors[rows], point_weights(profiles, rows, owners, tier_weights)
    if profiles.dislikes is not None and dislike > 0:
        disliked, whose = _rows_of(profiles.dislikes, users)
        against = -dislike * np.sqrt(profiles.dislikes.table["share"].to_numpy()[disliked])
        points = np.concatenate([points, profiles.dislikes.vectors[disliked]])
        owners, weights = np.concatenate([owners, whose]), np.concatenate([weights, against])
    return Audience(
        select_users(history, users),
        np.asarray(points, np.float32),
        owners,
        np.asarray(weights, np.float32),
        np.ones(history.n_items, bool) if allowed is None else allowed,
        exclude_seen,
    )


def _rows_of(profiles: Profiles, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (P,) of the users' points and the number 0 … B−1 of the user each belongs to."""
    slices = [profiles.of(int(user)) for user in users]
    rows = np.concatenate([np.arange(part.start, part.stop) for part in slices] or [np.zeros(0, np.int64)])
    return rows.astype(np.int64), np.repeat(np.arange(len(users)), [part.stop - part.start for part in slices])


def point_weights(
    profiles: Profiles, rows: np.ndarray, owners: np.ndarray, tier_weights: Mapping[str, float]
) -> np.ndarray:
    """Weights (P,) of profile rows, summing to 1 for each owner."""
    chosen = profiles.table[rows]
    by_tier = chosen["tier"].replace_strict({tier: tier_weights.get(tier, 1.0) for tier in TIERS}, default=1.0)
    weights = by_tier.to_numpy().astype(np.float64) * np.sqrt(chosen["share"].to_numpy())
    total = np.bincount(owners, weights, minlength=int(owners.max(initial=-1)) + 1)
    return np.asarray(weights / np.maximum(total[owners], 1e-12), np.float32)


def propose(audience: Audience, generators: Sequence[Generator], n: int) -> Table:
    """Ask every generator and put the answers side by side."""
    proposals = {generator.name: generator.propose(audience, n) for generator in generators}
    return Table.join(proposals, n_items=audience.history.n_items)


def rank(audience: Audience, generators: Sequence[Generator], ranker: Ranker, *, k: int, n: int) -> np.ndarray:
    """Best k item rows of each user of the audience: (B, k), NOTHING pads."""
    table = propose(audience, generators, n)
    return table.items_at(table.top(ranker.scores(table), len(audience), k))
