"""Events that no person makes: rates of machines, copied sequences, items pushed by users who arrived for them.

A sign is certain unless so many users show it that it is a habit of the platform, as albums played in order are.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from pydantic import Field

from strata.data.floods import Arrivals
from strata.data.parts import Parts, Store
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
RUNS: Final = 8_000_000
"""Runs of items compared at once."""
REGULAR: Final = 3
"""Days on which somebody acted who is no account made for a push."""
NEW: Final = 7 * DAY
"""Of an item's first choice and a flood of it, at most: the item was new then."""
_NO_EVENTS: Final = pl.DataFrame(schema={EVENT: pl.String, "sign": pl.String})


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


@dataclass
class Sign:
    """What one sign marks, gathered from parts of the events: it is certain unless it turns out to be a habit."""

    name: str
    told: str
    habit: float
    n_users: int
    """Of all events."""
    able: int = 0
    """Users who could show the sign."""
    users: int = 0
    counts: list[pl.DataFrame] = field(default_factory=list)
    events: list[pl.DataFrame] = field(default_factory=list)

    def add(self, events: pl.DataFrame, marked: np.ndarray, able: int) -> None:
        """The marked events of a part, all of a user's where half are."""
        all_of = pl.col("marked").mean().over(USER) >= 0.5
        self.take(events.with_columns(marked=pl.Series(marked)).filter(pl.col("marked") | all_of), able)

    def take(self, found: pl.DataFrame, able: int) -> None:
        """Events that are marked."""
        self.able += able
        self.users += found[USER].n_unique()
        self.counts.append(found.group_by(USER).agg(events=pl.len()))
        self.events.append(found.select(EVENT))
        if self.users > max(FEW, self.habit * self.n_users):  # a habit in any case, so its events need not be known
            self.events = []

    @property
    def certain(self) -> bool:
        """Whether so few users show it, of those who could, that it is no habit."""
        return self.users <= max(FEW, self.habit * self.able)

    def found(self) -> Suspicion:
        """Signs and events in all parts."""
        counts = pl.concat(self.counts or [pl.DataFrame(schema={USER: pl.String, "events": pl.UInt32})])
        signs = _signs(counts.with_columns(pl.lit(None, pl.String).alias(ITEM)), self.name, self.told, self.certain)
        events = [frame.with_columns(sign=pl.lit(self.name)) for frame in self.events if self.certain]
        return Suspicion(signs, pl.concat([_NO_EVENTS, *events]))


