"""Sharded profiles are the profiles of all users at once, whatever the shards; a killed run goes on where it was."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from strata.data.history import History
from strata.interests.profiles import Profiles
from strata.interests.settings import TierSettings
from strata.interests.shards import merge, profile_shards, shards
from tests.strategies import TIME, USER_IDS, histories, profiler

PROFILER = profiler(TierSettings(cut=0.8))
IDS = np.array(USER_IDS, object)


def run(history: History, scratch, at_once: int, progress=lambda users: None) -> list:
    return list(profile_shards(shards(history, at_once), PROFILER, TIME, IDS, scratch, progress=progress))


@given(histories(), st.integers(1, 50))
def test_shards_cover_all_users_once_and_hold_no_more_than_asked(history: History, at_once: int) -> None:
    found = list(shards(history, at_once))
    assert [first + user for first, own in found for user in range(own.n_users)] == list(range(history.n_users))
    assert np.concatenate([own.items for _, own in found]).tolist() == history.items.tolist()
    for _, own in found:
        assert own.n_users == 1 or len(own) <= at_once


@given(history=histories(), at_once=st.integers(1, 50))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_sharding_changes_nothing(history: History, at_once: int, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("shards")
    summary = merge(run(history, folder / "scratch", at_once), folder / "profiles")
    whole, faded = PROFILER.profiles(history, TIME, IDS)
    joined = Profiles.read(folder / "profiles")
    assert_frame_equal(joined.table, whole.table)
    assert np.allclose(joined.vectors, whole.vectors, atol=1e-6)
    assert_frame_equal(joined.dislikes.table, whole.dislikes.table)
    assert (summary["points"], summary["faded"]) == (whole.table.height, faded)


def test_a_killed_run_goes_on_where_it_was(tmp_path) -> None:
    n = np.arange(4)
    history = History.from_columns(n, n, TIME - 1e5 * (n + 1), np.ones(4), n_users=4, n_items=12)
    calls = []

    def killed(users: int) -> None:
        calls.append(users)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(history, tmp_path, 1, killed)
    left = {part: part.stat().st_mtime_ns for part in tmp_path.iterdir()}
    assert len(left) == 2
    parts = run(history, tmp_path, 1)
    assert len(parts) == 4
    assert {part: part.stat().st_mtime_ns for part in parts if part in left} == left
