"""Events that no person makes: rates of machines, copied sequences, items pushed by users who arrived for them.

A sign is certain unless so many users show it that it is a habit of the platform, as albums played in order are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from pydantic import Field

from strata.data.floods import floods
from strata.data.schema import BEHAVIOUR, COUNTED, EVENT, ITEM, SUSPICIOUS, TIMESTAMP, USER
from strata.settings import Settings

MINUTE, DAY = 60_000_000, 86_400_000_000
"""Microseconds."""
SHINGLE = 3
"""Items in a row that count as one piece of a sequence: one item changed spares most pieces."""
COARSE: Final = 0.9
"""A behaviour of which so many events share one time of day is dated by days: it has no rate."""
FEW: Final = 2
"""So many users with a sign are never a habit."""


class SuspicionSettings(Settings):
    """What no person does. Rates count each purchase of one moment once: a basket is one act."""

    most_per_minute: int = Field(default=100, ge=2)
    most_per_ten_minutes: int = Field(default=300, ge=2)
    most_per_hour: int = Field(default=1_000, ge=2)
    """Events of one user from which they are a machine's."""
    equal_gaps: int = Field(default=50, ge=2)
    """Gaps in a row of the same length, to the microsecond."""
    copied_items: int = Field(default=15, ge=SHINGLE)
    """Items that a sequence needs before it can be called a copy."""
    copied_share: float = Field(default=0.7, gt=0, le=1)
    """Share of a user's runs of three items that others have in the same order."""
    copiers: int = Field(default=5, ge=2)
    """Users who have the same run, from which it is copied."""
    flood_users: int = Field(default=20, ge=5)
    flood_share: float = Field(default=0.5, gt=0, le=1)
    """A flood: so many users who arrive one after another, of whom at least this share chose the same item at once."""
    habit: float = Field(default=0.2, gt=0, le=1)
    """Share, of the users who could show a sign, above which it is a habit of the platform."""


@dataclass(frozen=True)
class Suspicion:
    """`signs`: a row for each user and sign, in the schema SUSPICIOUS; `events`: ids of events and the sign of each.

    `events` holds those of certain signs alone: `event_id`, `sign`.
    """

    signs: pl.DataFrame
    events: pl.DataFrame

    def told(self) -> list[tuple[str, bool, int, int, str]]:
        """Sign, whether it is certain, users, events, and what it means."""
        groups = self.signs.group_by("sign", "certain", "told")
        sums = groups.agg(users=pl.col(USER).n_unique(), events=pl.col("events").sum()).sort("sign")
        return sums.select("sign", "certain", "users", "events", "told").rows()


def suspicion(interactions: pl.DataFrame, settings: SuspicionSettings) -> Suspicion:
    """Look through `interactions` (user, item, behaviour, time, event id; any order).

    A rate marks the events that are too many, and all of a user of whom these are half; the other signs mark all events
    of a user. Time grows with the number of events, but for sorting.
    """
    events = interactions.select(USER, ITEM, BEHAVIOUR, EVENT, at=pl.col(TIMESTAMP).dt.epoch("us"))
    events = events.sort(USER, "at", ITEM, EVENT)
    if events.is_empty() or events["at"].n_unique() < 2:
        return Suspicion(pl.DataFrame(schema=SUSPICIOUS), pl.DataFrame(schema={EVENT: pl.String, "sign": pl.String}))
    found = [*_machines(events, settings), _copies(events, settings), _floods(events, settings)]
    marked = pl.concat([each for each in found if each.height] or [_nothing()])
    counts = marked.group_by(USER, "sign", "item_id", "certain", "told").agg(events=pl.len())
    signs = counts.sort("certain", "sign", USER, "item_id", descending=[True, False, False, False])
    certain = marked.filter("certain").sort("sign").unique(EVENT, keep="first", maintain_order=True)
    return Suspicion(signs.match_to_schema(SUSPICIOUS), certain.select(EVENT, "sign"))


def _machines(events: pl.DataFrame, settings: SuspicionSettings) -> Sequence[pl.DataFrame]:
    """Events too many for a minute, ten or an hour, and runs of equal gaps."""
    time_of_day = pl.col("at") % DAY
    same = (time_of_day == time_of_day.mode().min().over(BEHAVIOUR)).mean().over(BEHAVIOUR)
    exact = events.with_columns(coarse=same >= COARSE).filter(~pl.col("coarse"))
    # One act is an event, or all that is bought at one moment; those that follow in a basket share its mark.
    basket = pl.col(BEHAVIOUR).is_in(COUNTED) & (pl.col("at") == pl.col("at").shift(1)) & _same_user(1)
    exact = exact.with_columns(act=~basket.fill_null(value=False))
    acts = exact.filter("act")
    if acts.is_empty():
        return []
    users, at = acts[USER].rank("dense").to_numpy(), acts["at"].to_numpy()
    spans = ((1, settings.most_per_minute), (10, settings.most_per_ten_minutes), (60, settings.most_per_hour))
    fast = np.logical_or.reduce([_runs(users, at, most, minutes * MINUTE) for minutes, most in spans])
    of_act = (exact["act"].cum_sum() - 1).to_numpy()
    least = min(most for _, most in spans)
    rates = f"{settings.most_per_minute} a minute, {settings.most_per_ten_minutes} in ten"
    told = f"more events than {rates} or {settings.most_per_hour} an hour"
    return [
        _marked(exact, fast[of_act], "rate", told, _able(acts, least), settings.habit),
        _clockwork(exact, settings),
    ]


