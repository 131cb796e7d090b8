"""Users with planted interests, whose tiers are known because they were chosen first: what tiers are tested against."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from pydantic import Field

from strata.data.history import DAY, History
from strata.data.schema import TIERS, USER_ROW
from strata.errors import SourceError
from strata.settings import Settings

NOISE, POPULAR = -1, -2
"""Als of events that belong to no interest: drawn evenly, or by popularity, over the whole catalogue."""
ENDED: Final = "ended"
LABELS: Final[tuple[str, ...]] = (*TIERS, ENDED)

HOW_MANY: Final = {"momentary": (0, 3), "stable": (1, 4), "core": (1, 3), ENDED: (0, 3)}
"""Fewest and most interests of each label that one user has."""
MOST_INTERESTS: Final = sum(most for _, most in HOW_MANY.values())
PERIOD_DAYS: Final = {"momentary": (1.0, 4.0), "stable": (18.0, 40.0), "core": (3.0, 8.0)}
"""Range of the mean gap between two returns of an interest."""
MOMENTARY_DAYS: Final = (4.0, 18.0)
"""How long ago a momentary interest began, or how long one that ended lasted."""
LATE_START: Final = {"stable": 0.4, "core": 0.1}
"""Share of the user's life that may pass before an interest begins."""
SILENT_PERIODS: Final = {"momentary": 2.0, "stable": 6.0, "core": 6.0}
"""Periods, at least, that have passed since an interest ended."""
SMALLEST_GROUP: Final = 8
GAP_SHAPE: Final = 3.0
SESSION, NEAR = 0.5 / 24, 0.5
"""Days that a session lasts, and how far off a visit may lie that a return joins."""


class SimulationSettings(Settings):
    """How many users there are, how long they stay and how clearly they show what they want."""

    users: int = Field(400, gt=0)
    """In one shard."""
    days: float = Field(365, ge=240)
    """Longest life; users have been there for three quarters of it at least."""
    visits_per_week: float = Field(2.0, gt=0)
    """On average; each user has a rate of their own."""
    noise: float = Field(0.2, ge=0, lt=1)
    """Share of all events that belong to no interest: half popular items, half any item."""
    popularity_pull: float = Field(0.7, ge=0)
    """How much popularity decides within an interest's group; 0: not at all, 1: in proportion."""
    taste: float = Field(12.0, gt=0)
    """Concentration of the Dirichlet prior of personal weights: higher, more items make up an interest."""
    seed: int = 7


@dataclass(frozen=True)
class Simulation:
    """Histories of simulated users at `time` (seconds, later than every event) and what lies behind them.

    `factor` int32 (n,): row in `interests` of what caused each event of `history`, or NOISE, or POPULAR.
    `interests`: one row per interest (interest, user_row, group, tier, kind, onset, end, period_days). `tier` is one
    of LABELS; `kind`, one of TIERS, says how it came back, whether it ended or not. `onset` and `end`
    (seconds) enclose its events; the end of a living interest is `time`.
    """

    history: History
    factor: np.ndarray
    interests: pl.DataFrame
    time: float


def simulate(
    groups: np.ndarray, popularity: np.ndarray, settings: SimulationSettings, *, time: float, shard: int = 0
) -> Simulation:
    """Plant interests in `settings.users` users and let them choose items up to `time` (seconds since 1970, UTC).

    `groups` (n_items,) int: the catalogue's own category of each item, −1 for none; `popularity` (n_items,): how
    often each was chosen. An interest is one group with a taste of its own. Its returns are a renewal process with
    gamma gaps; its label follows from the parameters of that process, never from the rules that sort into tiers.
    Shards of the same seed are independent: a million users are simulated, and judged, one shard at a time.

    Raises SourceError where the catalogue has fewer groups of SMALLEST_GROUP chosen items than a user has interests.
    """
    rng = np.random.default_rng([settings.seed, shard])
    goods = _Goods(groups, popularity, settings.popularity_pull)
    life = settings.days * rng.uniform(0.75, 1, settings.users)
    planted = _plant(rng, goods, life)
    visit_user, visits = _visits(rng, life, settings.visits_per_week)

    factor, when = _returns(rng, -planted["begun"], -planted["ended"], planted["period"])
    when = _join_visits(planted["user"][factor], when, -planted["begun"][factor], visit_user, visits)
    each = rng.integers(1, 4, len(when))
    factor, when = np.repeat(factor, each), np.repeat(when, each)
    users = planted["user"][factor]
    items = goods.by_taste(rng, planted["group"], factor, settings.taste)

    noise = _noisy_visits(rng, users, visit_user, settings)
    popular = rng.random(len(noise)) < 0.5
    users = np.concatenate([users, visit_user[noise]])
    when = np.concatenate([when, visits[noise]]) + rng.uniform(0, SESSION, len(users))
    items = np.concatenate([items, goods.of_catalogue(rng, popular)])
    factor = np.concatenate([factor, np.where(popular, POPULAR, NOISE)])

    times = time + when * DAY
    order = np.lexsort((items, times, users))
    history = History.from_columns(
        users[order], items[order], times[order], np.ones(len(users)), n_users=settings.users, n_items=len(groups)
    )
    return Simulation(history, factor[order].astype(np.int32), _table(planted, time), time)


