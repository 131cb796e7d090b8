"""The person a request is about: a user of the release, or a new one profiled on the spot from choices or texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from strata._kernels.ward import ward_groups
from strata.data.filters import rows_of
from strata.data.history import History
from strata.data.schema import BEHAVIOUR, CHOSEN, VALUE, WEIGHT, Behaviour
from strata.data.weights import RATE, RatingSettings, weigh
from strata.errors import StrataError
from strata.interests.corrections import NOTHING_CORRECTED, Corrections
from strata.interests.profiles import Profiles
from strata.interests.profiling import Profiler, unlike
from strata.interests.said import said_dislikes, said_points
from strata.interests.settings import TierSettings
from strata.interests.statements import NOTHING_STATED, Statements
from strata.interests.understanding import Meaning, Reader
from strata.language.opinions import Opinion
from strata.timing import timed

GIVEN = pl.Schema({BEHAVIOUR: pl.String(), VALUE: pl.Float64()})


@dataclass(frozen=True)
class QueryUser:
    """The user at `row` of a history and of profiles; other users in them are ignored.

    `rejected`: item rows not to recommend. `is_query`: whether the points come from a search text rather
    than from behaviour or a bio. `heard`: what words were taken to mean, where the person is made of opinions.
    `rated`: item rows and values of ratings that came with the request. `user_id`: of a user, "" of a visitor;
    `statements`, `corrections`: their own, which hold at any time. `lately`: what they searched for or wrote lately
    was taken to mean, beside what they did; `asked`: that of it which asks for something.
    """

    row: int
    history: History
    profiles: Profiles
    rejected: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    is_query: bool = False
    heard: tuple[Meaning, ...] | None = None
    rated: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.zeros(0, np.int64), np.zeros(0)))
    user_id: str = ""
    statements: Statements = NOTHING_STATED
    corrections: Corrections = NOTHING_CORRECTED
    lately: tuple[Meaning, ...] = ()
    asked: tuple[Meaning, ...] = ()

    @property
    def unknown(self) -> bool:
        """Whether this is somebody whom nobody knows by their id."""
        return bool(self.user_id) and self.heard is not None

    @property
    def says_nothing(self) -> bool:
        """Whether words alone are known, and none of them wants anything that the catalogue has."""
        return self.heard is not None and not any(each.wanted for each in self.heard)

    @property
    def nothing_found(self) -> bool:
        """Whether these words refuse nothing either."""
        return self.says_nothing and not self.unknown and not any(each.refused for each in self.heard or ())

    @property
    def seen(self) -> np.ndarray:
        """Item rows of the person's events."""
        return self.history.items[self.history.of(self.row)]


@dataclass(frozen=True)
class PastChoice:
    """An item of a visitor's history; a behaviour of negative weight or a low rating speaks against it.

    `time`: seconds since 1970; `value`: of a rating, which it is if nothing else is said.
    """

    item_id: str
    behaviour: Behaviour | None = None
    time: float | None = None
    value: float | None = None


