"""Re-ranking: only candidates, each once, as many as there are; nothing moves unasked; lists vary and keep the mix."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata._kernels.selection import NOTHING
from strata.data.history import History
from strata.data.schema import TIERS
from strata.evaluation.beyond_accuracy import SMOOTHING, intra_list_diversity, miscalibration, shares
from strata.recommendation.rerank import Mix, RerankSettings, interest_mixes, rerank, scaled
from tests.strategies import N_ITEMS, N_USERS, histories, vectors
from tests.tiny_recommender import PROFILER, tiny_recommender

DEGREE = st.sampled_from([0.0, 0.1, 0.5, 1.0])
KIND = np.arange(N_ITEMS) % 3


class Case(NamedTuple):
    items: np.ndarray
    scores: np.ndarray
    mixes: tuple[Mix, Mix]


def kind_of(items: np.ndarray) -> np.ndarray:
    return np.where(items == NOTHING, NOTHING, KIND[items])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to three users with their candidates, integer scores best first, and what their lists should be made of."""
    n_users, n = draw(st.integers(1, 3)), draw(st.integers(1, N_ITEMS))
    items, scores = np.full((n_users, n), NOTHING), np.zeros((n_users, n))
    for row in range(n_users):
        there = draw(st.integers(0, n))
        items[row, :there] = draw(st.permutations(range(N_ITEMS)))[:there]
        scores[row, :there] = sorted(draw(st.lists(st.integers(-9, 9), min_size=there, max_size=there)), reverse=True)
    wanted = np.array(
        draw(st.lists(st.sampled_from([(0.5, 0.3, 0.2), (1, 0, 0), (0, 0, 0)]), min_size=n_users, max_size=n_users))
    )
    halves = np.where(items == NOTHING, NOTHING, items % 2)
    return Case(items, scores, (Mix(kind_of(items), wanted), Mix(halves, np.tile([0.5, 0.5], (n_users, 1)))))


def reranked(case: Case, k: int, diversity: float, calibration: float) -> np.ndarray:
    settings = RerankSettings(diversity=diversity, calibration=calibration)
    return rerank(case.items, case.scores, k, settings, vectors(), case.mixes)


@given(cases(), st.integers(1, N_ITEMS))
def test_nothing_moves_unasked(case: Case, k: int) -> None:
    assert (reranked(case, k, 0.0, 0.0) == case.items[:, :k]).all()


@given(cases(), st.integers(1, N_ITEMS), DEGREE, DEGREE)
def test_a_list_holds_candidates_only_each_once_and_as_many_as_there_are(
    case: Case, k: int, diversity: float, calibration: float
) -> None:
    for listed, candidates in zip(reranked(case, k, diversity, calibration), case.items, strict=True):
        candidates = candidates[candidates != NOTHING]
        chosen = listed[listed != NOTHING]
        assert len(chosen) == len(set(chosen)) == min(k, len(candidates))
        assert set(chosen) <= set(candidates)
        assert (listed[len(chosen) :] == NOTHING).all()


@given(cases(), DEGREE, DEGREE)
def test_one_user_at_a_time_gives_what_the_batch_gives(case: Case, diversity: float, calibration: float) -> None:
    together = reranked(case, 5, diversity, calibration)
    for row in range(len(case.items)):
        one = slice(row, row + 1)
        mixes = tuple(Mix(mix.groups[one], mix.target[one]) for mix in case.mixes)
        alone = reranked(Case(case.items[one], case.scores[one], mixes), 5, diversity, calibration)
        assert (alone[0] == together[row]).all()


@given(cases(), DEGREE, DEGREE)
def test_the_scale_of_scores_is_of_no_account(case: Case, diversity: float, calibration: float) -> None:
    stretched = case._replace(scores=4 * case.scores - 8)
    assert (reranked(stretched, 5, diversity, calibration) == reranked(case, 5, diversity, calibration)).all()