class _Goods:
    """What can be drawn: items by group with weights popularity ** pull, and all items by popularity."""

    def __init__(self, groups: np.ndarray, popularity: np.ndarray, pull: float) -> None:
        sizes = np.bincount(groups[(groups >= 0) & (popularity > 0)], minlength=1)
        self.groups = np.flatnonzero(sizes >= SMALLEST_GROUP)
        if len(self.groups) < MOST_INTERESTS:
            raise SourceError(
                f"{len(self.groups)} categories hold {SMALLEST_GROUP} or more items that anybody chose; planted "
                f"interests need {MOST_INTERESTS}: use a larger catalogue or broader categories"
            )
        self.popularity = np.cumsum(popularity, dtype=np.float64)
        self.items = np.argsort(groups, kind="stable")
        weights = np.where(popularity > 0, np.maximum(popularity, 1e-12) ** pull, 0.0)[self.items]
        self.weights = np.cumsum(weights)
        self.ends = np.searchsorted(groups[self.items], np.arange(len(sizes)), "right")
        self.starts = np.searchsorted(groups[self.items], np.arange(len(sizes)))

    def by_taste(self, rng: np.random.Generator, group: np.ndarray, interest: np.ndarray, taste: float) -> np.ndarray:
        """An item for each event of an interest: (n,). Events of one interest stand together.

        A Pólya urn (Blackwell & MacQueen, 1973): with Dirichlet personal weights around the group's, an event
        repeats an earlier one of its interest with probability k / (k + taste) after k events.
        """
        n = len(interest)
        starts = np.searchsorted(interest, interest)
        nth = np.arange(n) - starts
        repeats = rng.random(n) * (nth + taste) < nth
        source = np.where(repeats, starts + (rng.random(n) * nth).astype(np.int64), np.arange(n))
        while (source[source] != source).any():
            source = source[source]
        return self._of_groups(rng, group[interest])[source]

    def of_catalogue(self, rng: np.random.Generator, popular: np.ndarray) -> np.ndarray:
        """An item for each event, by popularity where `popular` (n,) holds, else any: (n,)."""
        by_popularity = np.searchsorted(self.popularity, rng.random(len(popular)) * self.popularity[-1], "right")
        return np.where(popular, by_popularity, rng.integers(len(self.items), size=len(popular)))

    def _of_groups(self, rng: np.random.Generator, group: np.ndarray) -> np.ndarray:
        bounds = np.append(0.0, self.weights)
        low, high = bounds[self.starts[group]], bounds[self.ends[group]]
        place = np.searchsorted(self.weights, low + rng.random(len(group)) * (high - low), "right")
        return np.asarray(self.items[np.minimum(place, self.ends[group] - 1)])


