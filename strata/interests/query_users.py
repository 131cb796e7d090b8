"""The person a request is about: a user of the release, or a new one profiled on the spot from choices or texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from strata._kernels.ward import ward_groups
from strata.data.filters import rows_of
from strata.data.history import History
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler
from strata.interests.said import said_points
from strata.interests.settings import TierSettings


@dataclass(frozen=True)
class QueryUser:
    """The user at `row` of a history and of profiles; other users in them are ignored.

    `rejected`: item rows not to recommend. `is_query`: whether the points come from a search text rather
    than from behaviour or a bio.
    """

    row: int
    history: History
    profiles: Profiles
    rejected: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    is_query: bool = False

    @property
    def seen(self) -> np.ndarray:
        """Item rows of the person's events."""
        return self.history.items[self.history.of(self.row)]


@dataclass(frozen=True)
class PastChoice:
    """An item of a visitor's history; a behaviour of negative weight speaks against it. `time`: seconds since 1970."""

    item_id: str
    behaviour: str | None = None
    time: float | None = None


class NewUsers:
    """Profiles persons who are not in the release, by the same rules as its users."""

    def __init__(self, profiler: Profiler, time: float, weights: Mapping[str, float]) -> None:
        """`time`: end of the release's data, in seconds; `weights`: by behaviour."""
        self.profiler = profiler
        self.time = time
        self.weights = weights
        # Compile now (seconds, unless numba has it cached), so that no request waits for it.
        ward_groups(np.eye(2, dtype=np.float32), np.array([0, 2]), 1.0)

    @property
    def settings(self) -> TierSettings:
        """The rules of tiers."""
        return self.profiler.settings

    def from_choices(self, picks: Sequence[PastChoice]) -> QueryUser:
        """A person with this history, in time order. Raises UnknownId naming the items that do not exist.

        A choice without time comes a second after the one before it; if none has a time, they form one session that
        has just ended.
        """
        catalogue = self.profiler.catalogue
        items = rows_of([pick.item_id for pick in picks], catalogue)
        times: list[float] = []
        for pick in picks:
            before = times[-1] if times else self.time - len(picks) - 1
            times.append(before + 1 if pick.time is None else pick.time)
        weights = [1.0 if pick.behaviour is None else self.weights[pick.behaviour] for pick in picks]
        history = History.from_columns(
            np.zeros(len(picks)), items, np.array(times), np.array(weights), n_users=1, n_items=len(catalogue)
        )
        liked, now = history.positive(), max([self.time, *(time + 1 for time in times)])
        return QueryUser(0, liked, self.profiler.profiles(history, now)[0], history.items[history.weights < 0])

    def from_texts(self, vectors: np.ndarray, *, query: bool = True) -> QueryUser:
        """A person of whom only texts are known: each unit vector (n, t) of a text becomes a point of the space.

        Search texts (`query`) are momentary; what people say of themselves, as in a bio, is core.
        """
        themes, points = self.profiler.themes, self.profiler.space.of_texts(vectors)
        nothing = History.from_columns(*(np.zeros(0) for _ in range(4)), n_users=1, n_items=len(themes.of_item))
        table = said_points(points, themes, self.profiler.catalogue, query=query)
        return QueryUser(0, nothing, Profiles(table, points), is_query=query)
