"""What was hidden or disliked is no choice: no model learns it, no window asks for it, no list shows it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.endpoints.lists import RecommendRequest
from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.embeddings.co_choice import CoChoiceSettings, behaviour_vectors
from strata.evaluation.window import Window
from strata.interests.query_users import PastChoice
from strata.models.als import Als
from strata.models.association_rules import AssociationRules
from strata.models.baselines import fit_own
from strata.models.ease import Ease
from strata.models.item_knn import ItemKnn
from strata.models.popularity import popularity
from strata.models.user_knn import UserKnn
from strata.ranking.candidates import propose
from strata.ranking.generators.new_items import Arrivals
from strata.ranking.query import query_batch
from strata.ranking.settings import ArrivalSettings, FeatureSettings, RankSettings
from strata.ranking.training_windows import training_windows
from strata.ranking.trends import Trends
from strata.recommendation.batches import recommend_many
from strata.recommendation.business_rules import BusinessRules, Places
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME, catalogue, histories
from tests.tiny_recommender import tiny_models, tiny_recommender

EVERYBODY, FIRST = np.arange(N_USERS), Places(best=1, worst=3)
MODELS = {
    "EASE": lambda history: Ease.fit(history, penalty=5, half_life=3.0),
    "item-kNN": lambda history: ItemKnn.fit(history, neighbours=5, half_life=None, shrink=1),
    "association rules": lambda history: AssociationRules.fit(
        history, neighbours=5, half_life=3.0, shrink=1, distance=10
    ),
    "ALS": lambda history: Als.fit(history, factors=3, penalty=1, alpha=1, half_life=None, rounds=10, seed=7),
    "user-kNN": lambda history: UserKnn.fit(history, TIME, neighbours=3, half_life_days=None, least_rarity=0.1),
    "user-kNN + decay": lambda history: UserKnn.fit(history, TIME, neighbours=3, half_life_days=60.0, least_rarity=0.1),
}


@pytest.mark.parametrize("name", MODELS)
@given(history=histories())
def test_models_learn_nothing_from_what_was_hidden(name: str, history: History) -> None:
    learned, without = (MODELS[name](events).arrays() for events in (history, history.keep(history.chosen)))
    for part, values in without.items():
        np.testing.assert_array_equal(learned[part], values)


@given(histories())
def test_popularity_trends_and_arrivals_count_no_hidden_item(history: History) -> None:
    chosen = history.keep(history.chosen)
    np.testing.assert_array_equal(popularity(history, TIME, 30.0), popularity(chosen, TIME, 30.0))
    items, times = np.arange(N_ITEMS), np.full(N_ITEMS, TIME)
    of_all, of_choices = (Trends.of(events, FeatureSettings()).of_pairs(items, times) for events in (history, chosen))
    np.testing.assert_array_equal(of_all, of_choices)
    one_topic, new = np.zeros(N_ITEMS, int), ArrivalSettings()
    few = [Arrivals.of(Catalogue(catalogue()), one_topic, events, new).items for events in (history, chosen)]
    np.testing.assert_array_equal(*few)


@given(histories())
def test_windows_ask_for_choices_alone(history: History) -> None:
    middle = float(np.median(history.times))
    for repeats in (True, False):
        window = Window.of(history, middle, TIME, repeats=repeats)
        asked = {(int(window.users[user]), int(item)) for user, item in zip(*window.relevant.nonzero(), strict=True)}
        after = history.between(middle, TIME).choices
        assert asked <= set(zip(after.users.tolist(), after.items.tolist(), strict=True))
        if repeats:
            assert asked == set(zip(after.users.tolist(), after.items.tolist(), strict=True))


@given(histories())
def test_baselines_never_rank_what_was_spoken_against_last(history: History) -> None:
    window = Window.of(history, float(np.median(history.times)), TIME, repeats=True)
    ranked = window.rank(lambda users: np.ones((len(users), N_ITEMS), np.float32), N_ITEMS)
    hidden = window.past.keep(window.past.spoken_against())
    for row, user in enumerate(window.users.tolist()):
        assert not set(hidden.items[hidden.of(user)].tolist()) & set(ranked[row].tolist())


@given(histories())
def test_interest_space_and_own_frequency_know_nothing_of_what_was_hidden(history: History) -> None:
    chosen, liked = history.keep(history.chosen), np.unique(history.items[history.chosen & (history.weights > 0)])
    known = behaviour_vectors(history, CoChoiceSettings(dimensions=3, neighbours=5)).any(1)
    assert set(np.flatnonzero(known)) <= set(liked)
    own, of_choices = (fit_own(each, TIME, half_life_days=30, tie_days=30)(EVERYBODY) for each in (history, chosen))
    np.testing.assert_array_equal(own, of_choices)


@given(histories())
@settings(max_examples=25)
def test_generators_and_features_read_choices_alone(history: History) -> None:
    models = tiny_models(history)
    batch = query_batch(EVERYBODY, history, models.profiles, {}, TIME, exclude_seen=False, exclude_hidden=False)
    of_choices = replace(batch, history=history.keep(history.chosen))
    table, same = (propose(each, models.generators, 6) for each in (batch, of_choices))
    np.testing.assert_array_equal(table.scaled, same.scaled)
    np.testing.assert_array_equal(models.features.of(table, batch), models.features.of(table, of_choices))


@given(histories())
def test_the_ranker_is_taught_that_choices_alone_are_right(history: History) -> None:
    learned = RankSettings(windows=2, window_share=0.3, horizon=1)
    for window in training_windows(history, TIME, learned, repeats=True):
        later = history.choices.between(window.time, TIME)
        asked = window.users[window.relevant.nonzero()[0]] * N_ITEMS + window.relevant.indices
        assert set(asked.tolist()) <= set(later.pairs.tolist())


@given(histories(), st.booleans())
def test_judged_by_likes_only_what_was_liked_is_relevant_and_all_else_stays(history: History, repeats: bool) -> None:  # noqa: FBT001
    window = Window.of(history, float(np.median(history.times)), TIME, repeats=repeats)
    by_likes = window.liked(history, TIME)
    liked = history.between(window.time, TIME).positive().matrix()
    of_user = dict(zip(window.users.tolist(), window.relevant.toarray(), strict=True))
    for user, relevant in zip(by_likes.users.tolist(), by_likes.relevant.toarray(), strict=True):
        np.testing.assert_array_equal(relevant, of_user.pop(user) * liked[user].toarray()[0])
        assert relevant.any()
    assert not any((relevant * liked[user].toarray()[0]).any() for user, relevant in of_user.items())


def one_speaks_against(*, chosen: bool) -> Recommender:
    """User u0 keeps choosing the garden's things and hid i00, or chose it and rated it low; others often chose it."""
    rows = [(user, item, 1.0) for user in range(N_USERS) for item in (3, 6, 9)] + [(user, 0, 1.0) for user in (1, 2, 3)]
    rows.append((0, 0, -1.0))
    users, items, weights = (np.array(column) for column in zip(*rows, strict=True))
    times, choices = TIME - 86_400.0 * (1 + np.arange(len(rows))), chosen | (weights > 0)
    history = History.from_columns(users, items, times, weights, choices, n_users=N_USERS, n_items=N_ITEMS)
    return tiny_recommender(history)


