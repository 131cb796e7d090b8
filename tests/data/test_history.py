"""History: flat columns of events that cut by time without losing, doubling or reordering any."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.history import History, as_date, order_interactions
from strata.evaluation.split import CutOffs, SplitSettings, choose_cut_offs

USERS, ITEMS = 5, 4
Event = tuple[int, int, float, float]
EVENTS = st.lists(
    st.tuples(
        st.integers(0, USERS - 1),
        st.integers(0, ITEMS - 1),
        st.integers(0, 6).map(float),
        st.sampled_from([-1.0, 0.5, 1.0]),
    ),
    max_size=30,
)


def history(events: list[Event]) -> History:
    users, items, times, weights = (
        (np.array(column) for column in zip(*events, strict=True)) if events else ([np.array([])] * 4)
    )
    return History.from_columns(users, items, times, weights, n_users=USERS, n_items=ITEMS)


def events_of(past: History) -> list[Event]:
    return list(zip(past.users.tolist(), past.items.tolist(), past.times.tolist(), past.weights.tolist(), strict=True))


def sound(past: History) -> None:
    assert past.n_users == USERS
    assert past.offsets.dtype == np.int64
    assert len(past) == past.offsets[-1]
    for user in range(USERS):
        mine = past.of(user)
        assert (past.users[mine] == user).all()
        assert (np.diff(past.times[mine]) >= 0).all()


@given(EVENTS)
def test_columns_in_any_order_give_one_history(events: list[Event]) -> None:
    past = history(events)
    sound(past)
    assert sorted(events_of(past)) == sorted(events)
    assert [event[:3] for event in events_of(history(events[::-1]))] == [event[:3] for event in events_of(past)]


@given(EVENTS, st.integers(-1, 8), st.integers(-1, 8))
def test_windows_partition_the_events(events: list[Event], one: int, other: int) -> None:
    past, start, end = history(events), float(min(one, other)), float(max(one, other))
    parts = past.before(start), past.between(start, end), past.keep(past.times >= end)
    for part in parts:
        sound(part)
    assert sum(len(part) for part in parts) == len(past)
    assert sorted(event for part in parts for event in events_of(part)) == sorted(events)
    assert (parts[0].times < start).all()
    assert events_of(past.before(start).before(end)) == events_of(past.before(start))


@given(EVENTS)
def test_matrix_holds_the_largest_value_of_each_pair(events: list[Event]) -> None:
    past = history(events)
    expected = np.zeros((USERS, ITEMS), np.float32)
    for user, item in {event[:2] for event in events}:
        expected[user, item] = max(weight for u, i, _, weight in events if (u, i) == (user, item))
    matrix = past.matrix(past.weights)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix.toarray(), expected)
    np.testing.assert_array_equal(past.matrix().toarray(), expected != 0)


@given(EVENTS)
def test_ages_count_down_to_the_latest_event(events: list[Event]) -> None:
    past = history(events)
    ages = past.age_in_events()
    for user in range(USERS):
        count = sum(event[0] == user for event in events)
        assert ages[past.of(user)].tolist() == list(range(count))[::-1]
    assert past.active_users().tolist() == sorted({event[0] for event in events})
    assert (past.positive().weights > 0).all()


def table(times: list[datetime], users: list[str], items: list[str]) -> pl.DataFrame:
    columns = {"user_id": users, "item_id": items, "timestamp": times, "weight": [1.0] * len(times)}
    ids = [f"{n:03}" for n in range(len(times))]
    return pl.DataFrame(columns).with_columns(pl.Series("event_id", ids), pl.col("timestamp").dt.cast_time_unit("us"))


@given(EVENTS.filter(bool), st.randoms())
def test_ordering_does_not_depend_on_the_order_given_and_survives_a_file(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], random: object
) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    interactions = table(
        [start + timedelta(seconds=event[2]) for event in events],
        [f"u{e[0]}" for e in events],
        [f"i{e[1]}" for e in events],
    )
    users = pl.DataFrame({"user_id": [f"u{n}" for n in range(USERS)]})
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(ITEMS)]})
    ordered = order_interactions(interactions, users, items)
    assert ordered.equals(order_interactions(interactions.sample(fraction=1, shuffle=True, seed=1), users, items))
    path = tmp_path_factory.mktemp("history") / "interactions.parquet"
    ordered.write_parquet(path)
    past = History.read(path, n_users=USERS, n_items=ITEMS)
    sound(past)
    assert past.users.tolist() == ordered["user_row"].to_list()
    assert past.items.tolist() == ordered["item_row"].to_list()
    assert past.times.tolist() == [time.timestamp() for time in ordered["timestamp"]]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=200))
def test_cut_offs_rise_and_leave_the_shares_asked_for(seconds: list[int]) -> None:
    times = pl.Series([datetime.fromtimestamp(s, UTC) for s in seconds], dtype=pl.Datetime("us", "UTC"))
    cuts = choose_cut_offs(times, SplitSettings())
    assert cuts.finetune <= cuts.validation <= cuts.backtest < cuts.live
    assert max(seconds) < cuts.live
    assert sum(s >= cuts.backtest for s in seconds) >= 0.2 * len(seconds) - 1
    assert [cuts.previous(name) for name in ("validation", "backtest", "live")] == [
        cuts.finetune,
        cuts.validation,
        cuts.backtest,
    ]


def test_cut_offs_survive_a_file(tmp_path: Path) -> None:
    cuts = CutOffs(1.5, 2.0, 3.0, 4.0)
    cuts.write(tmp_path / "cut_offs.json")
    assert CutOffs.read(tmp_path / "cut_offs.json") == cuts


def test_dates_are_utc() -> None:
    assert as_date(0.0) == "1970-01-01"
