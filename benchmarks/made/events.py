"""What made users do, a block of users at a time: simulated years, thinned by whole visits to the events asked for."""

from typing import Final

import numpy as np
import polars as pl

from benchmarks.made.catalogue import Goods
from benchmarks.simulate import SESSION, Simulation, SimulationSettings, simulate
from strata.data.history import DAY
from strata.data.schema import ATTRIBUTES, BEHAVIOUR, ITEM, PROFILE_TEXT, TIME, TIMESTAMP, USER, USER_ROW
from strata.errors import SettingsError

ACTIVITY: Final = 1.2
"""Spread of the logarithm of how active users are; the heaviest keep nearly all of their simulated year."""
SILENT: Final = 0.02
"""Share of users who are known and never do anything, beside those whom thinning leaves none."""
STATES: Final = 0.02
"""Share of users whose profile text states an interest of theirs."""
BEHAVIOURS: Final = ("view", "click", "purchase", "hide", "dislike")
WANTED, UNWANTED = (0.70, 0.20, 0.095, 0.003, 0.002), (0.86, 0.09, 0.01, 0.025, 0.015)
"""How often each behaviour is that of an event of an interest, and of one that belongs to none."""
COUNTRIES: Final = ("DE", "FR", "GB", "IT", "ES", "PL", "NL", "SE")
AGES: Final = ("18-24", "25-34", "35-44", "45-54", "55+")
PLANTED: Final = pl.Schema(
    {USER: pl.String(), "topic": pl.String(), "tier": pl.String(), "kind": pl.String(), "onset": TIME, "end": TIME,
     "events": pl.Int32()}
)  # fmt: skip


def make_block(
    goods: Goods, first: int, users: int, events: int, seed: int, time: float
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Users `first` … `first + users − 1`: their `events` interactions, the users, and the interests planted in them.

    Interests and their tiers are those of benchmarks.simulate. Visits are dropped whole, of active users fewer, so that
    the share of a user's visits in which an interest occurs, which makes its tier, stays what was planted. Nobody
    chooses what is not there at the time. Raises SettingsError where a year holds fewer events than asked for.
    """
    settings = SimulationSettings(users=users, seed=seed, popularity_pull=1.0)
    year = simulate(goods.topics, goods.popularity, settings, time=time, shard=first)
    rng = np.random.default_rng([seed, first, 1])
    kept = _visits_kept(rng, year, goods, events)
    items, wanted = year.history.items[kept], year.factor[kept] >= 0
    drawn = np.where(wanted, *(rng.choice(len(BEHAVIOURS), len(kept), p=shares) for shares in (WANTED, UNWANTED)))
    ids = np.array([f"u{row:08d}" for row in range(first, first + users)])
    interactions = pl.DataFrame(
        {
            USER: ids[year.history.users[kept]],
            ITEM: goods.table[ITEM].gather(items),
            BEHAVIOUR: np.array(BEHAVIOURS)[drawn],
            TIMESTAMP: _times(year.history.times[kept]),
        }
    )
    return interactions, _users(rng, ids, year, goods), _planted(ids, year, goods, kept)


def _visits_kept(rng: np.random.Generator, year: Simulation, goods: Goods, events: int) -> np.ndarray:
    """Places of the events that stay: of possible ones, visits drawn without replacement by their users' activity."""
    history = year.history
    there = (goods.created[history.items] < history.times) & (history.times < goods.removed[history.items])
    possible = np.flatnonzero(there & (goods.popularity[history.items] > 0))
    if len(possible) < events:
        raise SettingsError(
            f"{events:,} events of {history.n_users:,} users are more than their year holds ({len(possible):,}); make "
            "more users or fewer events"
        )
    users, times = history.users[possible], history.times[possible]
    begins = (np.diff(users, prepend=-1) > 0) | (np.diff(times, prepend=-np.inf) > SESSION * DAY)
    visit = np.cumsum(begins) - 1
    activity = rng.lognormal(0, ACTIVITY, history.n_users)
    silent = rng.random(history.n_users) < SILENT
    turn = rng.exponential(size=visit[-1] + 1) / activity[users[begins]]
    turn[silent[users[begins]]] += turn.max()  # only where all others have given everything
    order = np.argsort(turn, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    chosen = np.argsort(place[visit], kind="stable")[:events]
    return np.sort(possible[chosen])


def _users(rng: np.random.Generator, ids: np.ndarray, year: Simulation, goods: Goods) -> pl.DataFrame:
    """Country and age at random; a few say what interests them to the core."""
    lasting = year.interests.filter(tier="core").unique(USER_ROW, keep="first", maintain_order=True)
    topic = np.full(len(ids), -1)
    topic[lasting[USER_ROW]] = lasting["group"]
    says = rng.random(len(ids)) < STATES
    texts = [f"I am into {goods.names[t]}." if say and t >= 0 else None for say, t in zip(says, topic, strict=True)]
    about = pl.DataFrame({"age": rng.choice(AGES, len(ids)), "country": rng.choice(COUNTRIES, len(ids))})
    return pl.DataFrame({USER: ids, PROFILE_TEXT: pl.Series(texts, dtype=pl.String), ATTRIBUTES: about.to_struct()})


def _planted(ids: np.ndarray, year: Simulation, goods: Goods, kept: np.ndarray) -> pl.DataFrame:
    """What lies behind the events, interests of which none is left included."""
    interests, factor = year.interests, year.factor[kept]
    columns = {
        USER: ids[interests[USER_ROW]],
        "topic": np.array(goods.names)[interests["group"]],
        "tier": interests["tier"],
        "kind": interests["kind"],
        "onset": _times(interests["onset"].to_numpy()),
        "end": _times(interests["end"].to_numpy()),
        "events": np.bincount(factor[factor >= 0], minlength=interests.height).astype(np.int32),
    }
    return pl.DataFrame(columns, schema=PLANTED)


def _times(seconds: np.ndarray) -> pl.Series:
    """Seconds since 1970 as times, to the millisecond."""
    return pl.Series((seconds * 1e3).astype(np.int64) * 1000).cast(TIME)
