"""Promise: what is seen again is counted where it belongs, and tiers must say more than events and recency do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence import promise
from benchmarks.evidence.promise import (
    GROUPS,
    N_BINS,
    SHORT,
    WINDOW_DAYS,
    WINDOWS,
    Cases,
    beyond_permuted,
    cases_at,
    kept_order,
    smallest_gap,
)
from strata.data.history import DAY, History
from strata.data.schema import TIERS
from tests.benchmarks.test_evidence_context import NOW, small_context

CONTEXT = small_context(users=60)
TIME = NOW - 200 * DAY


def history(*events: tuple[int, int, float], users: int = 2) -> History:
    """Events of (user, item, days after TIME)."""
    rows, items, days = np.array(events, float).T
    weights = np.ones(len(events))
    return History.from_columns(rows, items, TIME + days * DAY, weights, n_users=users, n_items=len(CONTEXT.vectors))


def test_a_point_is_seen_again_where_its_owner_comes_back_to_its_topic() -> None:
    past = [(user, 10 * user + day % 2, -day) for user in (0, 1) for day in range(7, 70, 7)]
    after = [(user, 600, WINDOW_DAYS * w + 1) for user in (0, 1) for w in range(WINDOWS)]
    found = cases_at(replace(CONTEXT, history=history(*past, *after, (0, 5, 1), (0, 0, 57), (1, 3, 57))), TIME)
    assert found.users.tolist() == [0, 1]
    assert found.groups.tolist() == [GROUPS.index("core")] * 2
    assert found.seen.tolist() == [[1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]], "item 5 is another one of the topic"
    assert found.base.tolist() == [[0.5, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]]


def test_only_users_who_are_there_in_every_window_are_judged() -> None:
    past = [(user, 0, -day) for user in (0, 1) for day in range(7, 70, 7)]
    after = [(0, 0, WINDOW_DAYS * w) for w in range(WINDOWS)] + [(1, 0, WINDOW_DAYS * w) for w in range(WINDOWS - 1)]
    found = cases_at(replace(CONTEXT, history=history(*past, *after)), TIME)
    assert found.users.tolist() == [0]
    assert found.base.tolist() == [[1.0] * WINDOWS]


def test_a_history_too_short_to_judge_is_told_apart() -> None:
    after = [(0, 0, WINDOW_DAYS * w) for w in range(WINDOWS)]
    found = cases_at(replace(CONTEXT, history=history((0, 0, -3), (0, 0, -2), *after)), TIME)
    assert [GROUPS[group] for group in found.groups] == [SHORT]


def test_sums_are_by_user_and_group() -> None:
    cases = Cases(np.array([7, 2, 7]), np.array([0, 1, 0]), *(np.zeros(3),) * 3)
    sums = cases.sums(np.array([[1.0], [2.0], [4.0]]), cases.groups, 2)
    assert sums.tolist() == [[[0], [2]], [[5], [0]]]


def test_relations_are_the_smallest_gaps() -> None:
    seen = np.array([np.arange(1, 7), np.arange(3, 9), np.arange(7, 13)])
    of = np.full((3, WINDOWS), 20)
    assert smallest_gap(np.stack([seen, of], 1).ravel()) == pytest.approx(0.1)
    seen[2, 4] = 1
    assert smallest_gap(np.stack([seen, of], 1).ravel()) == pytest.approx((1 - 7) / 20)
    assert kept_order(np.array([[6, 10], [9, 10], [8, 10]]).ravel()) == pytest.approx(0.2)


@given(st.integers(0, 1_000))
def test_permuted_tiers_are_what_permuting_them_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 400
    tiers, bins = rng.integers(3, size=n), rng.integers(4, size=n)
    seen = rng.random(n) < 0.1 + 0.1 * bins + 0.15 * tiers

    def spread(labels: np.ndarray) -> float:
        return seen[labels == 2].mean() - seen[labels == 0].mean()

    def permuted() -> np.ndarray:
        order = np.lexsort((rng.random(n), bins))
        labels = np.empty(n, int)
        labels[np.argsort(bins, kind="stable")] = tiers[order]
        return labels

    sums = np.zeros((N_BINS, len(TIERS), 2))
    np.add.at(sums, (bins, tiers), np.stack([seen, np.ones(n)], 1))
    drawn = np.mean([spread(permuted()) for _ in range(200)])
    assert beyond_permuted(sums.ravel()) == pytest.approx(spread(tiers) - drawn, abs=0.02)


def test_labels_that_follow_events_and_recency_alone_promise_nothing() -> None:
    rng = np.random.default_rng(1)
    bins = rng.integers(3, size=3_000)
    tiers = (rng.random(3_000) * (1 + bins)).astype(int)
    seen = rng.random(3_000) < 0.2 + 0.3 * bins
    sums = np.zeros((N_BINS, len(TIERS), 2))
    np.add.at(sums, (bins, tiers), np.stack([seen, np.ones(3_000)], 1))
    assert abs(beyond_permuted(sums.ravel())) < 0.04


def test_rows_follow_from_their_per_user_values_and_from_each_other() -> None:
    rows = {row.id: row for row in promise.rows(CONTEXT)}
    shares = np.array([[rows[f"recur-{tier}-w{window}"].value for window in range(WINDOWS)] for tier in TIERS])
    for tier, own in zip(TIERS, shares, strict=True):
        assert rows[f"kept-{tier}"].value == pytest.approx(own[-1] / own[0])
        sums = rows[f"recur-{tier}"].per_user.sum()
        assert rows[f"recur-{tier}"].value == pytest.approx((sums["seen"] / sums["base"]).item())
    assert rows["recur-order"].value == pytest.approx(np.diff(shares, axis=0).min())
    assert shares[TIERS.index("core"), -1] > 2 * shares[TIERS.index("momentary"), -1]
    assert "users who are not active" in rows["recur-core"].excluded


def test_where_nobody_stays_there_is_nothing_to_say() -> None:
    brief = replace(CONTEXT, history=CONTEXT.history.before(TIME))
    assert promise.rows(brief) == []
    assert promise.rows(replace(CONTEXT, cut_offs=replace(CONTEXT.cut_offs, backtest=NOW - 100 * DAY))) == []
