"""What the monitor says of a journal: counted here by hand, from what was planted."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from strata.data.history import DAY, History
from strata.data.suspicious import SuspicionSettings
from strata.online.alerting import Watch, alerts
from strata.online.drift_tables import drift_tables
from strata.online.opening import open_journal
from strata.online.records import Record
from strata.online.watching import MonitorSettings, bursts, by_release, cold, late, late_share
from strata.online.window import Window, window
from strata.recommendation.recommender import Recommender
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import tiny_recommender

HOUR = 3_600.0
NOW = TIME + 10 * DAY


@pytest.fixture(scope="module")
def release() -> Recommender:
    users, items = np.repeat([0, 1], 6), np.arange(12) % N_ITEMS
    times = TIME - np.arange(12)[::-1] * DAY
    return tiny_recommender(History.from_columns(users, items, times, np.ones(12), n_users=N_USERS, n_items=N_ITEMS))


def event(id: str, at: float, user: str = "u0", item: str = "i01", behaviour: str = "view", **body: str) -> Record:
    return Record("event", id, user, at, {"item_id": item, "behaviour": behaviour, **body})


def shown(id: str, release: str, at: float, items: list[str], *, fallback: bool = False) -> Record:
    listed = [[item, place, 1.0, None] for place, item in enumerate(items, 1)]
    return Record("shown", id, "u0", at, {"list_id": id, "release": release, "items": listed, "fallback": fallback})


def satisfied(id: str, list_id: str, value: int) -> Record:
    return Record("satisfied", id, "u0", NOW - HOUR, {"list_id": list_id, "value": value})


def seen(folder: Path, records: list[Record], hours: float = 48) -> Window:
    with closing(open_journal(str(folder / "journal.sqlite"))) as journal:
        journal.append(records)
        return window(journal, NOW - hours * HOUR, NOW)


def test_the_window_is_the_last_of_a_journal(tmp_path: Path) -> None:
    records = [event(f"e{n}", NOW - (200 - n) * HOUR) for n in range(200)]
    found = seen(tmp_path, records)
    assert found.events["event_id"].to_list() == [f"e{n}" for n in range(152, 200)]


def test_lateness_is_how_far_an_event_lies_behind_what_was_accepted_before_it(tmp_path: Path) -> None:
    times = [-10.0, -9.0, -12.0, -8.0, -8.5, -3.0]  # hours; two lie behind, by 3 and by half an hour
    found = seen(tmp_path, [event(f"e{n}", NOW + time * HOUR) for n, time in enumerate(times)])
    watch = late(found)
    assert watch["events"] == 6
    assert watch["behind"] == pytest.approx(2 / 6)
    assert watch["hours_most"] == pytest.approx(3)
    assert watch["silent_hours"] == pytest.approx(3)
    assert late_share(found, minutes=60) == pytest.approx(1 / 6)
    assert late(seen(tmp_path / "empty", []))["silent_hours"] == pytest.approx(48)


def test_clicks_and_satisfaction_belong_to_the_release_of_their_list(tmp_path: Path) -> None:
    found = seen(
        tmp_path,
        [
            shown("l1", "old", NOW - 9 * HOUR, ["i01", "i02", "i03", "i04"]),
            shown("l2", "old", NOW - 8 * HOUR, ["i01", "i02", "i03", "i04"], fallback=True),
            shown("l3", "new", NOW - 2 * HOUR, ["i01", "i02"]),
            event("c1", NOW - HOUR, item="i01", behaviour="click", list_id="l1"),
            event("c2", NOW - HOUR, item="i01", behaviour="click", list_id="l1"),  # again: no more
            event("c3", NOW - HOUR, item="i09", behaviour="click", list_id="l1"),  # not of that list
            event("c4", NOW - HOUR, item="i02", behaviour="click", list_id="l3"),
            event("c5", NOW - HOUR, item="i02", behaviour="click"),  # of no list
            satisfied("s1", "l1", 4),
            satisfied("s2", "l2", 1),
            satisfied("s3", "unheard of", 5),
        ],
    )
    old, new = by_release(found).rows(named=True)
    assert (old["release"], old["lists"], old["fallbacks"], old["shown"], old["clicked"]) == ("old", 2, 1, 8, 1)
    assert (new["release"], new["lists"], new["shown"], new["clicked"], new["judged"]) == ("new", 1, 2, 1, 0)
    assert old["click_through"] == 1 / 8
    assert old["low"] < 1 / 8 < old["high"]
    assert (old["judged"], old["satisfaction"], new["satisfaction"]) == (2, 2.5, None)


def test_what_the_release_does_not_know_is_counted(tmp_path: Path, release: Recommender) -> None:
    records = [event("1", NOW - HOUR), event("2", NOW - HOUR, "stranger"), event("3", NOW - HOUR, "u1", "no such item")]
    found = cold(seen(tmp_path, records), release)
    assert found == {"users": 3.0, "cold_users": pytest.approx(1 / 3), "unknown_items": pytest.approx(1 / 3)}


def test_a_burst_is_seen(tmp_path: Path) -> None:
    calm = [event(f"e{n}", NOW - n * HOUR, f"u{n % 40}") for n in range(40)]
    assert bursts(seen(tmp_path / "calm", calm), SuspicionSettings()) == []
    machine = [event(f"m{n}", NOW - HOUR + n * 0.01, "machine", f"i{n % 12:02d}") for n in range(300)]
    found = bursts(seen(tmp_path / "burst", [*calm, *machine]), SuspicionSettings())
    assert any(each["certain"] and each["users"] == 1 for each in found)


def watched(**parts: object) -> Watch:
    calm = {"events": 1_000.0, "behind": 0.0, "hours_95": 0.0, "hours_most": 0.0, "silent_hours": 1.0}
    cold = {"users": 100.0, "cold_users": 0.1, "unknown_items": 0.0}
    return replace(Watch(calm, 0.0, releases(0.1, 0.1), cold, [], {"hour": 0.05}), **parts)


def releases(former: float, new: float, lists: int = 1_000) -> pl.DataFrame:
    rows = [
        {
            "release": name, "lists": lists, "shown": lists * 10, "clicked": int(lists * 10 * share), "judged": 100,
            "click_through": share, "low": share * 0.95, "high": share * 1.05,
            "satisfaction": 40 * share, "spread": 1.0,
        }
        for name, share in (("former", former), ("new", new))
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, set()),
        ({"late_share": 0.2}, {"late"}),
        ({"late": {"events": 1_000.0, "silent_hours": 30.0}}, {"silence"}),
        ({"late": {"events": 3.0, "silent_hours": 1.0}, "late_share": 0.9, "drift": {"hour": 3.0}}, set()),  # too few
        ({"cold": {"users": 9.0, "cold_users": 0.9, "unknown_items": 0.5}}, {"cold-users", "unknown-items"}),
        ({"drift": {"item_vector_1": 0.5, "hour": 0.1}}, {"drift-item-vector-1"}),
        ({"bursts": [{"certain": True, "users": 2}, {"certain": False, "users": 9}]}, {"bursts"}),
        ({"bursts": [{"certain": False, "users": 9}]}, set()),
        ({"releases": releases(0.1, 0.05)}, {"click-through", "satisfaction"}),
        ({"releases": releases(0.1, 0.095)}, set()),  # by chance, perhaps
        ({"releases": releases(0.05, 0.1)}, set()),
        ({"releases": releases(0.1, 0.01, lists=50)}, set()),
    ],
)
def test_an_alert_is_raised_where_a_limit_is_passed(parts: dict[str, object], expected: set[str]) -> None:
    found = alerts(watched(**parts), MonitorSettings())
    assert {each.what for each in found} == expected
    assert all(each.value > each.limit and each.told for each in found)


def test_tables_of_drift_have_the_same_columns_and_the_events_of_known_items(
    tmp_path: Path, release: Recommender
) -> None:
    records = [event(f"e{n}", NOW - n * HOUR, f"u{n % 2}", f"i{n % 12:02d}") for n in range(24)]
    tables = drift_tables(seen(tmp_path, [*records, event("x", NOW - HOUR, item="no such item")]), release)
    assert tables.reference.columns == tables.current.columns
    assert (tables.reference.height, tables.current.height) == (12, 24)
    assert {"category", "hour", "weekday", "popularity", "item_vector_1", "user_vector_1"} <= set(
        tables.current.columns
    )
    # Every item twice: the mean over all events is the mean over all items, in the vectors too.
    means = [table["item_vector_1"].mean() for table in (tables.reference, tables.current)]
    assert means[0] == pytest.approx(means[1])
