"""Each kind of user is ranked by what is usual for it, unless another is clearly better; a user by one ranker alone."""

from pathlib import Path

import numpy as np
import pytest

from strata.data.history import DAY, History
from strata.errors import ReleaseError
from strata.evaluation.window import Window
from strata.ranking.by_kind import ByKind
from strata.ranking.candidates import Table, propose
from strata.ranking.choosing import KINDS, POPULAR, SUM, TREES, Choice, Chosen
from strata.ranking.interest_sum import InterestSum
from strata.ranking.query import query_batch
from strata.ranking.rankers import read_ranker
from strata.ranking.settings import ChooseSettings, RankSettings
from strata.ranking.weighted_sum import BY_POPULARITY, WeightedSum, tuned_apart
from tests.strategies import N_ITEMS, N_USERS, TIME
from tests.tiny_recommender import tiny_models, tiny_ranker

SETTINGS = ChooseSettings(long=10, enough=50)
RNG = np.random.default_rng(7)


def values(n: int, **ahead: float) -> dict[str, np.ndarray]:
    """NDCG of n users by every ranker, some of them ahead, all with noise of their own."""
    common = RNG.random(n) / 2
    found = {name: common + ahead.get(name.replace("-", "_"), 0.0) for name in (POPULAR, SUM, TREES)}
    return {name: each + 0.05 * RNG.normal(size=n) for name, each in found.items()}


def chosen(n_long: int, n_short: int = 0, n_none: int = 0, **ahead: float) -> tuple[str, ...]:
    n_choices = np.repeat([30, 3, 0], [n_long, n_short, n_none])
    return Choice.of(values(len(n_choices), **ahead), n_choices, SETTINGS).rankers


def test_with_many_users_trees_rank_unless_another_is_clearly_ahead() -> None:
    assert chosen(400, lambdamart=0.01)[2] == TREES
    assert chosen(400, weighted_sum=0.05)[2] == SUM
    assert chosen(400, popular=0.05)[2] == POPULAR


def test_with_few_users_nothing_is_told_apart_and_the_sum_ranks() -> None:
    assert chosen(SETTINGS.enough - 1, lambdamart=0.5) == (POPULAR, SUM, SUM)
    assert chosen(0) == (POPULAR, SUM, SUM)


def test_users_without_a_history_get_what_is_popular_unless_another_is_clearly_ahead() -> None:
    assert chosen(0, n_none=400)[0] == POPULAR
    assert chosen(0, n_none=400, lambdamart=0.05)[0] == TREES


def test_where_few_have_a_short_history_all_with_one_decide() -> None:
    n_choices = np.repeat([30, 3], [400, 5])
    found = Choice.of(values(405, weighted_sum=0.05), n_choices, SETTINGS)
    short, long = found.kinds["short history"], found.kinds["long history"]
    assert (short.ranker, short.users, short.judged) == (SUM, 5, 405)
    assert (long.users, long.judged) == (400, 400)
    mean, error = long.ahead[SUM]
    assert 0 < error < mean
    assert f"{mean:.4f} ± {error:.4f} ahead of lambdamart" in str(found)


def test_trees_that_could_not_be_judged_are_not_chosen() -> None:
    n_choices = np.full(400, 30)
    without = {name: each for name, each in values(400).items() if name != TREES}
    assert Choice.of(without, n_choices, SETTINGS).rankers[2] == SUM


def test_the_choice_is_kept_with_its_figures_and_missed_where_there_is_none(tmp_path: Path) -> None:
    found = Choice.of(values(120), np.repeat([30, 0], 60), SETTINGS)
    found.write(tmp_path)
    again = Choice.read(tmp_path)
    assert again.rankers == found.rankers
    assert again.kinds["long history"].ndcg == found.kinds["long history"].ndcg
    with pytest.raises(ReleaseError, match="no ranker was chosen there; run dvc repro rank"):
        read_ranker(tmp_path / "elsewhere", "best", ())


def uneven() -> History:
    """User 0 has no history, user 1 a short one, users 2 and 3 long ones."""
    users = np.repeat([1, 2, 3], [2, 9, 12])
    return History.from_columns(
        users, np.arange(len(users)) * 5 % N_ITEMS, TIME - DAY * np.arange(1.0, len(users) + 1), np.ones(len(users)),
        n_users=N_USERS, n_items=N_ITEMS,
    )  # fmt: skip


def test_all_scores_of_a_user_come_from_the_ranker_of_their_kind() -> None:
    history = uneven()
    models = tiny_models(history)
    batch = query_batch(np.arange(N_USERS), history, models.profiles, {}, TIME, exclude_seen=False)
    table = propose(batch, models.generators, 5)
    each = {POPULAR: BY_POPULARITY, SUM: WeightedSum({"ease": 1.0}), TREES: tiny_ranker(models, history)}
    kinds = {kind: Chosen(ranker, "", 0, 0, {}, {}) for kind, ranker in zip(KINDS, each, strict=True)}
    ranker = ByKind.of(Choice(5, kinds), each, models.feature_names)
    scores = models.score(table, batch, ranker)
    added = ranker.contributions(table, lambda: models.features.of(table, batch), models.credits)
    for name, users in ((POPULAR, [0]), (SUM, [1]), (TREES, [2, 3])):
        mine = np.isin(table.users, users)
        np.testing.assert_allclose(scores[mine], models.score(table, batch, each[name])[mine], rtol=1e-6)
        alone = each[name].contributions(table, lambda: models.features.of(table, batch), models.credits)
        np.testing.assert_allclose(added[mine], alone[mine], rtol=1e-5, atol=1e-9)


def test_interests_alone_score_by_what_each_point_adds() -> None:
    history = uneven()
    models = tiny_models(history)
    batch = query_batch(np.array([3]), history, models.profiles, {}, TIME, exclude_seen=False)
    table = propose(batch, models.generators, 5)
    scores, n_points = InterestSum().scores(table), len(batch.facts.tiers)
    proposed = table.raw[:, models.names.index("interests")] != 0
    assert proposed.any()
    np.testing.assert_allclose(scores[proposed], table.added(n_points).sum(0)[proposed], atol=1e-5)
    assert (scores[~proposed] <= 1e-6).all(), "what interests do not propose comes after"
    newcomer = query_batch(np.array([0]), history, models.profiles, {}, TIME)
    popular = propose(newcomer, models.generators, 5)
    order = np.argsort(-InterestSum().scores(popular), kind="stable")
    assert (np.diff(models.popularity[popular.items[order]]) <= 0).all()


def test_the_sum_is_judged_by_weights_that_did_not_learn_from_the_user() -> None:
    """Two generators of noise: the best weights for these users gain by chance, which others' weights cannot."""
    n, n_items, settings = 60, 40, RankSettings(trials=60)
    later = History.from_columns(
        np.arange(n), RNG.integers(0, n_items, n), np.full(n, 2.0), np.ones(n), n_users=n, n_items=n_items
    )
    window = Window.of(later, 1.0, 3.0)
    scaled = RNG.random((n * n_items, 6)).astype(np.float32)
    users, items = np.repeat(np.arange(n), n_items), np.tile(np.arange(n_items), n)
    table = Table(users, items, scaled, scaled, tuple("abcdef"), np.ones(len(users), bool))
    apart = tuned_apart(table, window, settings)
    assert apart.shape == (n,)
    assert apart.mean() < WeightedSum.tune(table, window, settings).report["ndcg@10"]
