"""What is new is proposed to those who choose its topic and its brand, and nothing else is."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.data.schema import BRAND, CREATED
from strata.data.schema import TIME as TIME_TYPE
from strata.evaluation.window import Window
from strata.ranking.generators.new_items import Arrivals, Group
from strata.ranking.query import QueryBatch, query_batch
from strata.ranking.settings import ArrivalSettings, RankSettings
from strata.ranking.training_windows import asked_for_arrivals
from tests.strategies import N_ITEMS, N_USERS, TIME, catalogue, histories
from tests.tiny_recommender import PROFILER

TOPICS = np.arange(N_ITEMS) % 3
NEW = ArrivalSettings()


def asked(history: History, allowed: np.ndarray | None = None, *, exclude_seen: bool = True) -> QueryBatch:
    profiles = PROFILER.profiles(history, TIME)[0]
    users = np.arange(history.n_users)
    return query_batch(users, history, profiles, {}, TIME, allowed=allowed, exclude_seen=exclude_seen)


@given(histories(), st.sets(st.integers(0, N_ITEMS - 1)), st.booleans())
def test_only_what_few_chose_and_filters_admit_is_proposed(history: History, kept: set[int], again: bool) -> None:
    allowed = np.isin(np.arange(N_ITEMS), list(kept))
    found = Arrivals.of(Catalogue(catalogue()), TOPICS, history, NEW).propose(
        asked(history, allowed, exclude_seen=not again), 5
    )
    users = np.bincount(history.matrix().indices, minlength=N_ITEMS)
    assert (users[found.items] < NEW.few).all()
    assert allowed[found.items].all()
    assert np.isfinite(found.scores).all()
    assert (found.scores > 0).all()
    assert np.isin(found.users, history.active_users()).all()
    if not again:
        pairs = set(zip(history.users.tolist(), history.items.tolist(), strict=True))
        assert not pairs & set(zip(found.users.tolist(), found.items.tolist(), strict=True))


def shop() -> tuple[Catalogue, History]:
    """Users 0 and 1 choose items 0 and 3 of topic 0, users 2 and 3 items 1 and 4 of topic 1; 5 … 11 nobody did."""
    items = catalogue().with_columns(
        pl.Series(BRAND, ["north" if n in (0, 1, 6, 7) else "south" for n in range(N_ITEMS)]),
        pl.Series(
            CREATED, [None] * 9 + [datetime.fromtimestamp(TIME - 2 * NEW.new_days * DAY, UTC)] * 3, dtype=TIME_TYPE
        ),
    )
    users, chosen = np.repeat(np.arange(N_USERS), 2), np.array([0, 3, 0, 3, 1, 4, 1, 4])
    history = History.from_columns(
        users, chosen, TIME - DAY * np.arange(1, 9), np.ones(8), n_users=N_USERS, n_items=N_ITEMS
    )
    return Catalogue(items), history


def test_the_new_of_ones_own_topic_come_first_and_what_came_long_ago_is_not_new() -> None:
    items, history = shop()
    found = Arrivals.of(items, TOPICS, history, NEW).propose(asked(history), N_ITEMS)
    assert not np.isin(found.items, [9, 10, 11]).any()
    for user, topic in ((0, 0), (3, 1)):
        mine = found.users == user
        assert TOPICS[found.items[mine][np.argmax(found.scores[mine])]] == topic


def test_of_one_topic_the_new_of_ones_own_brand_come_first() -> None:
    items, _ = shop()
    history = History.from_columns(
        np.array([0, 1, 1]), np.array([0, 3, 3]), TIME - DAY * np.arange(1, 4), np.ones(3), n_users=2, n_items=N_ITEMS
    )
    found = Arrivals.of(items, np.zeros(N_ITEMS, int), history, NEW).propose(asked(history), N_ITEMS)
    brands = items.items[BRAND].to_list()
    best = [brands[found.items[found.users == user][found.scores[found.users == user].argmax()]] for user in (0, 1)]
    assert best == ["north", "south"]


def test_who_chooses_as_everybody_does_has_no_lift() -> None:
    rng = np.random.default_rng(1)
    chosen = np.tile(rng.integers(0, N_ITEMS, 50), N_USERS)
    history = History.from_columns(
        np.repeat(np.arange(N_USERS), 50),
        chosen,
        TIME - DAY * np.ones(200),
        np.ones(200),
        n_users=N_USERS,
        n_items=N_ITEMS,
    )
    group = Group.of(TOPICS, history, np.ones(N_ITEMS, bool), np.bincount(chosen, minlength=N_ITEMS), 5.0)
    assert group.lift(history, np.ones(200), np.arange(N_ITEMS)) == pytest.approx(1, abs=1e-5)
    nobody = History.from_columns(*np.zeros((4, 0)), n_users=1, n_items=N_ITEMS)
    assert group.lift(nobody, np.zeros(0), np.arange(N_ITEMS)) == pytest.approx(1, abs=1e-5)


def test_how_a_topics_arrivals_fare_is_their_mean_shrunk_to_that_of_all() -> None:
    history = History.from_columns(
        np.zeros(9),
        np.array([0, 0, 0, 0, 0, 0, 1, 2, 2]),
        TIME - DAY * np.arange(1, 10),
        np.ones(9),
        n_users=1,
        n_items=6,
    )
    arrived, lately = np.array([True, True, True, False, False, False]), np.array([6, 1, 2, 0, 0, 0])
    group = Group.of(np.array([0, 1, 2, 0, 1, 3]), history, arrived, lately, smoothing=4.0)
    mean = 9 / 3
    wanted = [(6 + 4 * mean) / 5, (1 + 4 * mean) / 5, (2 + 4 * mean) / 5, mean]
    assert group.fares == pytest.approx(wanted)


def test_what_is_spoken_against_makes_no_topic_fare_well() -> None:
    items, history = shop()
    disliked = np.repeat(np.flatnonzero(TOPICS == 2)[:1], 30)
    more = History.from_columns(
        np.concatenate([history.users, np.zeros(30)]), np.concatenate([history.items, disliked]),
        np.concatenate([history.times, TIME - DAY - np.arange(30)]), np.concatenate([history.weights, -np.ones(30)]),
        n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip
    before, after = (Arrivals.of(items, TOPICS, each, NEW).by_topic for each in (history, more))
    np.testing.assert_array_equal(after.share, before.share)
    assert after.fares[2] < before.fares[2]


@pytest.mark.parametrize("seed", [1, 2])
def test_trees_learn_from_some_users_what_of_the_new_they_chose(seed: int) -> None:
    rng, n = np.random.default_rng(seed), 3_000
    history = History.from_columns(
        rng.integers(0, 300, n), rng.integers(0, 30, n), TIME - rng.random(n) * 300 * DAY, np.ones(n),
        n_users=300, n_items=30,
    )  # fmt: skip
    window, new = Window.of(history, TIME - 100 * DAY, TIME, repeats=True), np.arange(20, 30)
    fresh = asked_for_arrivals(window, new, RankSettings(seed=seed))
    assert np.flatnonzero(fresh.items).tolist() == new.tolist()
    assert 0.1 < len(fresh.users) / len(window.users) < 0.3
    for user, chosen in zip(fresh.users, fresh.relevant, strict=True):
        everything = window.relevant[np.searchsorted(window.users, user)]
        assert chosen.indices.tolist() == [item for item in everything.indices if item >= 20] != []


@given(histories())
def test_the_new_get_their_share_of_the_candidates(history: History) -> None:
    arrivals, batch = Arrivals.of(Catalogue(catalogue()), TOPICS, history, NEW), asked(history)
    for n in (1, 6, N_ITEMS):
        most = np.bincount(arrivals.propose(batch, n).users, minlength=N_USERS).max()
        assert most <= np.ceil(n * len(arrivals.items) / N_ITEMS)