def _runs(users: np.ndarray, at: np.ndarray, many: int, span: int) -> np.ndarray:
    """Which events (n,), sorted by user and time, lie among `many` or more of their user within `span`: bool."""
    marks = np.zeros(len(at) + 1, np.int64)
    if len(at) >= many:
        starts = np.flatnonzero((users[many - 1 :] == users[: 1 - many]) & (at[many - 1 :] - at[: 1 - many] < span))
        np.add.at(marks, starts, 1)
        np.add.at(marks, starts + many, -1)
    return np.asarray(marks[:-1].cumsum() > 0)


def _clockwork(exact: pl.DataFrame, settings: SuspicionSettings) -> pl.DataFrame:
    """Moments of a user that follow each other by the same gap, `equal_gaps` times in a row."""
    moments = exact.select(USER, "at").unique(maintain_order=True)
    gap = pl.when(_same_user(1)).then(pl.col("at").diff())
    moments = moments.with_columns(gap=gap).with_columns(run=pl.struct(USER, "gap").rle_id())
    length = pl.when(pl.col("gap").is_not_null()).then(pl.len().over("run")).otherwise(0)
    moments = moments.with_columns(regular=length >= settings.equal_gaps)
    regular = exact.join(moments.select(USER, "at", "regular"), on=[USER, "at"], how="left", maintain_order="left")
    told = f"{settings.equal_gaps} or more equal gaps in a row"
    able = _able(moments, settings.equal_gaps + 1)
    return _marked(exact, regular["regular"].to_numpy(), "clockwork", told, able, settings.habit)


def _copies(events: pl.DataFrame, settings: SuspicionSettings) -> pl.DataFrame:
    """Users most of whose runs of items others have in the same order."""
    first = events.unique([USER, ITEM], keep="first", maintain_order=True)
    long = first.filter(pl.len().over(USER) >= settings.copied_items)
    run = pl.struct(pl.col(ITEM).shift(place).alias(f"item {place}") for place in range(SHINGLE)).hash()
    pieces = long.select(USER, run=pl.when(_same_user(SHINGLE - 1)).then(run)).drop_nulls()
    if pieces.is_empty():
        return _nothing()
    shared = pl.len().over("run") >= settings.copiers
    share = pieces.with_columns(shared=shared).group_by(USER).agg(pl.col("shared").mean())
    users = share.filter(pl.col("shared") >= settings.copied_share)[USER]
    told = f"{settings.copied_share:.0%} or more of the sequence is that of {settings.copiers - 1} or more others"
    return _marked(events, events[USER].is_in(users.implode()).to_numpy(), "copy", told, share.height, settings.habit)


def _floods(events: pl.DataFrame, settings: SuspicionSettings) -> pl.DataFrame:
    """Users who arrived one after another and chose the same item at once."""
    pushed = floods(events, settings.flood_users, settings.flood_share)
    if pushed.is_empty():
        return _nothing()
    of_users = events.join(pushed, on=USER, how="inner", suffix="_pushed").rename({"item_id_pushed": "pushed"})
    told = f"{settings.flood_users} or more users arrived together and chose the same item"
    # What many items see, as news do, is how they are found there; a push is one of few.
    habit = pushed["item_id"].n_unique() > max(FEW + 1, 0.01 * events[ITEM].n_unique())
    habit |= pushed[USER].n_unique() > settings.habit * events[USER].n_unique()
    return _signs(of_users.drop(ITEM).rename({"pushed": ITEM}), "flood", told, certain=not habit)


def _same_user(back: int) -> pl.Expr:
    return pl.col(USER) == pl.col(USER).shift(back)


def _able(acts: pl.DataFrame, least: int) -> int:
    """Users with enough acts to show a sign."""
    return int(acts.group_by(USER).len().select((pl.col("len") >= least).sum()).item())


def _marked(events: pl.DataFrame, marked: np.ndarray, sign: str, told: str, able: int, habit: float) -> pl.DataFrame:
    """The marked events, all of a user's where half are; certain unless the sign is a habit."""
    all_of = pl.col("marked").mean().over(USER) >= 0.5
    found = events.with_columns(marked=pl.Series(marked)).filter(pl.col("marked") | all_of)
    certain = found[USER].n_unique() <= max(FEW, habit * able)
    return _signs(found.with_columns(pl.lit(None, pl.String).alias(ITEM)), sign, told, certain=certain)


def _signs(events: pl.DataFrame, sign: str, told: str, *, certain: bool) -> pl.DataFrame:
    constants = {"sign": pl.lit(sign), "certain": pl.lit(certain), "told": pl.lit(told)}
    return events.select(USER, ITEM, EVENT, **constants)


def _nothing() -> pl.DataFrame:
    names = dict.fromkeys((USER, ITEM, EVENT, "sign"), pl.String)
    return pl.DataFrame(schema={**names, "certain": pl.Boolean, "told": pl.String})
