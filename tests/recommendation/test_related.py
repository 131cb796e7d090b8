"""Related users: the same interests are the nearest, dislikes suppress, and each answer names what it is read from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.catalogue import Catalogue
from strata.data.history import DAY, History
from strata.interests.profiles import Profiles
from strata.recommendation.audience import audience_for
from strata.recommendation.crowd import Crowd, alone
from strata.recommendation.explanation import EVIDENCE
from strata.recommendation.loading import load_recommender
from strata.recommendation.similar_users import similar_users
from tests.strategies import N_ITEMS, N_USERS, TIME, USER_IDS, catalogue, histories, vectors
from tests.tiny_recommender import tiny_recommender

CATALOGUE = Catalogue(catalogue())
MIX = {"momentary": 0.5, "stable": 1.0, "core": 2.0}
# Weights that are all but 0 add up to vectors that are all but 0 too.
weighed = histories().map(
    lambda history: replace(history, weights=np.where(abs(history.weights) > 1e-3, history.weights, np.float32(1)))
)
GARDEN, MUSIC, TRAVEL = (np.arange(kind, N_ITEMS, 3) for kind in range(3))


def profiles_of(history: History) -> Profiles:
    return tiny_recommender(history).profiles


def liking(*chosen: np.ndarray, against: int | None = None) -> History:
    """User n likes the items `chosen`[n] today; the last one may speak against one more."""
    users = np.repeat(np.arange(len(chosen)), [len(items) for items in chosen])
    items, weights = np.concatenate(chosen), np.ones(len(users))
    if against is not None:
        users, items, weights = np.append(users, len(chosen) - 1), np.append(items, against), np.append(weights, -1)
    return History.from_columns(
        users, items, np.full(len(users), TIME - DAY), weights, n_users=N_USERS, n_items=N_ITEMS
    )


def weights_of(profiles: Profiles, user: int) -> np.ndarray:
    points = profiles.table[profiles.of(user)]
    shares = points["share"].to_numpy() if points["share"].sum() > 0 else np.ones(points.height)
    weights = np.array([MIX[tier] for tier in points["tier"]]) * np.sqrt(shares)
    return weights / max(weights.sum(), 1e-12)


def best_matches(profiles: Profiles, one: int, other: int) -> float:
    """What `one` finds of its own in `other`: the weighted mean of its best cosines."""
    cosines = profiles.vectors[profiles.of(one)] @ profiles.vectors[profiles.of(other)].T
    return float(weights_of(profiles, one) @ np.maximum(cosines, 0).max(1))


@given(weighed)
def test_similar_users_are_those_whose_points_match_both_ways(history: History) -> None:
    profiles = profiles_of(history)
    crowd = Crowd.of(profiles, N_USERS, tier_weights=MIX)
    have = [user for user in range(N_USERS) if profiles.of(user).start < profiles.of(user).stop]
    for user in range(N_USERS):
        found = similar_users(alone(profiles, user), crowd, N_USERS, [user])
        similarity = {
            USER_IDS[other]: (best_matches(profiles, user, other) + best_matches(profiles, other, user)) / 2
            for other in have
            if other != user and user in have
        }
        assert {u.user_id: u.similarity for u in found} == pytest.approx(
            {name: value for name, value in similarity.items() if value > 1e-6}, abs=1e-4
        )
        assert [u.similarity for u in found] == sorted((u.similarity for u in found), reverse=True)
        names = set(profiles.table["name"][profiles.of(user)])
        for other in found:
            assert other.shared
            assert {shared.name for shared in other.shared} <= names
            assert other.shared[0].their_name in other.text


@given(weighed)
def test_everybody_is_most_like_themselves(history: History) -> None:
    profiles = profiles_of(history)
    crowd = Crowd.of(profiles, N_USERS)
    for user in range(N_USERS):
        found = similar_users(alone(profiles, user), crowd, 1)
        assert [u.similarity for u in found] == pytest.approx([1.0] * len(found), abs=1e-4)


def test_sharing_one_of_two_interests_is_less_than_sharing_both() -> None:
    both = np.concatenate([GARDEN, MUSIC])
    profiles = profiles_of(liking(both, GARDEN, both, TRAVEL))
    found = similar_users(alone(profiles, 0), Crowd.of(profiles, N_USERS), 3, [0])
    assert [u.user_id for u in found] == ["u2", "u1", "u3"]
    assert len(found[0].shared) == 2
    assert len(found[1].shared) == 1


@given(weighed, st.integers(0, N_ITEMS - 1), st.lists(st.integers(0, N_USERS - 1)))
def test_an_audience_is_ranked_by_the_weighted_sum_and_says_which_interest(
    history: History, item: int, without: list[int]
) -> None:
    profiles, vector = profiles_of(history), vectors()[item]
    liked = replace(profiles, dislikes=None)
    expected = {}
    for user in {*range(N_USERS)} - {*without}:
        score = float(weights_of(profiles, user) @ np.maximum(profiles.vectors[profiles.of(user)] @ vector, 0))
        if score > 1e-6:
            expected[USER_IDS[user]] = score
    found = audience_for(vector, Crowd.of(liked, N_USERS, tier_weights=MIX), CATALOGUE, N_USERS, without)
    assert {m.user_id: m.score for m in found} == pytest.approx(expected, abs=1e-4)
    assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
    for member in found:
        user = USER_IDS.index(member.user_id)
        own = profiles.table[profiles.of(user)]
        point = own.row(by_predicate=pl.col("name") == member.interest, named=True)
        assert (member.tier, member.evidence) == (point["tier"], tuple(point["evidence"][:EVIDENCE]))
        assert f"{member.tier} interest {member.interest}" in member.text
        assert point["because"] in member.text
        added = weights_of(profiles, user) * np.maximum(profiles.vectors[profiles.of(user)] @ vector, 0)
        assert added[point["point"]] == pytest.approx(added.max(), abs=1e-6)


@given(weighed, st.integers(0, N_ITEMS - 1))
def test_a_dislike_never_raises_a_score(history: History, item: int) -> None:
    profiles = profiles_of(history)
    with_dislikes, without = (
        {
            member.user_id: member.score
            for member in audience_for(
                vectors()[item], Crowd.of(profiles, N_USERS, dislike=dislike), CATALOGUE, N_USERS
            )
        }
        for dislike in (1.0, 0.0)
    )
    assert with_dislikes.keys() <= without.keys()
    assert all(score <= without[user] + 1e-6 for user, score in with_dislikes.items())


def test_the_weightiest_of_what_is_shared_comes_first() -> None:
    for first, second in ((GARDEN, MUSIC), (MUSIC, GARDEN)):
        mostly_first = np.concatenate([first, first, second[:1]])
        profiles = profiles_of(liking(mostly_first, mostly_first))
        shared = similar_users(alone(profiles, 0), Crowd.of(profiles, N_USERS), 1, [0])[0].shared
        heaviest = profiles.table.filter(pl.col("user_row") == 0).sort("share", descending=True)["name"]
        assert [interest.name for interest in shared] == heaviest.to_list()


def test_who_dislikes_what_an_advert_is_about_falls_behind() -> None:
    both = np.concatenate([GARDEN, MUSIC])
    profiles = profiles_of(liking(both, both, against=int(MUSIC[0])))
    crowd = Crowd.of(profiles, N_USERS)
    about_music, about_gardens = (
        {m.user_id: m.score for m in audience_for(vectors()[kind[0]], crowd, CATALOGUE, 4)} for kind in (MUSIC, GARDEN)
    )
    assert about_music.get("u1", 0) < 0.8 * about_music["u0"]
    assert about_gardens["u1"] > 0.8 * about_gardens["u0"]


def test_nobody_has_relations_where_nobody_has_points() -> None:
    nothing = profiles_of(liking(np.zeros(0, int), against=1))
    crowd = Crowd.of(nothing, N_USERS)
    assert similar_users(alone(nothing, 0), crowd, 3) == []
    assert audience_for(vectors()[0], crowd, CATALOGUE, 3) == []


def test_words_alone_find_those_who_like_what_they_are_about() -> None:
    recommender = tiny_recommender(liking(GARDEN, MUSIC, TRAVEL))
    said = recommender.new_users.from_texts(vectors()[MUSIC[:1]])
    assert similar_users(said.profiles, Crowd.of(recommender.profiles, N_USERS), 1)[0].user_id == "u1"


@pytest.mark.slow
def test_people_alike_have_chosen_more_of_the_same(release_folder: Path) -> None:
    release = load_recommender(release_folder)
    chosen = release.history.positive().matrix()
    crowd = Crowd.of(release.profiles, len(release.users))
    rng = np.random.default_rng(7)
    alike, anybody = [], []
    for user in range(0, len(release.users), 5):
        friends = [release.users[u.user_id] for u in similar_users(alone(release.profiles, user), crowd, 5, [user])]
        strangers = rng.choice(len(release.users), len(friends), replace=False)
        for others, shares in ((friends, alike), (strangers, anybody)):
            common = (chosen[others] @ chosen[user].T).toarray().ravel()
            union = chosen[others].getnnz(1) + chosen[user].nnz - common
            shares.extend(common / np.maximum(union, 1))
    assert np.mean(alike) > 1.5 * np.mean(anybody)