class NewUsers:
    """Profiles persons who are not in the release, by the same rules as its users."""

    def __init__(
        self,
        profiler: Profiler,
        time: float,
        weights: Mapping[Behaviour, float],
        rating: RatingSettings = RatingSettings(),  # noqa: B008
        reader: Reader | None = None,
    ) -> None:
        """`time`: end of the release's data, in seconds; `weights`: by behaviour; `rating`: the scale of ratings.

        `reader`: reads what words mean; only `from_opinions` needs it.
        """
        self.profiler = profiler
        self.time = time
        self.weights = weights
        self.rating = rating
        self.reader = reader
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
        history, rated = self.chosen(picks)
        with timed("profile"):
            profiles, _ = self.profiler.profiles(history, max([self.time, *(history.times + 1).tolist()]))
        return QueryUser(0, history, profiles, history.items[history.spoken_against()], rated=rated)

    def chosen(self, picks: Sequence[PastChoice]) -> tuple[History, tuple[np.ndarray, np.ndarray]]:
        """The history of one user with these choices, and item rows and values of the ratings in them.

        Times and errors as in `from_choices`.
        """
        catalogue = self.profiler.catalogue
        items = rows_of([pick.item_id for pick in picks], catalogue)
        times: list[float] = []
        for pick in picks:
            before = times[-1] if times else self.time - len(picks) - 1
            times.append(before + 1 if pick.time is None else pick.time)
        behaviours = [RATE if pick.behaviour is None and pick.value is not None else pick.behaviour for pick in picks]
        given = {BEHAVIOUR: behaviours, VALUE: [pick.value for pick in picks]}
        events = weigh(pl.DataFrame(given, GIVEN), self.weights, self.rating, {})
        weights, chosen = events[WEIGHT].fill_null(1.0), events[CHOSEN].fill_null(value=True)
        history = History.from_columns(
            np.zeros(len(picks)), items, np.array(times), weights.to_numpy(), chosen.to_numpy(),
            n_users=1, n_items=len(catalogue),
        )  # fmt: skip
        values = [pick.value if name == RATE else None for pick, name in zip(picks, behaviours, strict=True)]
        rated = [place for place, value in enumerate(values) if value is not None]
        return history, (items[rated], np.array([values[place] for place in rated], np.float64))

    def unknown(self, user_id: str) -> QueryUser:
        """Somebody of whom nothing is known but their id."""
        history = self._no_history()
        profiles, _ = self.profiler.profiles(history, self.time, [user_id])
        return QueryUser(0, history, profiles, heard=(), user_id=user_id)

    def from_texts(self, vectors: np.ndarray, *, query: bool = True) -> QueryUser:
        """A person of whom only texts are known: each unit vector (n, t) of a text becomes a point of the space.

        Search texts (`query`) are momentary; what people say of themselves, as in a bio, is core.
        """
        themes, points = self.profiler.themes, self.profiler.space.of_texts(vectors)
        table = said_points(points, themes, self.profiler.catalogue, query=query)
        return QueryUser(0, self._no_history(), Profiles(table, points), is_query=query)

    def to_read(self, opinions: Sequence[Opinion]) -> list[str]:
        """What the language model should read of each opinion, for `from_opinions`. Raises StrataError as it does."""
        return self._reader().to_read(opinions) if opinions else []

    def from_opinions(self, opinions: Sequence[Opinion], vectors: np.ndarray, *, query: bool = True) -> QueryUser:
        """A person of whom only what they say is known: `vectors` (n, t) are of what the reader reads of each opinion.

        What they are for makes points as in `from_texts`, what they are against dislikes, and keeps items out. Raises
        StrataError without a reader.
        """
        reader = self._reader()
        heard = tuple(reader.meanings(opinions, vectors))
        points, topics = self._lying([each for each in heard if each.wanted])
        against, disliked = self._lying([each for each in heard if each.refused])
        themes, catalogue = self.profiler.themes, self.profiler.catalogue
        table = said_points(points, themes, catalogue, query=query, of_topics=topics)
        dislikes = said_dislikes(against, themes, catalogue, of_topics=disliked)
        profiles = Profiles(table, points, Profiles(unlike(dislikes, table, catalogue, themes), against))
        return QueryUser(0, self._no_history(), profiles, reader.kept_out(heard, vectors), query, heard)

    def _reader(self) -> Reader:
        if self.reader is None:
            raise StrataError("opinions cannot be read: there are no words to read them by")
        return self.reader

    def _lying(self, meanings: Sequence[Meaning]) -> tuple[np.ndarray, np.ndarray]:
        """Where meanings lie (m, d), and their topics (m,)."""
        vectors = np.zeros((len(meanings), self.profiler.vectors.shape[1]), np.float32)
        for row, each in enumerate(meanings):
            vectors[row] = each.vector
        return vectors, np.array([each.topic for each in meanings], np.int64)

    def _no_history(self) -> History:
        return History.from_columns(
            *(np.zeros(0) for _ in range(4)), n_users=1, n_items=len(self.profiler.themes.of_item)
        )
