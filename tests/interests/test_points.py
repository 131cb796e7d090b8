"""Interest points: every event belongs to one, rows may come in any order, a topic is never parted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strata.data.history import History
from strata.embeddings.vectors import spread, unit
from strata.interests.grouping import GROUPINGS
from strata.interests.points import find_points, let_go
from strata.interests.settings import TierSettings
from tests.strategies import N_ITEMS, N_USERS, histories, vectors

TOPICS = np.arange(N_ITEMS) // 2
"""Two items a topic: 0 and 1, 2 and 3, …, whatever their vectors say."""


def points_of(history: History, cut: float = 1.0, topics: np.ndarray = TOPICS, method: str = "ward"):
    return find_points(history, vectors(), topics, TierSettings(method=method), height=cut * spread(vectors()))


@given(histories(positive=True))
def test_every_event_belongs_to_one_point_of_its_user(history: History) -> None:
    points = points_of(history)
    assert (points.of_event >= 0).all()
    assert (points.users[points.of_event] == history.users).all()
    assert np.allclose(np.linalg.norm(points.vectors, axis=1), 1, atol=1e-5)


@given(histories(positive=True))
def test_a_medoid_is_one_of_its_points_items(history: History) -> None:
    points = points_of(history)
    for number, medoid in enumerate(points.medoids):
        assert medoid in history.items[points.of_event == number]


@given(histories(positive=True), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(history: History, random) -> None:
    order = list(range(len(history)))
    random.shuffle(order)
    shuffled = History.from_columns(
        history.users[order], history.items[order], history.times[order], history.weights[order],
        n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip
    one, other = points_of(history), points_of(shuffled)
    assert (one.medoids == other.medoids).all()
    assert np.allclose(one.vectors, other.vectors, atol=1e-5)


@given(histories(positive=True))
def test_a_higher_cut_never_gives_more_points(history: History) -> None:
    counts = [len(points_of(history, cut).users) for cut in (0.2, 1.0, 3.0)]
    assert counts == sorted(counts, reverse=True)


@given(histories(positive=True), st.sampled_from(sorted(GROUPINGS)))
def test_items_of_one_topic_are_never_parted(history: History, method: str) -> None:
    points = points_of(history, 0.5, method=method)
    keys = history.users * 100 + TOPICS[history.items]
    for key in np.unique(keys):
        assert len(np.unique(points.of_event[keys == key])) == 1
    assert (points.users[points.of_leaf] * 100 + points.topics).tolist() == np.unique(keys).tolist()


@given(histories(positive=True), st.data())
def test_events_let_go_belong_to_no_point_and_the_others_stay(history: History, data) -> None:
    points = points_of(history)
    first_of_each = np.unique(points.of_event, return_index=True)[1]
    free = np.ones(len(history), bool)
    free[first_of_each] = False
    events = free & np.array(data.draw(st.lists(st.booleans(), min_size=len(history), max_size=len(history))))
    left = let_go(points, history, vectors(), TOPICS, events)
    assert (left.of_event == np.where(events, -1, points.of_event)).all()
    for number, medoid in enumerate(left.medoids):
        assert medoid in history.items[left.of_event == number]
    assert np.allclose(np.linalg.norm(left.vectors, axis=1), 1, atol=1e-5)


def test_one_event_is_one_point_and_kinds_come_apart() -> None:
    one = History.from_columns(np.array([2]), np.array([5]), np.array([1.0]), np.array([1.0]), n_users=4, n_items=12)
    assert points_of(one).medoids.tolist() == [5]
    kinds = History.from_columns(
        np.zeros(6, int), np.array([0, 3, 6, 1, 4, 7]), np.arange(6.0), np.ones(6), n_users=1, n_items=12
    )
    points = points_of(kinds, cut=0.8, topics=np.arange(N_ITEMS))
    assert len(points.users) == 2
    assert len(set(points.of_event[[0, 1, 2]])) == 1


def test_the_unit_of_cuts_follows_the_space() -> None:
    assert np.isclose(spread(vectors() * 3), 3 * spread(vectors()), rtol=1e-5)
    assert spread(unit(np.ones((3, 4)))) > 0
