"""What was hidden or disliked is no choice: no model learns it, no window asks for it, no list shows it."""

import numpy as np
import pytest
from hypothesis import given

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.evaluation.window import Window
from strata.models.als import Als
from strata.models.association_rules import AssociationRules
from strata.models.ease import Ease
from strata.models.item_knn import ItemKnn
from strata.models.popularity import popularity
from strata.models.user_knn import UserKnn
from strata.ranking.generators.new_items import Arrivals
from strata.ranking.settings import ArrivalSettings, FeatureSettings
from strata.ranking.trends import Trends
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest
from tests.strategies import N_ITEMS, N_USERS, TIME, catalogue, histories
from tests.tiny_recommender import tiny_recommender

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
def test_baselines_never_rank_what_was_hidden(history: History) -> None:
    window = Window.of(history, float(np.median(history.times)), TIME, repeats=True)
    ranked = window.rank(lambda users: np.ones((len(users), N_ITEMS), np.float32), N_ITEMS)
    hidden = window.past.keep(~window.past.chosen)
    for row, user in enumerate(window.users.tolist()):
        assert not set(hidden.items[hidden.of(user)].tolist()) & set(ranked[row].tolist())


def one_hides() -> Recommender:
    """User u0 keeps choosing the garden's things and hid i00; the others chose i00 often."""
    rows = [(user, item, 1.0) for user in range(N_USERS) for item in (3, 6, 9)] + [(user, 0, 1.0) for user in (1, 2, 3)]
    rows.append((0, 0, -1.0))
    users, items, weights = (np.array(column) for column in zip(*rows, strict=True))
    times = TIME - 86_400.0 * (1 + np.arange(len(rows)))
    return tiny_recommender(
        History.from_columns(users, items, times, weights, weights > 0, n_users=N_USERS, n_items=N_ITEMS)
    )


def test_what_a_user_hid_is_in_no_list_even_where_things_come_back() -> None:
    recommender = one_hides()
    for exclude_seen in (False, True):
        listed = recommender.recommend("u0", ListRequest(k=N_ITEMS, exclude_seen=exclude_seen))
        assert "i00" not in {found.item_id for found in listed}
    assert "i00" in {found.item_id for found in recommender.recommend("u1", ListRequest(k=N_ITEMS, exclude_seen=False))}
    assert listed


def test_what_a_user_hid_is_ranked_when_the_caller_names_it() -> None:
    assert [found.item_id for found in one_hides().rank("u0", ["i00"])] == ["i00"]
