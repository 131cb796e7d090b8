"""What the ranker sees: the same for one user as in a batch, and nothing from after the cut-off."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.evidence.explanation import without_each
from strata._kernels.selection import NOTHING
from strata.data.history import DAY, History
from strata.ranking.candidates import Table, propose
from strata.ranking.examples import Examples
from strata.ranking.features import OWN
from strata.ranking.lambdamart import LambdaMart, ndcg, smallest_as_good
from strata.ranking.query import query_batch
from strata.ranking.settings import FeatureSettings, Size, TreeSettings
from strata.ranking.trends import Trends
from strata.ranking.two_stage import Models
from strata.recommendation.leave_one_point_out import without_each_point
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME, histories
from tests.tiny_recommender import PROFILER, tiny_models, tiny_ranker, tiny_recommender

EVEN = {"momentary": 1.0, "stable": 1.0, "core": 1.0}
TOPICS = PROFILER.themes.of_item[:, 0]
SEEN = FeatureSettings()


def asked(models: Models, history: History, users: list[int], *, exclude_seen: bool = False):
    batch = query_batch(np.array(users), history, models.profiles, EVEN, TIME, exclude_seen=exclude_seen)
    return batch, propose(batch, models.generators, 6)


@given(histories())
@settings(max_examples=25)
def test_one_user_looks_the_same_alone_and_in_a_batch(history: History) -> None:
    models = tiny_models(history)
    batch, table = asked(models, history, list(range(N_USERS)))
    together = models.features.of(table, batch)
    assert together.shape == (len(table), len(models.features.names(models.names)))
    for user in range(N_USERS):
        batch, alone = asked(models, history, [user])
        rows = table.users == user
        assert (alone.items == table.items[rows]).all()
        assert np.allclose(models.features.of(alone, batch), together[rows], atol=1e-5, equal_nan=True)


@given(histories())
@settings(max_examples=25)
def test_trends_of_a_time_are_those_of_the_history_before_it(history: History) -> None:
    time = TIME - 100 * DAY
    items, times = np.arange(N_ITEMS), np.full(N_ITEMS, time)
    windows = len(SEEN.windows_days) + 1
    of_all = Trends.of(history, SEEN).of_pairs(items, times)[:, :windows]
    before = Trends.of(history.before(time), SEEN).of_pairs(items, times)[:, :windows]
    assert np.allclose(of_all, before)
    apart = Trends.of(history, SEEN).of_pairs(np.append(items, 0), np.append(times, time - DAY))  # not one time for all
    assert np.allclose(apart[:-1, :windows], of_all)


@given(histories())
@settings(max_examples=25)
def test_shares_count_the_events_of_their_window(history: History) -> None:
    found = Trends.of(history, SEEN).of_pairs(np.arange(N_ITEMS), np.full(N_ITEMS, TIME))
    month = history.choices.between(TIME - 30 * DAY, TIME)
    expected = np.bincount(month.items, minlength=N_ITEMS) / max(len(month), 1)
    assert np.allclose(found[:, SEEN.windows_days.index(30.0)], expected)


@given(histories(positive=True))
@settings(max_examples=25)
def test_own_history_counts_the_days_on_which_the_user_was_active(history: History) -> None:
    models = tiny_models(history)
    batch, table = asked(models, history, list(range(N_USERS)))
    names = models.features.names(models.names)
    found = models.features.of(table, batch)[:, [names.index(name) for name in OWN[-3:]]]
    for user, item, (share, lately, since) in zip(table.users, table.items, found, strict=True):
        mine = history.users == user
        days = np.floor((TIME - history.times) / DAY)
        active = sorted(set(days[mine]))
        its = sorted(set(days[mine & (history.items == item)]))
        if not its:
            assert (share, lately) == (0, 0)
            assert np.isnan(since)
            continue
        assert since == active.index(its[0])
        assert lately == len(set(its) & set(active[: SEEN.lately]))
        assert np.isclose(share, len(its) / (active.index(its[-1]) + 2))


def test_every_signal_speaks_for_a_generator_or_for_none() -> None:
    times = TIME - np.arange(1.0, 4) * DAY
    history = History.from_columns(
        np.zeros(3), np.array([1, 2, 4]), times, np.ones(3), n_users=N_USERS, n_items=N_ITEMS
    )
    models = tiny_models(history)
    names = models.features.names(models.names)
    of = dict(zip(names, models.credits.tolist(), strict=True))
    asked = ("ease scaled", "cosine core", "topic share", "own 40d", "share 7d", "mean weight", "events per user")
    credited = ["ease", "interests", "interests", "again", "popular", "popular", "popular"]
    assert [models.names[of[name]] for name in asked] == credited
    assert of["price"] == of["events"] == NOTHING


def examples_of(seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    features = rng.random((1200, 3)).astype(np.float32)
    chosen = features[:, 1] + 0.1 * rng.random(1200) > 0.9
    queries = np.repeat(np.arange(12), 100)
    return Examples(queries, features, chosen, np.bincount(queries, chosen, 12).astype(int))


@pytest.mark.parametrize("users", [1, 5, 11, 12, 13, 100])
def test_of_many_users_as_many_are_drawn_as_asked_for(users: int) -> None:
    fewer = examples_of(1).fewer(users)
    drawn = np.unique(fewer.queries)
    assert len(drawn) == min(users, 12)
    assert np.diff(drawn).max(initial=0) <= np.ceil(12 / users)
    assert len(fewer.features) == len(fewer.chosen) == 100 * len(drawn)


def test_trees_find_the_signal_that_matters_and_survive_a_round_trip(tmp_path) -> None:
    windows = [examples_of(seed) for seed in range(3)]
    sizes = TreeSettings(sizes=(Size(leaves=4, rounds=(100,)), Size(leaves=8, rounds=(50, 100))))
    trees = LambdaMart.fit(windows, ["ease", "cosine core", "price"], sizes, apart=1, seeds=(3, 4))
    unseen = examples_of(9)
    assert ndcg(trees.predict(unseen.features), unseen).mean() > 0.9
    assert next(iter(trees.report["gain"])) == "cosine core"
    rows, both = np.zeros(50, np.int64), np.zeros((50, 2), np.float32)
    table = Table(rows, np.arange(50), both, both, ("ease", "interests"), np.ones(50, bool))
    contributions = trees.contributions(table, lambda: unseen.features[:50], np.array([0, 1, NOTHING]))
    assert (np.argmax(np.abs(contributions), axis=1) == 1).mean() > 0.9
    trees.write(tmp_path)
    again = LambdaMart.read(tmp_path)
    assert np.array_equal(again.predict(unseen.features), trees.predict(unseen.features))
    assert again.names == trees.names


@given(st.integers(0, 2**16), st.floats(0, 0.3))
def test_larger_trees_are_taken_only_where_they_are_better_by_more_than_an_error(seed: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    small = rng.random(400)
    large = small + gain + rng.normal(0, 0.1, 400)
    ahead = large - small
    chosen, means = smallest_as_good([(4, 100), (16, 400)], [small, large])
    assert means == [round(float(small.mean()), 6), round(float(large.mean()), 6)]
    assert chosen == int(ahead.mean() > ahead.std() / np.sqrt(400))
    assert smallest_as_good([(16, 100), (4, 100), (4, 200)], [small, small, small])[0] == 1


@given(histories(positive=True))
@settings(max_examples=10)
def test_removing_a_point_is_scoring_the_profile_without_it(history: History) -> None:
    models = tiny_models(history)
    (batch, table), ranker = asked(models, history, [0]), tiny_ranker(models, history)
    lost = without_each_point(table, np.arange(len(table)), models.features.of(table, batch), batch, models, ranker)
    assert lost.shape == (len(batch.facts.tiers), len(table))
    column = table.generators.index("interests")
    added, proposed = table.added(len(lost)), table.scaled[:, column] > 0
    if (batch.weights >= 0).all():
        assert np.allclose(added.sum(0)[proposed], table.raw[proposed, column], atol=1e-5)
    for point in range(len(lost)):
        kept = np.arange(len(batch.owners)) != point
        facts = batch.facts.take(np.flatnonzero(kept[: len(batch.facts.tiers)]))
        left = replace(batch, points=batch.points[kept], owners=batch.owners[kept],
                       weights=batch.weights[kept], facts=facts)  # fmt: skip
        raw, scaled = table.raw.copy(), table.scaled.copy()
        raw[:, column] -= added[point]
        there = table.scaled[:, column] > 0
        spread = np.ptp(table.raw[there, column]) if there.sum() > 1 else 0
        slope = np.ptp(table.scaled[there, column]) / spread if spread > 0 else 1
        scaled[:, column] = np.maximum(scaled[:, column] - slope * added[point], 0)
        without = models.score(replace(table, raw=raw, scaled=scaled), left, ranker)
        assert np.allclose(lost[point], models.score(table, batch, ranker) - without, atol=1e-5)


def test_a_reason_cites_the_point_without_which_the_item_would_lose_most() -> None:
    rng = np.random.default_rng(7)
    history = History.from_columns(
        rng.integers(0, N_USERS, 160), rng.integers(0, N_ITEMS, 160), TIME - rng.random(160) * 300 * DAY - 1,
        np.ones(160), n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip
    recommender = tiny_recommender(history)
    person = recommender.user("u0")
    names = person.profiles.table["name"][person.profiles.of(person.row)].to_list()
    listed = recommender.recommend("u0", ListRequest(k=6))
    falls = without_each(recommender, person, [item.item_id for item in listed])
    cited = [(n, item.reason) for n, item in enumerate(listed) if item.reason and item.reason.moved]
    assert cited
    for place, reason in cited:
        assert falls[names.index(reason.interest), place] > 0
        assert reason.generator in recommender.models.names
        assert 0 < reason.share <= 1
