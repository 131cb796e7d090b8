"""What of a watch is worth an alert, by the settings of the monitor."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from strata.online.watching import SURE, Alert, MonitorSettings


@dataclass(frozen=True)
class Watch:
    """All that was seen of a window; `drift`: distance of each column from the release's."""

    late: Mapping[str, float]
    late_share: float
    releases: pl.DataFrame
    cold: Mapping[str, float]
    bursts: Sequence[Mapping[str, Any]]
    drift: Mapping[str, float]


def alerts(watch: Watch, settings: MonitorSettings) -> list[Alert]:
    """Alerts, each where a limit of the settings is passed and there is enough to say so."""
    return [alert for alert in _possible(watch, settings) if alert.value > alert.limit]


def _possible(watch: Watch, settings: MonitorSettings) -> Iterator[Alert]:
    silent = watch.late["silent_hours"]
    yield Alert("silence", f"no event for {silent:.1f} hours", silent, settings.silent_hours)
    certain = sum(each["users"] for each in watch.bursts if each["certain"])
    yield Alert("bursts", f"{certain} users show a sign of a machine or of fraud", certain, settings.bursts)
    yield from _fallen(watch.releases, settings)
    if watch.late["events"] < settings.fewest:
        return
    behind = f"{watch.late_share:.1%} of events come more than {settings.late_minutes:g} minutes late"
    yield Alert("late", behind, watch.late_share, settings.late_share)
    share = watch.cold["cold_users"]
    yield Alert("cold-users", f"the release does not know {share:.1%} of active users", share, settings.cold_share)
    share = watch.cold["unknown_items"]
    told = f"{share:.1%} of events are on items that the release lacks"
    yield Alert("unknown-items", told, share, settings.unknown_items)
    for column, distance in watch.drift.items():
        told = f"{column} lies {distance:.2f} from what the release learned from"
        yield Alert(f"drift-{column.replace('_', '-')}", told, distance, settings.drift)


def _fallen(releases: pl.DataFrame, settings: MonitorSettings) -> Iterator[Alert]:
    """The latest release against the one before it, by what chance does not explain."""
    enough = releases.filter(pl.col("lists") >= settings.fewest).rows(named=True)
    if len(enough) < 2:
        return
    former, new = enough[-2:]
    if former["click_through"]:
        # The best that the new release may be against the worst that the former may have been.
        lost = max(0.0, 1 - new["high"] / former["low"])
        told = f"click-through of {new['release']}: {new['click_through']:.3f}, before {former['click_through']:.3f}"
        yield Alert("click-through", told, lost, settings.clicks_may_fall)
    if min(former["judged"], new["judged"]) >= 2:
        fall = former["satisfaction"] - new["satisfaction"]
        chance = SURE * sum(each["spread"] ** 2 / each["judged"] for each in (former, new)) ** 0.5
        told = f"satisfaction with {new['release']}: {new['satisfaction']:.2f}, before {former['satisfaction']:.2f}"
        yield Alert("satisfaction", told, max(0.0, fall - chance), settings.satisfaction_may_fall)