@pytest.mark.parametrize("chosen", [False, True], ids=["hidden", "rated low"])
class TestSpokenAgainst:
    @pytest.mark.parametrize("exclude_seen", [False, True])
    def test_it_is_in_no_list_page_batch_or_fallback(self, chosen: bool, exclude_seen: bool) -> None:  # noqa: FBT001
        recommender = one_speaks_against(chosen=chosen)
        asked = [ListRequest(k=N_ITEMS, exclude_seen=exclude_seen)]
        asked += [ListRequest(k=3, offset=offset, exclude_seen=exclude_seen) for offset in range(0, N_ITEMS, 3)]
        asked.append(
            ListRequest(k=N_ITEMS, exclude_seen=exclude_seen, rules=BusinessRules(must_include={"i00": FIRST}))
        )
        for request in asked:
            listed = [found.item_id for found in recommender.recommend("u0", request)]
            assert "i00" not in listed
            assert "i00" not in recommend_many(recommender, ["u0"], request)["item_id"]
        popular = RecommendRequest(user_id="u0", k=N_ITEMS, exclude_seen=exclude_seen).fallback(recommender, "time_out")
        assert popular.items
        assert "i00" not in {found.item_id for found in popular.items}

    def test_others_get_it(self, chosen: bool) -> None:  # noqa: FBT001
        listed = one_speaks_against(chosen=chosen).recommend("u1", ListRequest(k=N_ITEMS, exclude_seen=False))
        assert "i00" in {found.item_id for found in listed}

    def test_it_is_ranked_when_the_caller_names_it(self, chosen: bool) -> None:  # noqa: FBT001
        assert [found.item_id for found in one_speaks_against(chosen=chosen).rank("u0", ["i00"])] == ["i00"]


@pytest.mark.parametrize(
    "against", [PastChoice("i00", "dislike"), PastChoice("i00", "rate", value=1), PastChoice("i00", value=2)]
)
def test_a_visitor_gets_nothing_that_they_spoke_against_last(against: PastChoice) -> None:
    recommender, liked = one_speaks_against(chosen=True), [PastChoice("i03", "like"), PastChoice("i06", value=5)]
    visitor = recommender.new_users.from_choices([PastChoice("i00", "like"), *liked, against])
    for exclude_seen in (False, True):
        listed = {
            found.item_id for found in recommender.recommend(visitor, ListRequest(k=N_ITEMS, exclude_seen=exclude_seen))
        }
        assert listed
        assert "i00" not in listed
    assert [found.item_id for found in recommender.rank(visitor, ["i00"])] == ["i00"]
    again = recommender.new_users.from_choices([against, *liked, PastChoice("i00", "like")])
    assert "i00" in {
        found.item_id for found in recommender.recommend(again, ListRequest(k=N_ITEMS, exclude_seen=False))
    }


def test_what_a_visitor_rated_low_is_a_dislike_of_theirs_and_no_interest() -> None:
    new_users = one_speaks_against(chosen=True).new_users
    low, high = (new_users.from_choices([PastChoice(f"i{n:02d}", "rate", value=v) for n in (0, 3)]) for v in (1, 5))
    assert (low.profiles.table.height, high.profiles.table.height) == (0, 1)
    assert low.profiles.dislikes is not None
    assert low.profiles.dislikes.table.height == 1