def _plant(rng: np.random.Generator, goods: _Goods, life: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of all interests by user: user, group, tier, kind, period (days), begun and ended (days ago)."""
    wanted = {label: rng.integers(least, most + 1, len(life)) for label, (least, most) in HOW_MANY.items()}
    present = [np.arange(HOW_MANY[label][1]) < wanted[label][:, None] for label in LABELS]
    user, slot = np.nonzero(np.concatenate(present, axis=1))
    choices = rng.permuted(np.tile(goods.groups.astype(np.int32), (len(life), 1)), axis=1)
    tier = np.repeat(np.arange(len(LABELS)), [HOW_MANY[label][1] for label in LABELS])[slot]
    over = tier == LABELS.index(ENDED)
    kind = np.where(over, rng.integers(len(TIERS), size=len(user)), tier)
    brief, life = kind == TIERS.index("momentary"), life[user]

    least, most = np.array([PERIOD_DAYS[label] for label in TIERS])[kind].T
    most = np.where(over & ~brief, np.minimum(most, life / 10), most)  # room to come back before it ends
    period = rng.uniform(least, most)
    lasted = rng.uniform(*MOMENTARY_DAYS, len(user))
    late = np.array([LATE_START.get(label, 0.0) for label in TIERS])[kind] * rng.random(len(user))
    silent = period * np.array([SILENT_PERIODS[label] for label in TIERS])[kind]
    longest = np.where(brief, life - lasted, 0.6 * life)
    ended = np.where(over, silent + (longest - silent) * rng.random(len(user)), 0.0)
    # A long interest that ended began early, whatever its kind, so that it has been one.
    late = np.where(over, np.minimum(late, LATE_START["core"]), late)
    begun = np.where(brief, ended + lasted, life * (1 - late))
    return {
        "user": user, "group": choices[user, slot], "tier": tier, "kind": kind,
        "period": period, "begun": begun, "ended": ended,
    }  # fmt: skip


def _visits(rng: np.random.Generator, life: np.ndarray, per_week: float) -> tuple[np.ndarray, np.ndarray]:
    """User and time (days, negative) of each visit, sorted: a Poisson process at a rate of the user's own."""
    rate = rng.gamma(GAP_SHAPE, per_week / GAP_SHAPE, len(life))
    user = np.repeat(np.arange(len(life)), np.maximum(rng.poisson(rate * life / 7), 1))
    when = -rng.uniform(SESSION, life[user])
    order = np.lexsort((when, user))
    return user, when[order]


def _returns(
    rng: np.random.Generator, onset: np.ndarray, end: np.ndarray, period: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Interest and time (days) of each return, sorted: the first at `onset`, whole sessions before `end`."""
    which, when = [], []
    running, at = np.arange(len(onset)), onset
    while len(running):
        which.append(running)
        when.append(at)
        at = at + rng.gamma(GAP_SHAPE, period[running] / GAP_SHAPE)
        goes_on = at < end[running] - SESSION
        running, at = running[goes_on], at[goes_on]
    interest, times = np.concatenate(which), np.concatenate(when)
    order = np.lexsort((times, interest))
    return interest[order], times[order]


def _join_visits(
    user: np.ndarray, when: np.ndarray, onset: np.ndarray, visit_user: np.ndarray, visits: np.ndarray
) -> np.ndarray:
    """Times (n,) of returns, moved to the latest visit up to NEAR days before where the interest had begun by then."""
    apart = 2 * -visits.min()  # more than any life: one sorted line of all users' visits
    before = np.searchsorted(visit_user * apart + visits, user * apart + when, "right") - 1
    visit = visits[np.maximum(before, 0)]
    joins = (before >= 0) & (visit_user[before] == user) & (visit >= np.maximum(when - NEAR, onset))
    return np.where(joins, visit, when)


def _noisy_visits(
    rng: np.random.Generator, users: np.ndarray, visit_user: np.ndarray, settings: SimulationSettings
) -> np.ndarray:
    """A visit of the user for each event without an interest: as many as make up the share asked for."""
    mean = np.bincount(users, minlength=settings.users) * settings.noise / (1 - settings.noise)
    user = np.repeat(np.arange(settings.users), rng.poisson(mean))
    first, last = np.searchsorted(visit_user, user), np.searchsorted(visit_user, user, "right")
    return rng.integers(first, last)


def _table(planted: dict[str, np.ndarray], time: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "interest": np.arange(len(planted["user"]), dtype=np.int32),
            USER_ROW: planted["user"].astype(np.int32),
            "group": planted["group"],
            "tier": np.array(LABELS)[planted["tier"]],
            "kind": np.array(TIERS)[planted["kind"]],
            "onset": time - planted["begun"] * DAY,
            "end": time - planted["ended"] * DAY,
            "period_days": planted["period"],
        }
    )