def test_diversity_trades_scores_for_distance_after_the_best_item() -> None:
    order = np.argsort(KIND, kind="stable")[None]  # four of one kind come before all others
    case = Case(order, np.linspace(1, 0, N_ITEMS)[None], ())
    diversities = [intra_list_diversity(reranked(case, 3, d, 0.0), vectors())[0] for d in (0.0, 0.5, 1.0)]
    assert diversities[0] < 0.1 < 1 < min(diversities[1:])
    assert set(KIND[reranked(case, 3, 0.5, 0.0)[0]]) == {0, 1, 2}
    assert reranked(case, 3, 1.0, 0.0)[0, 0] == order[0, 0]


@given(cases(), st.integers(1, 8))
def test_calibrating_alone_never_leaves_the_mix_farther_from_the_users_own(case: Case, k: int) -> None:
    only = case._replace(mixes=case.mixes[:1])
    target = case.mixes[0].target
    plain, calibrated = (miscalibration(kind_of(reranked(only, k, 0.0, c)), target) for c in (0.0, 1.0))
    assert (calibrated <= plain + 1e-9).all()


@given(cases(), st.sampled_from([0.1, 0.5, 0.9]))
def test_each_place_is_given_to_whom_the_criterion_prefers(case: Case, calibration: float) -> None:
    listed, scores = reranked(case, 4, 0.0, calibration), scaled(case.items, case.scores)

    def worth(row: int, places: list[int]) -> float:
        errors = [miscalibration(m.groups[[row]][:, places], m.target[[row]])[0] for m in case.mixes]
        return (1 - calibration) * scores[row, places].mean() - calibration * np.mean(errors) / np.log(1 / SMOOTHING)

    for row, candidates in enumerate(case.items.tolist()):
        places = [candidates.index(item) for item in listed[row] if item != NOTHING]
        for n in range(len(places)):
            others = {place for place, item in enumerate(candidates) if item != NOTHING} - {*places[: n + 1]}
            best = max((worth(row, [*places[:n], other]) for other in others), default=-np.inf)
            assert worth(row, places[: n + 1]) >= best - 1e-9


def test_a_mix_that_candidates_allow_is_met() -> None:
    items = np.arange(N_ITEMS)[None]
    for target in ([0.25, 0.25, 0.5], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]):
        case = Case(items, np.linspace(1, 0, N_ITEMS)[None], (Mix(kind_of(items), np.array([target])),))
        assert shares(kind_of(reranked(case, 4, 0.0, 1.0)), 3)[0] == pytest.approx(target)


@given(cases(), st.floats(0.1, 1.0))
def test_users_of_whom_nothing_is_known_keep_their_list(case: Case, calibration: float) -> None:
    unknown = tuple(Mix(mix.groups, np.zeros(mix.target.shape)) for mix in case.mixes)
    scores = -np.tile(np.arange(case.items.shape[1]), (len(case.items), 1))
    assert (reranked(Case(case.items, scores, unknown), 5, 0.0, calibration) == case.items[:, :5]).all()


@given(histories())
def test_what_a_user_wants_follows_the_profile(history: History) -> None:
    recommender, items = tiny_recommender(history), np.tile(np.append(np.arange(N_ITEMS), NOTHING), (N_USERS, 1))
    profiles = recommender.profiles
    by_theme, by_tier = interest_mixes(items, np.arange(N_USERS), vectors(), profiles, PROFILER.themes)
    assert (by_theme.groups[:, :-1] == PROFILER.themes.of_item[:, 2]).all()
    assert (by_theme.groups[:, -1] == NOTHING).all()
    for user in range(N_USERS):
        points = profiles.table[profiles.of(user)]
        total = max(points["share"].sum(), 1e-12)
        for number, tier in enumerate(TIERS):
            in_tier = points["share"].to_numpy()[(points["tier"] == tier).to_numpy()]
            assert by_tier.target[user, number] == pytest.approx(in_tier.sum() / total, abs=1e-6)
        assert by_theme.target[user].sum() == pytest.approx(1 if points["share"].sum() else 0, abs=1e-6)
        for item in range(N_ITEMS if points.height else 0):
            nearest = int((profiles.vectors[profiles.of(user)] @ vectors()[item]).argmax())
            assert TIERS[by_tier.groups[user, item]] == points["tier"][nearest]
