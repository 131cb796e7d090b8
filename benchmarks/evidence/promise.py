"""Whether a tier keeps its promise: how often its points are seen again, half a year ahead, and how that fades."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import pooled, share
from benchmarks.evidence.standing import Standing, standings
from strata.data.history import DAY, as_date
from strata.data.schema import TIERS

WINDOWS, WINDOW_DAYS = 6, 28.0
LAST = WINDOWS - 1
SHORT = "short"
"""In place of a tier for users with too short a history to be judged, whose points are all momentary."""
GROUPS = (*TIERS, SHORT)
EVENTS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
QUIET_DAYS = (1.75, 3.5, 7.0, 14.0, 28.0, 56.0)
"""Where the bins of a point's events, and of the days since the latest one, part."""
N_BINS = (len(EVENTS) + 1) * (len(QUIET_DAYS) + 1)


@dataclass(frozen=True)
class Cases:
    """Points judged, C of them, each as one topic: that of its medoid.

    `users`, `groups` (an index of GROUPS), `bins` (by events and recency): (C,). `seen` (C, WINDOWS): whether the
    owner had an event in the topic. `base` (C, WINDOWS): share of the users judged who had.
    """

    users: np.ndarray
    groups: np.ndarray
    bins: np.ndarray
    seen: np.ndarray
    base: np.ndarray

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Those of several times or users."""
        parts = list(parts)
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def sums(self, columns: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
        """Sums of `columns` (C, k) by user judged and group (C,): (users judged, n_groups, k)."""
        users, owner = np.unique(self.users, return_inverse=True)
        places = (owner * n_groups + groups, np.arange(len(owner)))
        added = sparse.csr_matrix((np.ones(len(owner)), places), shape=(len(users) * n_groups, len(owner)))
        return np.asarray(added @ columns).reshape(len(users), n_groups, -1)


def rows(context: Context) -> list[Row]:
    """Shares seen again, lifts over the base rate, what is kept of them, and the relations between tiers."""
    times = context.times("backtest", WINDOWS * WINDOW_DAYS)
    cases = Cases.joined(cases_at(context, time) for time in times) if times else None
    if cases is None or not len(cases.users):
        context.say(f"nobody is active in {WINDOWS} windows of {WINDOW_DAYS:g} days after the cut-off")
        return []
    sums = cases.sums(
        np.concatenate([cases.seen, cases.base, np.ones((len(cases.seen), 1))], 1), cases.groups, len(GROUPS)
    )
    excluded = (
        f"{context.history.n_users - len(sums)} users who are not active in all windows after any of "
        f"{', '.join(map(as_date, times))}."
    )
    found = [row for group in range(len(GROUPS)) for row in _of_group(group, sums)]
    if (sums[:, : len(TIERS), -1].sum(0) > 0).all():
        found += [*_orders(sums), _permuted(cases)]
    return [replace(row, what=f"{row.what} {context.learned}", excluded=excluded) for row in found]


def cases_at(context: Context, time: float) -> Cases:
    """The points at `time` of the users who are active in every window after it."""
    topics = context.topics_at(time)
    starts = time + WINDOW_DAYS * DAY * np.arange(WINDOWS)
    windows = [context.history.between(start, start + WINDOW_DAYS * DAY) for start in starts]
    active = np.all([np.diff(window.offsets) > 0 for window in windows], axis=0)
    n_topics = int(topics.max()) + 1
    seen = [replace(window, items=topics[window.items], n_items=n_topics).matrix() for window in windows]
    base = [np.asarray(window[active].mean(0)).ravel() if active.any() else np.zeros(n_topics) for window in seen]
    found = []
    for standing in standings(context, time):
        judged = standing.kept[active[standing.users[standing.kept]]]
        users, topic = standing.users[judged], topics[standing.points.medoids[judged]]
        found.append(
            Cases(
                users,
                np.where(standing.short, GROUPS.index(SHORT), standing.tiers)[judged],
                bins_of(standing, time)[judged],
                np.stack([np.asarray(window[users, topic]).ravel() for window in seen], axis=1),
                np.stack([rate[topic] for rate in base], axis=1),
            )
        )
    return Cases.joined(found)


def bins_of(standing: Standing, time: float) -> np.ndarray:
    """Bin of each point by its events and the days since the latest one: (P,), below N_BINS."""
    events = np.searchsorted(EVENTS, standing.statistics.events, "right")
    quiet = np.searchsorted(QUIET_DAYS, (time - standing.statistics.last_seen) / DAY, "right")
    return np.asarray(events * (len(QUIET_DAYS) + 1) + quiet)


def smallest_gap(sums: np.ndarray) -> np.ndarray:
    """Smallest gap between neighbouring tiers over windows, of sums (…, 3 · 2 · WINDOWS): tier, column, window."""
    by_tier = sums.reshape(*sums.shape[:-1], len(TIERS), 2, WINDOWS)
    return np.diff(share(np.moveaxis(by_tier, -2, -1)), axis=-2).min((-2, -1))


def kept_order(sums: np.ndarray) -> np.ndarray:
    """What stable and core keep, the lesser, less what momentary keeps, of sums (…, 3 · 2): tier, last and first."""
    kept = share(sums.reshape(*sums.shape[:-1], len(TIERS), 2))
    return np.asarray(kept[..., 1:].min(-1) - kept[..., 0])


def beyond_permuted(sums: np.ndarray) -> np.ndarray:
    """Share of core less that of momentary points, less what it is if tiers are permuted within bins.

    `sums` (…, N_BINS · 3 · 2): bin, tier, hits and cases. All permutations have this mean: within a bin every tier
    has the share of the bin.
    """
    by_bin = sums.reshape(*sums.shape[:-1], N_BINS, len(TIERS), 2)
    cases = by_bin[..., 1]
    permuted = np.stack([(share(by_bin.sum(-2))[..., None] * cases).sum(-2), cases.sum(-2)], axis=-1)
    apart = share(by_bin.sum(-3)) - share(permuted)
    return np.asarray(apart[..., TIERS.index("core")] - apart[..., TIERS.index("momentary")])


def _of_group(group: int, sums: np.ndarray) -> list[Row]:
    """The rows of one tier; `sums` (users, GROUPS, 2 · WINDOWS + 1): seen and base in each window, cases."""
    name, own = GROUPS[group], sums[:, group]
    own = own[own[:, -1] > 0]
    if not len(own):
        return []
    points = "points of users with too short a history to be judged" if name == SHORT else f"{name} points"
    found = [
        _row(
            f"recur-{name}",
            f"Share of {points} seen again in window {LAST}, over the share of all judged users who then had an event "
            "in the same topics: seen / base.",
            own[:, [LAST, WINDOWS + LAST]], ("seen", "base"), share, "× base rate",
        ),
        _row(
            f"kept-{name}", f"Share of {points} seen again in window {LAST} by that in window 0: last / first.",
            own[:, [LAST, 0]], ("last", "first"), share, "ratio",
        ),
    ]  # fmt: skip
    for window in range(WINDOWS):
        what = f"Share of {points} seen again in window {window}, {window * WINDOW_DAYS:g} days on: seen / cases."
        found.append(_row(f"recur-{name}-w{window}", what, own[:, [window, -1]], ("seen", "cases"), share, "share"))
    return found


def _orders(sums: np.ndarray) -> list[Row]:
    tiers = sums[:, : len(TIERS)]
    seen, base, cases = tiers[..., :WINDOWS], tiers[..., WINDOWS:-1], tiers[..., -1:].repeat(WINDOWS, axis=-1)
    what = "Smallest gap between {} of momentary, stable and core points in any window: by tier, seen / {}."
    by_window = [[f"{tier}_{kind}_w{w}" for tier in TIERS for kind in ("seen", "of") for w in range(WINDOWS)]]
    return [
        _row(
            "recur-order", what.format("the shares", "of"), np.stack([seen, cases], 2), *by_window, smallest_gap,
            "share", claim=0,
        ),
        _row(
            "recur-order-lift", what.format("the lifts", "of"), np.stack([seen, base], 2), *by_window, smallest_gap,
            "× base rate", claim=0,
        ),
        _row(
            "kept-order", "What momentary points keep below stable and core ones, whichever keep less: last / first.",
            tiers[..., [LAST, 0]], [f"{tier}_{kind}" for tier in TIERS for kind in ("last", "first")], kept_order,
            "ratio", claim=0,
        ),
    ]  # fmt: skip


def _permuted(cases: Cases) -> Row:
    judged = cases.groups < len(TIERS)
    columns = np.stack([cases.seen[:, LAST], np.ones(len(judged))], axis=1) * judged[:, None]
    groups = np.where(judged, cases.bins * len(TIERS) + cases.groups, 0)
    names = [f"{tier}_{kind}_bin{bin}" for bin in range(N_BINS) for tier in TIERS for kind in ("seen", "cases")]
    return _row(
        "recur-permuted",
        f"Share of core points seen again in window {LAST} less that of momentary ones, beyond what remains of it when "
        "tiers are permuted among points of as many events, as long ago.",
        cases.sums(columns, groups, N_BINS * len(TIERS)), names, beyond_permuted, "share", claim=0,
    )  # fmt: skip


def _row(
    name: str,
    what: str,
    sums: np.ndarray,
    names: Sequence[str],
    statistic: Callable[[np.ndarray], np.ndarray],
    unit: str,
    claim: float | None = None,
) -> Row:
    flat = sums.reshape(len(sums), -1)
    per_user = pl.DataFrame(flat, schema=list(names))
    return Row.of(name, what, pooled(flat, statistic), unit, len(flat), claim=claim, per_user=per_user)