def suspicion(interactions: Parts, settings: SuspicionSettings) -> Suspicion:
    """Look through `interactions` (user, item, behaviour, time, event id; any order, each user's in one part).

    A rate marks the events that are too many, and all of a user of whom these are half; the other signs mark all events
    of a user. Time grows with the number of events, but for sorting.
    """
    parts = interactions.map(
        lambda part: part.select(USER, ITEM, BEHAVIOUR, EVENT, at=pl.col(TIMESTAMP).dt.epoch("us"))
    )
    span = parts.each(
        lambda part: part.select(pl.col(USER).n_unique(), low=pl.col("at").min(), high=pl.col("at").max())
    )
    if not span[USER].sum() or span["low"].min() == span["high"].max():
        return Suspicion(pl.DataFrame(schema=SUSPICIOUS), _NO_EVENTS)
    items = parts.each(lambda part: part.select(pl.col(ITEM).unique())).unique().sort(ITEM)[ITEM]
    n_users = int(span[USER].sum())
    coarse = _coarse(parts)
    rate, clockwork = _rate(settings, n_users), _clockwork(settings, n_users)
    copies, arrivals = Copies(settings), Arrivals(items)
    for part in parts:
        events = part.sort(USER, "at", ITEM, EVENT)
        _look_at_rates(events.filter(~pl.col(BEHAVIOUR).is_in(coarse)), settings, rate, clockwork)
        copies.add(events)
        arrivals.add(events)
    few = max(FEW + 1, len(items) // 100)
    pushed = arrivals.floods(settings.flood_users, settings.flood_share, few)
    found = [rate.found(), clockwork.found(), _copied(parts, copies, settings, n_users)]
    found.append(_floods(parts, pushed, settings, n_users, few))
    signs = pl.concat([each.signs for each in found])
    signs = signs.sort("certain", "sign", USER, "item_id", descending=[True, False, False, False])
    events = pl.concat([each.events for each in found])
    return Suspicion(signs, events.sort("sign").unique(EVENT, keep="first", maintain_order=True))


def _coarse(parts: Parts) -> list[str]:
    """Behaviours of which COARSE of the events have one time of day."""
    time = (pl.col("at") % DAY).alias("time")
    groups = parts.each(lambda part: part.group_by(BEHAVIOUR, time).agg(n=pl.len()).filter(
        pl.col("n") >= COARSE * pl.col("n").sum().over(BEHAVIOUR)
    ))  # fmt: skip
    # What so many share in all parts, they share in one of them.
    usual = groups.select(BEHAVIOUR, "time").unique().lazy()
    alike = parts.each(lambda part: part.with_columns(time).join(usual, on=[BEHAVIOUR, "time"], how="semi")
                       .group_by(BEHAVIOUR, "time").agg(n=pl.len()))  # fmt: skip
    alike = alike.group_by(BEHAVIOUR, "time").agg(pl.col("n").sum())
    together = alike.join(parts.counts(BEHAVIOUR), on=BEHAVIOUR).filter(pl.col("n") / pl.col("count") >= COARSE)
    return together[BEHAVIOUR].unique().to_list()


def _rate(settings: SuspicionSettings, n_users: int) -> Sign:
    rates = f"{settings.most_per_minute} a minute, {settings.most_per_ten_minutes} in ten"
    told = f"more events than {rates} or {settings.most_per_hour} an hour"
    return Sign("rate", told, settings.habit, n_users)


def _clockwork(settings: SuspicionSettings, n_users: int) -> Sign:
    return Sign("clockwork", f"{settings.equal_gaps} or more equal gaps in a row", settings.habit, n_users)


def _look_at_rates(exact: pl.DataFrame, settings: SuspicionSettings, rate: Sign, clockwork: Sign) -> None:
    """Events too many for a minute, ten or an hour, and runs of equal gaps."""
    # One act is an event, or all that is bought at one moment; those that follow in a basket share its mark.
    basket = pl.col(BEHAVIOUR).is_in(COUNTED) & (pl.col("at") == pl.col("at").shift(1)) & _same_user(1)
    exact = exact.with_columns(act=~basket.fill_null(value=False))
    acts = exact.filter("act")
    if acts.is_empty():
        return
    users, at = acts[USER].rle_id().to_numpy(), acts["at"].to_numpy()
    spans = ((1, settings.most_per_minute), (10, settings.most_per_ten_minutes), (60, settings.most_per_hour))
    fast = np.logical_or.reduce([_runs(users, at, most, minutes * MINUTE) for minutes, most in spans])
    of_act = (exact["act"].cum_sum() - 1).to_numpy()
    rate.add(exact, fast[of_act], _able(acts, min(most for _, most in spans)))
    moments = exact.select(USER, "at").unique(maintain_order=True)
    clockwork.add(exact, _regular(exact, moments, settings.equal_gaps), _able(moments, settings.equal_gaps + 1))


def _runs(users: np.ndarray, at: np.ndarray, many: int, span: int) -> np.ndarray:
    """Which events (n,), sorted by user and time, lie among `many` or more of their user within `span`: bool."""
    marks = np.zeros(len(at) + 1, np.int64)
    if len(at) >= many:
        starts = np.flatnonzero((users[many - 1 :] == users[: 1 - many]) & (at[many - 1 :] - at[: 1 - many] < span))
        np.add.at(marks, starts, 1)
        np.add.at(marks, starts + many, -1)
    return np.asarray(marks[:-1].cumsum() > 0)


def _regular(exact: pl.DataFrame, moments: pl.DataFrame, gaps: int) -> np.ndarray:
    """Which events are at moments of a user that follow each other by the same gap, `gaps` times in a row."""
    gap = pl.when(_same_user(1)).then(pl.col("at").diff())
    moments = moments.with_columns(gap=gap).with_columns(run=pl.struct(USER, "gap").rle_id())
    length = pl.when(pl.col("gap").is_not_null()).then(pl.len().over("run")).otherwise(0)
    moments = moments.with_columns(regular=length >= gaps)
    regular = exact.join(moments.select(USER, "at", "regular"), on=[USER, "at"], how="left", maintain_order="left")
    return regular["regular"].to_numpy()


@dataclass
class Copies:
    """Users most of whose runs of items others have in the same order, gathered from parts of the events."""

    settings: SuspicionSettings
    pieces: Store = field(default_factory=Store)
    users: list[pl.Series] = field(default_factory=list)
    n_users: int = 0

    def add(self, events: pl.DataFrame) -> None:
        """More events, sorted by user and time."""
        first = events.unique([USER, ITEM], keep="first", maintain_order=True)
        long = first.filter(pl.len().over(USER) >= self.settings.copied_items)
        run = pl.struct(pl.col(ITEM).shift(place).alias(f"item {place}") for place in range(SHINGLE)).hash()
        pieces = long.select(USER, run=pl.when(_same_user(SHINGLE - 1)).then(run)).drop_nulls()
        self.pieces.add(pieces.select((pl.col(USER).rle_id() + self.n_users).alias("user"), "run"))
        self.users.append(pieces[USER].unique(maintain_order=True))
        self.n_users += len(self.users[-1])

    def copied(self) -> pl.Series:
        """Users `copied_share` of whose runs are those of enough others, of the `n_users` who have any."""
        pieces = self.pieces.parts()
        turns, sums = -(-self.pieces.rows // RUNS), []
        shared = (pl.len().over("run") >= self.settings.copiers).alias("shared")
        for turn in range(turns):
            of_turn = pieces.each(lambda part, turn=turn: part.filter(pl.col("run") % turns == turn))  # type: ignore[misc]
            sums.append(of_turn.with_columns(shared).group_by("user").agg(pl.len(), pl.col("shared").sum()))
        if not sums:
            return pl.Series(USER, [], pl.String)
        share = pl.concat(sums).group_by("user").agg(pl.col("len", "shared").sum())
        copied = share.filter(pl.col("shared") / pl.col("len") >= self.settings.copied_share)["user"]
        return pl.concat(self.users).gather(copied)


def _copied(parts: Parts, copies: Copies, settings: SuspicionSettings, n_users: int) -> Suspicion:
    users = copies.copied().to_frame().lazy()
    told = f"{settings.copied_share:.0%} or more of the sequence is that of {settings.copiers - 1} or more others"
    sign = Sign("copy", told, settings.habit, n_users, able=copies.n_users)
    for part in parts.map(lambda part: part.select(USER, EVENT).join(users, on=USER, how="semi")):
        sign.take(part, 0)
    return sign.found()


def _floods(parts: Parts, pushed: pl.DataFrame, settings: SuspicionSettings, n_users: int, few: int) -> Suspicion:
    """All events of users who arrived one after another and chose the same item at once.

    Not certain is who came back on other days, and who came for what was new then: an opening draws people too.
    """
    told = f"{settings.flood_users} or more users arrived together and chose the same item"
    # What many items see, as news do, is how they are found there; a push is one of few.
    habit = pushed[ITEM].n_unique() > few
    habit |= pushed[USER].n_unique() > settings.habit * n_users
    users, items = (pushed.lazy().select(name).unique() for name in (USER, ITEM))
    events = parts.each(lambda part: part.select(USER, EVENT, "at").join(users, on=USER, how="semi"))
    of_user = events.group_by(USER).agg(events=pl.len(), came=pl.col("at").min(), days=(pl.col("at") // DAY).n_unique())
    chosen = parts.each(lambda part: part.join(items, on=ITEM, how="semi").group_by(ITEM).agg(pl.col("at").min()))
    of_item = chosen.group_by(ITEM).agg(began=pl.col("at").min())
    new = pl.col("came").min().over(ITEM) - pl.col("began") < NEW
    certain = ~new & (pl.col("days") < REGULAR) & (not habit)
    counts = pushed.join(of_user, on=USER).join(of_item, on=ITEM).with_columns(certain=certain)
    marked = events.join(counts.filter("certain").select(USER).unique(), on=USER, how="semi")
    signs = [
        _signs(part, "flood", told, bool(sure))
        for (sure,), part in counts.partition_by("certain", as_dict=True).items()
    ]
    none = pl.DataFrame(schema=SUSPICIOUS)
    return Suspicion(pl.concat([none, *signs]), marked.select(EVENT, sign=pl.lit("flood")))


def _signs(counts: pl.DataFrame, sign: str, told: str, certain: bool) -> pl.DataFrame:  # noqa: FBT001
    constants = {"sign": pl.lit(sign), "certain": pl.lit(certain), "told": pl.lit(told)}
    return counts.select(USER, ITEM, pl.col("events").cast(pl.UInt32), **constants).match_to_schema(SUSPICIOUS)


def _same_user(back: int) -> pl.Expr:
    return pl.col(USER) == pl.col(USER).shift(back)


def _able(acts: pl.DataFrame, least: int) -> int:
    """Users with enough acts to show a sign."""
    return int(acts.group_by(USER).len().select((pl.col("len") >= least).sum()).item())
