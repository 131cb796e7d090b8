"""Recommending: no filter is ever violated, the sum can be read, one call equals the batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata._kernels.selection import NOTHING
from strata.data.history import History
from strata.embeddings.index import IndexSettings, ItemIndex
from strata.evaluation.tuning import trials
from strata.evaluation.window import Window
from strata.interests.settings import TierSettings
from strata.models.als import Als
from strata.models.association_rules import AssociationRules
from strata.models.baselines import by_history
from strata.models.ease import Ease
from strata.models.files import load_model, save_model
from strata.models.item_knn import ItemKnn
from strata.models.item_model import weigh
from strata.models.popularity import popularity
from strata.models.user_knn import UserKnn
from strata.ranking.candidates import Table, propose
from strata.ranking.generators.again import BoughtBefore
from strata.ranking.generators.interests import NearestToInterests
from strata.ranking.generators.item_models import FromHistory
from strata.ranking.generators.popular import Popular, PopularInTopics
from strata.ranking.generators.user_knn import FromUserKnn
from strata.ranking.query import query_batch, select_users
from strata.ranking.settings import RankSettings
from strata.ranking.training_windows import newcomers
from strata.ranking.weighted_sum import WeightedSum
from tests.strategies import N_ITEMS, N_USERS, TIME, histories, profiler, vectors

RANKER = WeightedSum({"interests": 0.4, "ease": 0.3, "item-knn": 0.2, "popular": 0.1})
PROFILER = profiler(TierSettings(cut=0.8))
INDEX = ItemIndex.build(vectors(), IndexSettings())
EVEN = {"momentary": 1.0, "stable": 1.0, "core": 1.0}


def generators(history: History) -> tuple:
    return (
        NearestToInterests(INDEX, 5),
        FromHistory(Ease.fit(history, penalty=5, half_life=10.0), "ease"),
        FromHistory(ItemKnn.fit(history, neighbours=5, half_life=None, shrink=1), "item-knn"),
        FromHistory(
            AssociationRules.fit(history, neighbours=5, half_life=2.0, shrink=1, distance=10), "association-rules"
        ),
        FromUserKnn(UserKnn.fit(history, TIME, neighbours=2, half_life_days=None, least_rarity=0.1)),
        Popular(popularity(history, TIME)),
        PopularInTopics(popularity(history, TIME), PROFILER.themes.of_item[:, 0], 40.0),
        BoughtBefore(popularity(history, TIME), 60.0),
    )


def rank(asked, proposing: tuple, k: int, n: int) -> np.ndarray:
    table = propose(asked, proposing, n)
    return table.items_at(table.top(RANKER.scores(table), len(asked), k))


def batch(history: History, users: np.ndarray, **options):
    profiles, _ = PROFILER.profiles(history, TIME)
    return query_batch(users, history, profiles, EVEN, TIME, **options)


@given(histories(), st.lists(st.booleans(), min_size=N_ITEMS, max_size=N_ITEMS), st.booleans())
def test_nothing_recommended_violates_a_filter(history: History, admitted: list[bool], exclude: bool) -> None:
    allowed = np.array(admitted)
    asked = batch(history, np.arange(N_USERS), allowed=allowed, exclude_seen=exclude)
    ranked = rank(asked, generators(history), k=N_ITEMS, n=5)
    for user, items in enumerate(ranked):
        items = items[items != NOTHING]
        assert allowed[items].all()
        assert len(set(items)) == len(items)
        if exclude:
            assert not set(items) & set(history.items[history.of(user)])


@given(histories())
def test_one_user_at_a_time_gives_what_the_batch_gives(history: History) -> None:
    together = rank(batch(history, np.arange(N_USERS)), generators(history), k=6, n=8)
    for user in range(N_USERS):
        alone = rank(batch(history, np.array([user])), generators(history), k=6, n=8)
        assert (alone[0] == together[user]).all()


@given(histories())
def test_scores_are_the_weighted_sum_of_features_between_0_and_1(history: History) -> None:
    table = propose(batch(history, np.arange(N_USERS)), generators(history), 8)
    assert ((table.scaled >= 0) & (table.scaled <= 1)).all()
    weights = np.array([0.4, 0.3, 0.2, 0, 0, 0.1, 0, 0])
    assert np.allclose(RANKER.scores(table), table.scaled @ weights, atol=1e-6)
    assert np.allclose(RANKER.contributions(table).sum(1), RANKER.scores(table), atol=1e-6)


def test_a_user_without_history_gets_what_is_popular() -> None:
    history = History.from_columns(
        np.zeros(3, int), np.array([4, 4, 7]), TIME - np.arange(1.0, 4), np.ones(3), n_users=2, n_items=N_ITEMS
    )
    ranked = rank(batch(history, np.array([1])), generators(history), k=2, n=5)
    assert ranked[0].tolist() == [4, 7]


def test_ease_solves_its_own_optimum() -> None:
    """B minimises |X − XB|² + λ|B|² with a zero diagonal: the gradient vanishes off the diagonal."""
    rng = np.random.default_rng(0)
    n = 200
    history = History.from_columns(
        rng.integers(0, 20, n), rng.integers(0, N_ITEMS, n), rng.random(n), np.ones(n), n_users=20, n_items=N_ITEMS
    )
    weights = Ease.fit(history, penalty=3.0, half_life=None).weights.astype(float)
    matrix = weigh(history, None).toarray().astype(float)
    gradient = -matrix.T @ (matrix - matrix @ weights) + 3.0 * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-3
    assert (np.diag(weights) == 0).all()


@given(st.lists(st.floats(-1, 1, width=32), min_size=5, max_size=5), st.integers(1, 20))
def test_exact_search_equals_brute_force(query: list[float], k: int) -> None:
    rows, cosines = INDEX.search(np.array([query]), k)
    brute = np.sort(vectors() @ np.array(query, np.float32))[::-1][: min(k, N_ITEMS)]
    assert np.allclose(cosines[0], brute, atol=1e-5)
    assert len(set(rows[0])) == min(k, N_ITEMS)


def test_search_within_a_filter_still_finds_all_that_pass() -> None:
    allowed = np.zeros(N_ITEMS, bool)
    allowed[[2, 9]] = True
    for settings in (IndexSettings(), IndexSettings(flat_up_to=1)):
        rows, _ = ItemIndex.build(vectors(), settings).search(vectors()[:1], 5, allowed)
        assert set(rows[0]) == {2, 9, NOTHING}


@pytest.mark.parametrize("share", [0.95, 0.3, 0.01])
def test_no_filter_leaves_fewer_results_than_there_are_and_none_is_forbidden(share: float) -> None:
    rng = np.random.default_rng(4)
    many = np.repeat(rng.normal(size=(300, 8)), 4, axis=0).astype(np.float32)  # as catalogues are: many look the same
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    allowed = rng.random(len(many)) < share
    graph = ItemIndex.build(many, IndexSettings(flat_up_to=1))
    rows, cosines = graph.search(many[:20], 64, allowed)
    assert ((rows != NOTHING).sum(1) == min(64, allowed.sum())).all()
    assert allowed[rows[rows != NOTHING]].all()
    if share < 0.9:
        best = -np.sort(-(many[:20] @ many[allowed].T), axis=1)[:, :64]
        assert np.allclose(cosines[rows != NOTHING], best.ravel(), atol=1e-5)
    for several in (1, 3, 19):  # whoever else is searched for, but for the last digits
        assert np.allclose(graph.search(many[:several], 64, allowed)[1], cosines[:several], atol=1e-6)


def test_index_refuses_vectors_that_are_not_finite() -> None:
    broken = vectors()
    broken[3, 1] = np.nan
    with pytest.raises(Exception, match=r"1 of 12 item vectors are not finite \(first: item row 3\)"):
        ItemIndex.build(broken, IndexSettings())


@pytest.mark.parametrize("half_life", [None, 7.0])
def test_models_survive_a_round_trip(tmp_path, half_life: float | None) -> None:
    history = History.from_columns(
        np.array([0, 0, 1]), np.array([1, 2, 2]), np.arange(3.0), np.ones(3), n_users=2, n_items=N_ITEMS
    )
    for model in (
        Ease.fit(history, penalty=1.0, half_life=half_life),
        ItemKnn.fit(history, neighbours=3, half_life=half_life, shrink=0),
        Als.fit(history, factors=2, penalty=1.0, alpha=1.0, half_life=half_life, rounds=10, seed=7),
    ):
        save_model(model, tmp_path / "model.safetensors")
        again = load_model(type(model), tmp_path / "model.safetensors")
        assert again.half_life == half_life
        asked = weigh(history, half_life)
        assert np.array_equal(again.scores(asked), model.scores(asked))


@given(histories())
def test_a_window_judges_only_what_came_later_and_is_new(history: History) -> None:
    start, end = TIME - 200 * 86_400, TIME - 50 * 86_400
    window = Window.of(history, start, end)
    assert (window.past.times < start).all()
    seen = window.past.matrix()[window.users]
    assert window.relevant.multiply(seen).nnz == 0
    assert (np.diff(window.relevant.indptr) > 0).all()


@given(histories(), st.integers(0, 2))
def test_what_is_out_of_reach_changes_no_ranking_of_what_was_chosen(history: History, least_users: int) -> None:
    start, end = TIME - 200 * 86_400, TIME - 50 * 86_400
    window = Window.of(history, start, end, least_users=least_users)
    near = window.within_reach()
    rows = np.flatnonzero(window.items & (np.bincount(np.append(window.past.items, window.relevant.indices),
                                                      minlength=N_ITEMS) > 0))  # fmt: skip
    assert near.past.n_items == len(rows) == len(near.items)
    assert near.relevant.sum() == window.relevant.sum()
    settings = {"neighbours": 5, "half_life": None, "shrink": 1}
    all_scores = by_history(ItemKnn.fit)(window.past, start, **settings)(window.users)
    scores = by_history(ItemKnn.fit)(near.past, start, **settings)(near.users)
    kept = np.isin(window.past.items, rows)
    if kept.all():  # what was chosen by too few leads nowhere within reach
        assert np.allclose(scores, all_scores[:, rows], atol=1e-6)
    ranked = near.rank(lambda users: scores, N_ITEMS)
    chosen = [sorted(rows[line[line != NOTHING]].tolist()) for line in ranked]
    for user, found in zip(window.users, chosen, strict=True):
        assert found == sorted(set(rows.tolist()) - set(window.past.items[window.past.of(user)].tolist()))


@pytest.mark.parametrize("seed", [1, 2])
def test_newcomers_are_known_by_a_few_of_the_items_they_chose_and_asked_for_the_same(seed: int) -> None:
    rng, n = np.random.default_rng(seed), 900
    history = History.from_columns(
        rng.integers(0, 40, n), rng.integers(0, 30, n), TIME - rng.random(n) * 300 * 86_400, rng.choice([-1, 1], n),
        n_users=40, n_items=30,
    )  # fmt: skip
    window = Window.of(history, TIME - 100 * 86_400, TIME, repeats=True)
    ranking = RankSettings(seed=seed, newcomer_items=2)
    new = newcomers(window, ranking)
    assert 0 < len(new.users) < len(window.users) / 2
    assert set(new.past.users) == set(new.users) < set(window.users)
    for place, user in enumerate(new.users):
        picks, events = new.past.items[new.past.of(user)], window.past.of(user)
        assert len(set(picks)) == len(picks) == ranking.newcomer_items
        assert set(picks) <= set(window.past.items[events][window.past.weights[events] > 0])
        assert (new.relevant[place] != window.relevant[np.flatnonzero(window.users == user)[0]]).nnz == 0
    assert (new.past.times < window.time).all()


def test_every_model_gets_as_many_trials_as_its_grid_allows_and_always_the_same() -> None:
    grid = {"a": range(5), "b": range(4)}
    assert len(trials(grid, 8, 1)) == 8
    assert trials(grid, 8, 1) == trials(grid, 8, 1)
    assert len(trials({"a": [None]}, 8, 1)) == 1


@given(histories())
def test_selecting_users_keeps_their_events_in_order(history: History) -> None:
    chosen = select_users(history, [3, 1])
    for new, old in enumerate((3, 1)):
        assert (chosen.items[chosen.of(new)] == history.items[history.of(old)]).all()


def test_joined_candidates_keep_the_best_of_each_generator_at_1() -> None:
    history = History.from_columns(
        np.array([0, 0, 1, 1]), np.array([1, 2, 2, 3]), np.arange(4.0), np.ones(4), n_users=N_USERS, n_items=N_ITEMS
    )
    table = propose(batch(history, np.array([0])), generators(history), 4)
    assert isinstance(table, Table)
    assert table.scaled.max(0).tolist() == [1.0] * 6 + [0.0, 0.0]  # no other item of its topics, and none comes again


@given(histories())
def test_a_dislike_never_raises_a_score_from_interests(history: History) -> None:
    generator = NearestToInterests(INDEX, 5)
    found = [generator.propose(batch(history, np.arange(N_USERS), dislike=d), N_ITEMS) for d in (0.0, 1.0)]
    without, suppressed = ({(u, i): s for u, i, s in zip(c.users, c.items, c.scores, strict=True)} for c in found)
    assert without.keys() == suppressed.keys()
    assert all(suppressed[pair] <= score + 1e-6 for pair, score in without.items())


@given(histories())
def test_what_the_latest_event_on_an_item_speaks_against_is_not_proposed_even_where_seen_items_are(
    history: History,
) -> None:
    against = history.spoken_against()
    latest = {}
    for event in range(len(history)):  # in time order within a user
        latest[history.users[event], history.items[event]] = event
    for event in range(len(history)):
        last = latest[history.users[event], history.items[event]]
        assert against[event] == (not history.chosen[last] or history.weights[last] < 0)
    profiles, _ = PROFILER.profiles(history, TIME)
    batch = query_batch(np.arange(N_USERS), history, profiles, {}, TIME, exclude_seen=False)
    assert set(zip(batch.barred_events.users, batch.barred_events.items, strict=True)) == {
        (history.users[event], history.items[event]) for event in np.flatnonzero(against)
    }
