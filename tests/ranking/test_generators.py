"""What single generators propose."""

import numpy as np
import pytest

from strata.data.history import DAY, History
from strata.interests.point_facts import NUMBERS, PointFacts
from strata.ranking.generators.popular import PopularInTopics
from strata.ranking.query import QueryBatch

TIME, HALF_LIFE = 1e9, 40.0
TOPICS, COUNTS = np.array([0, 0, 1, 1, 2]), np.array([3.0, 1, 40, 60, 10])


def asked(items: list[int], days_ago: list[float], interests: list[int], weights: list[float]) -> QueryBatch:
    """One user with these events, whose points are made of these topics."""
    n = len(items)
    history = History.from_columns(
        np.zeros(n), np.array(items), TIME - DAY * np.array(days_ago), np.array(weights), n_users=1, n_items=5
    )
    points = len(interests)
    facts = PointFacts(
        np.zeros(points, np.int8), np.zeros((points, len(NUMBERS)), np.float32), np.arange(points), np.array(interests)
    )
    return QueryBatch(
        history, np.zeros((points, 2), np.float32), np.zeros(points, np.int64), np.ones(points, np.float32), facts,
        np.ones(5, bool), np.full(1, TIME), exclude_seen=False,
    )  # fmt: skip


def test_the_popular_of_a_topic_share_what_the_topic_has_of_what_one_chose() -> None:
    """However popular a topic is, its items together get its share; a half-life ago counts half."""
    found = PopularInTopics(COUNTS, TOPICS, HALF_LIFE).propose(asked([0, 2], [0, HALF_LIFE], [0, 1], [1, 1]), 5)
    scores = dict(zip(found.items.tolist(), found.scores.tolist(), strict=True))
    assert scores == pytest.approx({0: 2 / 3 * 3 / 4, 1: 2 / 3 / 4, 2: 1 / 3 * 0.4, 3: 1 / 3 * 0.6})


def test_nothing_is_popular_in_topics_that_are_no_interest_or_spoken_against() -> None:
    generator = PopularInTopics(COUNTS, TOPICS, HALF_LIFE)
    found = generator.propose(asked([0, 2, 4], [1, 1, 1], [0, 2], [1, 1, -1]), 5)
    assert set(TOPICS[found.items]) == {0}
    assert not len(generator.propose(asked([0], [1], [], [1]), 5).items)
