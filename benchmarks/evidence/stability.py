"""Whether an interest is still there, in the same tier, a month later."""

from dataclasses import replace

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from benchmarks.evidence.context import Context
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import pooled, share
from benchmarks.evidence.standing import Standing, standing
from strata.data.history import DAY, as_date
from strata.data.schema import TIERS
from strata.interests.shards import shards

DAYS = 30.0
SIMILAR = 0.8
"""Cosine from which a point is taken for the same one."""


def rows(context: Context) -> list[Row]:
    """The share of each tier's strength that stays, and whether it grows from tier to tier."""
    times = context.times("backtest", DAYS)
    sums = np.zeros((context.history.n_users, len(TIERS), 2))
    for time in times:
        later = time + DAYS * DAY
        acted = np.diff(context.history.between(time, later).offsets) > 0
        for first, own in shards(context.history.before(later)):
            before, after = standing(context, own.before(time), time, first), standing(context, own, later, first)
            judged = before.kept[acted[before.users[before.kept]] & ~before.short[before.kept]]
            stays = same(before, after)[judged]
            places, strength = (before.users[judged], before.tiers[judged]), before.statistics.strength[judged]
            np.add.at(sums, places, np.stack([strength * stays, strength], axis=1))
    sums = sums[sums[..., 1].any(1)]
    if not len(sums):
        context.say(f"nobody has points {DAYS:g} days apart after the cut-off")
        return []
    excluded = (
        f"{context.history.n_users - len(sums)} users who, at all of {', '.join(map(as_date, times))}, did nothing in "
        f"the next {DAYS:g} days or have too short a history to be judged."
    )
    found = _by_tier(sums)
    if len(found) == len(TIERS):
        found.append(_order(sums))
    return [replace(row, what=f"{row.what} {context.learned}", excluded=excluded) for row in found]


def same(before: Standing, after: Standing) -> np.ndarray:
    """Whether each point of the same users at an earlier time is found later, in its tier: (P,) bool.

    A user's points in a tier are matched one to one so that their cosines add up to most (Kuhn 1955).
    """
    found = np.zeros(len(before.tiers), bool)
    bounds = [
        np.searchsorted(each.points.users[each.kept], np.arange(each.history.n_users + 1)) for each in (before, after)
    ]
    for user in range(before.history.n_users):
        ours, theirs = (
            each.kept[bound[user] : bound[user + 1]] for each, bound in zip((before, after), bounds, strict=True)
        )
        cosines = before.points.vectors[ours] @ after.points.vectors[theirs].T
        row, column = linear_sum_assignment(cosines, maximize=True)
        alike = (cosines[row, column] >= SIMILAR) & (before.tiers[ours[row]] == after.tiers[theirs[column]])
        found[ours[row]] = alike
    return found


def smallest_step(sums: np.ndarray) -> np.ndarray:
    """Smallest gap between neighbouring tiers, of sums (…, 3 · 2): tier, what stays and all."""
    return np.diff(share(sums.reshape(*sums.shape[:-1], len(TIERS), 2)), axis=-1).min(-1)


def _by_tier(sums: np.ndarray) -> list[Row]:
    found = []
    for tier, own in zip(TIERS, np.moveaxis(sums, 1, 0), strict=True):
        own = own[own[:, 1] > 0]
        if len(own):
            found.append(
                Row.of(
                    f"stability-{tier}",
                    f"Share of the strength of {tier} points with a match, of cosine {SIMILAR:g} or more and in the "
                    f"same tier, {DAYS:g} days later: stays / strength.",
                    pooled(own, share), "share", len(own), per_user=pl.DataFrame(own, schema=["stays", "strength"]),
                )
            )  # fmt: skip
    return found


def _order(sums: np.ndarray) -> Row:
    flat = sums.reshape(len(sums), -1)
    names = [f"{tier}_{kind}" for tier in TIERS for kind in ("stays", "strength")]
    return Row.of(
        "stability-order",
        "Smallest gap between those shares of momentary, stable and core points: by tier, stays / strength.",
        pooled(flat, smallest_step), "share", len(flat), claim=0, per_user=pl.DataFrame(flat, schema=names),
    )  # fmt: skip
