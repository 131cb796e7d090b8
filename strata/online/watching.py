"""What a window of the journal says of how the platform does: late events, clicks by release, new users, bursts."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import polars as pl
from pydantic import Field

from strata.data.journal_folder import LIST
from strata.data.parts import Parts
from strata.data.schema import ITEM, TIMESTAMP, USER, VALUE
from strata.data.suspicious import SuspicionSettings, suspicion
from strata.online.window import Window
from strata.recommendation.recommender import Recommender
from strata.settings import Settings

SURE: Final = 1.96
"""Standard errors on either side of a share: 95 %."""


class MonitorSettings(Settings):
    """The window that is looked at, and from where on something is worth an alert."""

    hours: float = Field(default=168.0, gt=0)
    """Of the window."""
    late_minutes: float = Field(default=60.0, gt=0)
    """Events that lie so far behind later ones that were accepted before them are late."""
    late_share: float = Field(default=0.1, ge=0, le=1)
    silent_hours: float = Field(default=24.0, gt=0)
    """Hours without any event."""
    cold_share: float = Field(default=0.5, ge=0, le=1)
    """Of active users, those whom the release does not know."""
    unknown_items: float = Field(default=0.1, ge=0, le=1)
    """Share of events on items that the release lacks."""
    clicks_may_fall: float = Field(default=0.1, ge=0, le=1)
    """Share of the former release's click-through that may be lost, beyond what chance explains."""
    satisfaction_may_fall: float = Field(default=0.3, ge=0)
    """The same of the mean satisfaction, in steps of 1 to 5."""
    bursts: int = Field(default=0, ge=0)
    """Users with a certain sign of a machine or of fraud."""
    drift: float = Field(default=0.2, gt=0)
    """Distance of a column from the release's: Jensen-Shannon's for kinds, Wasserstein's in standard deviations."""
    fewest: int = Field(default=200, ge=1)
    """Events, or lists of a release, below which nothing is said of shares and drift."""


@dataclass(frozen=True)
class Alert:
    """Something an operator should look at: `what` for programs, `told` for people."""

    what: str
    told: str
    value: float
    limit: float


def late(seen: Window) -> dict[str, float]:
    """How far events lie behind the latest of those accepted before them: share behind, hours, and the silence since.

    `hours_95`, `hours_most`: hours behind, of 95 % at most, and at most. `silent_hours`: from the latest event to now.
    """
    if seen.events.is_empty():
        return {"events": 0, "behind": 0.0, "hours_95": 0.0, "hours_most": 0.0,
                "silent_hours": (seen.until - seen.since) / 3600}  # fmt: skip
    hours = seen.events.select(at=pl.col(TIMESTAMP).dt.epoch("us") / 3.6e9).with_columns(head=pl.col("at").cum_max())
    behind = (hours["head"] - hours["at"]).sort()
    return {
        "events": float(len(behind)),
        "behind": share_of(behind > 0),
        "hours_95": float(behind.quantile(0.95) or 0.0),
        "hours_most": float(behind[-1]),
        "silent_hours": max(0.0, seen.until / 3600 - float(hours["head"][-1])),
    }


def late_share(seen: Window, minutes: float) -> float:
    """Share of events that lie more than so many minutes behind."""
    at = seen.events[TIMESTAMP].dt.epoch("us")
    return share_of((at.cum_max() - at) > minutes * 6e7)


def share_of(holds: pl.Series) -> float:
    """How many of some values (n,) are true, of all; 0 of none."""
    return float(holds.sum()) / max(len(holds), 1)


def by_release(seen: Window) -> pl.DataFrame:
    """A row for each release that showed lists, the latest last: `release`, `lists`, `fallbacks`, `shown`, `clicked`.

    `click_through`: clicked of shown items, each list and item once, with `low` and `high` (Wilson, 95 %); a click
    belongs to the list that it names. `judged`, `satisfaction`: answers from 1 to 5 on its lists, and their mean.
    """
    pairs = seen.shown.unique([LIST, ITEM], keep="first", maintain_order=True)
    clicks = seen.events.filter(pl.col("behaviour") == "click").select(LIST, ITEM).drop_nulls().unique()
    pairs = pairs.join(clicks.with_columns(clicked=True), on=[LIST, ITEM], how="left")
    lists = pl.col(LIST).n_unique()
    table = pairs.group_by("release").agg(
        first=pl.col(TIMESTAMP).min(), lists=lists, fallbacks=pl.col(LIST).filter("fallback").n_unique(),
        shown=pl.len().cast(pl.Int64), clicked=pl.col("clicked").sum().cast(pl.Int64),
    )  # fmt: skip
    release_of = seen.shown.select(LIST, "release").unique()
    judged = seen.satisfied.join(release_of, on=LIST, how="inner").group_by("release")
    opinions = judged.agg(judged=pl.len().cast(pl.Int64), satisfaction=pl.col(VALUE).mean(), spread=pl.col(VALUE).std())
    table = table.join(opinions, on="release", how="left").with_columns(pl.col("judged").fill_null(0))
    shares = [_wilson(clicked, shown) for clicked, shown in table.select("clicked", "shown").iter_rows()]
    columns = {name: [share[place] for share in shares] for place, name in enumerate(("click_through", "low", "high"))}
    return table.with_columns(pl.Series(name, values, pl.Float64) for name, values in columns.items()).sort("first")


def _wilson(hits: int, of: int) -> tuple[float, float, float]:
    """A share and its 95 % interval (Wilson 1927)."""
    share, z2 = hits / of, SURE**2
    middle, width = share + z2 / (2 * of), SURE * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return share, (middle - width) / (1 + z2 / of), (middle + width) / (1 + z2 / of)


def cold(seen: Window, release: Recommender) -> dict[str, float]:
    """How much of a window the release knows nothing of: shares of active users, and of events, by their items."""
    users, items = seen.events[USER].drop_nulls().unique(), seen.events[ITEM].drop_nulls()
    unknown = sum(user not in release.users for user in users)
    without = sum(count for item, count in items.value_counts().iter_rows() if item not in release.catalogue)
    return {
        "users": float(len(users)),
        "cold_users": unknown / max(len(users), 1),
        "unknown_items": without / max(len(items), 1),
    }


def bursts(seen: Window, settings: SuspicionSettings) -> list[dict[str, Any]]:
    """Signs of machines and of fraud among the window's events, by the rules of cleaning: sign, users, events."""
    events = seen.events.drop_nulls([USER, ITEM])
    if events.is_empty():
        return []
    return [
        {"sign": sign, "certain": certain, "users": users, "events": count, "meaning": told}
        for sign, certain, users, count, told in suspicion(Parts.of(events), settings).told()
    ]
