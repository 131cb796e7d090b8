"""Whether interests stay themselves: ids over a month, tiers without events, interests of now beside lasting ones."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy import sparse

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled, share
from benchmarks.evidence.standing import Standing, standing
from strata.data.history import DAY, History, as_date
from strata.data.schema import TIERS
from strata.interests.shards import shards

MONTH, WEEK = 30 * DAY, 7 * DAY
LIKED, VISITORS = 8, 300
"""Alike items that a returning visitor likes, two a day, the last of them AGO before the question; most visitors."""
AGO = 2 * DAY


def rows(context: Context) -> list[Row]:
    """Rows identity-kept, tier-flips and momentary-kept."""
    times = context.times("backtest", MONTH / DAY)
    if not times:
        context.say("no month after the cut-off")
        return []
    return [*_identity(context, times), *_flips(context, times), *_returning(context, times[-1])]


def _pairs(context: Context, times: list[float], later: float) -> Iterator[tuple[Standing, Standing, np.ndarray]]:
    """Users at each time and `later` seconds after it, and which events of then were known before: bool."""
    for time in times:
        for first, own in shards(context.history.before(time + later)):
            before, after = (
                standing(context, own.before(time), time, first),
                standing(context, own, time + later, first),
            )
            yield before, after, own.times < time


def _identity(context: Context, times: list[float]) -> list[Row]:
    sums = np.zeros((context.history.n_users, 2))
    for before, after, known in _pairs(context, times, MONTH):
        topics = context.topics_at(times[0])
        ours, theirs = same_members(before, after, known)
        strength = before.statistics.strength[ours]
        kept = topics[before.points.medoids[ours]] == topics[after.points.medoids[theirs]]
        np.add.at(sums, before.users[ours], np.stack([strength * kept, strength], axis=1))
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        return []
    what = (
        f"Of points at {', '.join(map(as_date, times))} that 30 days later still hold most of their events, and of "
        f"what was known before little else: share of strength that keeps its id. {context.learned}"
    )
    found = pooled(sums, share)
    return [
        Row.of("identity-kept", what, found, "share", len(sums), per_user=pl.DataFrame(sums, schema=["kept", "all"]))
    ]


def same_members(before: Standing, after: Standing, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points alive at both times, and those of the same members: two of (m,).

    Each holds more than half of the other's events that were `known` (n,) before, of the later history.
    """
    then, now = before.points.of_event, after.points.of_event[known]
    both = (then >= 0) & (now >= 0)
    shape = (len(before.tiers), len(after.tiers))
    shared = sparse.coo_matrix((np.ones(both.sum()), (then[both], now[both])), shape)
    shared.sum_duplicates()
    of_then = np.bincount(then[then >= 0], minlength=shape[0])
    of_now = np.bincount(now[now >= 0], minlength=shape[1])
    most = (shared.data > of_then[shared.row] / 2) & (shared.data > of_now[shared.col] / 2)
    alive = np.isin(shared.row, before.kept) & np.isin(shared.col, after.kept)
    return shared.row[most & alive], shared.col[most & alive]


def _flips(context: Context, times: list[float]) -> list[Row]:
    sums = np.zeros((context.history.n_users, 2))
    for before, after, known in _pairs(context, times, WEEK):
        quiet = np.diff(before.history.offsets) == np.diff(after.history.offsets)
        ours, theirs = same_members(before, after, known)
        lasting = quiet[before.points.users[ours]] & (before.tiers[ours] > TIERS.index("momentary"))
        was, now = before.tiers[ours[lasting]], after.tiers[theirs[lasting]]
        np.add.at(sums, before.users[ours[lasting]], np.stack([now > was, np.ones(len(was))], axis=1))
        gone = np.setdiff1d(before.kept[quiet[before.points.users[before.kept]]], ours)
        faded = gone[before.tiers[gone] > TIERS.index("momentary")]
        np.add.at(sums, before.users[faded], np.array([0.0, 1.0]))
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        return []
    what = (
        f"Stable and core points at {', '.join(map(as_date, times))} of users who did nothing in the next 7 days: "
        "share that changes its tier in them other than by fading: changed / all"
    )
    found = pooled(sums, share)
    return [
        Row.of("tier-flips", what, found, "share", len(sums), per_user=pl.DataFrame(sums, schema=["changed", "all"]))
    ]


def _returning(context: Context, time: float) -> list[Row]:
    """Users with lasting interests come back for something new to them: whether that is an interest of now."""
    hits = []
    for first, own in shards(context.history.before(time)):
        at = standing(context, own, time, first)
        lasting = np.unique(at.points.users[at.kept[at.tiers[at.kept] > TIERS.index("momentary")]])
        rng = np.random.default_rng(SEED)
        for user in rng.permutation(lasting)[: VISITORS - len(hits)]:
            found = returned(context, own.of_users(int(user), int(user) + 1), time, rng)
            hits += [] if found is None else [found]
    if not hits:
        return []
    values = np.array(hits, float)
    sums = np.stack([values, np.ones(len(values))], axis=1)
    what = (
        f"Users with stable or core points at {as_date(time)} who, as is made up, then like {LIKED} items of a topic "
        "new to them, two a day, the last two days before the question: share with a momentary point of most of them"
    )
    table = pl.DataFrame(sums, schema=["kept", "all"])
    return [Row.of("momentary-kept", what, pooled(sums, share), "share", len(sums), per_user=table)]


def returned(context: Context, own: History, time: float, rng: np.random.Generator) -> bool | None:
    """Whether a user, alone in `own`, has a momentary point of what they like anew; None where no topic is new."""
    topics = context.topics_at(time)
    sizes = np.bincount(topics, minlength=int(topics.max()) + 1)
    sizes[np.unique(topics[own.items])] = 0
    new = np.flatnonzero(sizes >= LIKED)
    if not len(new):
        return None
    liked = rng.permutation(np.flatnonzero(topics == rng.choice(new)))[:LIKED]
    times = time + DAY * (1 + np.arange(LIKED) // 2)
    history = History.from_columns(
        np.zeros(len(own) + LIKED), np.append(own.items, liked), np.append(own.times, times),
        np.append(own.weights, np.ones(LIKED)), n_users=1, n_items=own.n_items,
    )  # fmt: skip
    at = standing(context, history, float(times[-1]) + AGO)
    points = at.points.of_event[np.isin(history.items, liked) & (history.times > time)]
    held = np.bincount(points[points >= 0], minlength=len(at.tiers))
    return bool(((at.tiers == TIERS.index("momentary")) & (held > LIKED / 2)).any())
