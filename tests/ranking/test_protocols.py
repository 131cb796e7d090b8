"""What every generator and every ranker keeps to, whichever it is: a new one passes as soon as it is registered."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.history import History
from strata.errors import ReleaseError, SettingsError
from strata.ranking.by_kind import ByKind
from strata.ranking.candidates import Generator, propose
from strata.ranking.choosing import KINDS, POPULAR, SUM, TREES, Choice, Chosen
from strata.ranking.interest_sum import InterestSum
from strata.ranking.query import QueryBatch, query_batch
from strata.ranking.ranker import Ranker
from strata.ranking.rankers import RANKERS, read_ranker
from strata.ranking.settings import RecommendSettings
from strata.ranking.two_stage import Models
from strata.ranking.weighted_sum import BY_POPULARITY, WeightedSum
from tests.strategies import N_ITEMS, N_USERS, TIME, histories
from tests.tiny_recommender import tiny_models, tiny_ranker

EVEN = {"momentary": 1.0, "stable": 1.0, "core": 1.0}
EVERYBODY = np.arange(N_USERS)
SOME = History.from_columns(
    np.arange(24) % N_USERS, np.arange(24) % N_ITEMS, TIME - 86_400 * np.arange(1.0, 25), np.ones(24),
    n_users=N_USERS, n_items=N_ITEMS,
)  # fmt: skip
GENERATORS = tiny_models(SOME).names
admissions = st.lists(st.booleans(), min_size=N_ITEMS, max_size=N_ITEMS).map(np.array)


def asked(models: Models, history: History, users: np.ndarray = EVERYBODY, **options: Any) -> QueryBatch:
    return query_batch(users, history, models.profiles, EVEN, TIME, **{"exclude_seen": False, **options})


def generator_of(models: Models, name: str) -> Generator:
    return models.generators[models.names.index(name)]


def test_no_two_generators_have_one_name() -> None:
    assert len(set(GENERATORS)) == len(GENERATORS)


@pytest.mark.parametrize("name", GENERATORS)
class TestGenerator:
    @settings(max_examples=15)
    @given(history=histories(), allowed=admissions, exclude=st.booleans())
    def test_it_proposes_what_may_be_shown_once_each_with_a_score(
        self, name: str, history: History, allowed: np.ndarray, *, exclude: bool
    ) -> None:
        models = tiny_models(history)
        batch = asked(models, history, allowed=allowed, exclude_seen=exclude)
        found = generator_of(models, name).propose(batch, 5)
        assert len(found.users) == len(found.items) == len(found.scores)
        assert (np.diff(found.users) >= 0).all()
        assert np.isfinite(found.scores).all()
        assert allowed[found.items].all()
        assert not batch.barred[found.users, found.items].any()
        assert len(set(zip(found.users, found.items, strict=True))) == len(found.items)

    @settings(max_examples=15)
    @given(history=histories())
    def test_one_user_gets_alone_what_they_get_among_others(self, name: str, history: History) -> None:
        models = tiny_models(history)
        together = generator_of(models, name).propose(asked(models, history), 5)
        for user in EVERYBODY:
            alone = generator_of(models, name).propose(asked(models, history, np.array([user])), 5)
            mine = together.users == user
            np.testing.assert_array_equal(alone.items, together.items[mine])
            np.testing.assert_array_equal(alone.scores, together.scores[mine])

    @settings(max_examples=15)
    @given(history=histories(), user=st.integers(0, N_USERS - 1))
    def test_its_reason_names_own_items_alone(self, name: str, history: History, user: int) -> None:
        models = tiny_models(history)
        generator, batch = generator_of(models, name), asked(models, history, np.array([user]))
        for item in generator.propose(batch, 5).items:
            led_by = generator.led_by(int(item), batch)
            assert set(led_by.tolist()) <= set(batch.history.items.tolist())
        assert isinstance(generator.says("Fargo"), str)

    def test_what_it_is_credited_with_are_groups_of_features(self, name: str) -> None:
        models = tiny_models(SOME)
        assert set(generator_of(models, name).credited) <= set(models.features.groups)


def by_kind(models: Models) -> ByKind:
    """Everybody of SOME has a long history; what else ranks is there to be written and read."""
    kinds = {kind: Chosen(ranker, "", 0, 0, {}, {}) for kind, ranker in zip(KINDS, (POPULAR, SUM, TREES), strict=True)}
    rankers = {POPULAR: BY_POPULARITY, SUM: learned(SUM)[1], TREES: learned(TREES)[1]}
    return ByKind.of(Choice(len(SOME) // N_USERS, kinds), rankers, models.feature_names)


@cache
def learned(method: str) -> tuple[Models, Ranker]:
    models = tiny_models(SOME)
    made: dict[str, Callable[[], Ranker]] = {
        "best": lambda: by_kind(models),
        "lambdamart": lambda: tiny_ranker(models, SOME),
        "weighted-sum": lambda: WeightedSum.in_proportion(dict.fromkeys(models.names, 1.0)),
        "popular": lambda: BY_POPULARITY,
        "interests": InterestSum,
    }
    return models, made[method]()


def scores_of(models: Models, ranker: Ranker, batch: QueryBatch) -> np.ndarray:
    return models.score(propose(batch, models.generators, 5), batch, ranker)


@pytest.mark.parametrize("method", RANKERS)
class TestRanker:
    def test_it_scores_each_candidate(self, method: str) -> None:
        models, ranker = learned(method)
        batch = asked(models, SOME)
        table = propose(batch, models.generators, 5)
        scores = models.score(table, batch, ranker)
        assert scores.shape == (len(table),)
        assert np.isfinite(scores).all()

    @given(user=st.integers(0, N_USERS - 1))
    @settings(max_examples=N_USERS)
    def test_one_user_is_ranked_alone_as_among_others(self, method: str, user: int) -> None:
        models, ranker = learned(method)
        batch = asked(models, SOME)
        mine = propose(batch, models.generators, 5).users == user
        alone = scores_of(models, ranker, asked(models, SOME, np.array([user])))
        np.testing.assert_allclose(alone, scores_of(models, ranker, batch)[mine], rtol=1e-5)

    def test_it_says_what_each_generator_adds(self, method: str) -> None:
        models, ranker = learned(method)
        batch = asked(models, SOME)
        table = propose(batch, models.generators, 5)
        added = ranker.contributions(table, lambda: models.features.of(table, batch), models.credits)
        assert added.shape == (len(table), len(models.generators))
        assert np.isfinite(added).all()
        assert added.any()

    def test_it_is_checked_against_the_features_of_this_code(self, method: str, tmp_path: Path) -> None:
        models, ranker = learned(method)
        ranker.write(tmp_path)
        if method in ("weighted-sum", "popular", "interests"):  # read no features
            read_ranker(tmp_path, method, ())
            return
        with pytest.raises(ReleaseError, match=r"other features than this code has \(new one\); run dvc repro"):
            read_ranker(tmp_path, method, (*models.feature_names, "new one"))
        with pytest.raises(ReleaseError, match="their order"):
            read_ranker(tmp_path, method, models.feature_names[::-1])

    def test_it_ranks_the_same_once_it_is_read_from_its_files(self, method: str, tmp_path: Path) -> None:
        models, ranker = learned(method)
        ranker.write(tmp_path)
        again, batch = read_ranker(tmp_path, method, models.feature_names), asked(models, SOME)
        assert type(again) is type(ranker)
        np.testing.assert_array_equal(scores_of(models, again, batch), scores_of(models, ranker, batch))


def test_items_that_nothing_proposes_can_be_candidates_all_the_same() -> None:
    models = tiny_models(SOME)
    batch = asked(models, SOME)
    nobody: tuple[Generator, ...] = ()
    table = propose(batch, nobody, 5, np.array([2, 5]))
    assert list(zip(table.users, table.items, strict=True)) == [(user, item) for user in EVERYBODY for item in (2, 5)]
    whole = propose(batch, models.generators, 1, np.arange(N_ITEMS))
    assert len(whole) == N_USERS * N_ITEMS
    assert np.isfinite(models.score(whole, batch, learned("lambdamart")[1])).all()


def test_weights_of_no_generator_and_of_no_tier_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="name intrests; there are interests, "):
        tiny_models(SOME, RecommendSettings(of_words={"intrests": 1.0}))
    with pytest.raises(ValueError, match="tier_weights holds momentory; tiers are momentary, stable, core"):
        RecommendSettings(tier_weights={"momentory": 2.0})
