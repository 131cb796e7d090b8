"""What every collaborative model keeps to, whichever it is: a new one passes as soon as it is registered."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from strata.data.history import History
from strata.evaluation.tuning import trials
from strata.models.baselines import USER_KNN, behavioural
from strata.models.files import load_model, save_model
from strata.models.fitted import ITEM_MODELS
from strata.models.item_model import weigh
from strata.models.settings import CollaborativeSettings
from strata.models.user_knn import UserKnn
from tests.strategies import N_ITEMS, N_USERS, TIME, histories

BASELINES = {repeats: behavioural(CollaborativeSettings(), repeats=repeats) for repeats in (False, True)}
EVERY_MODEL = (*ITEM_MODELS, USER_KNN, f"{USER_KNN} + decay")
Model = tuple[Any, sparse.csr_matrix]


def fitted(name: str, history: History) -> Model:
    """A model with the first settings that tuning would try, and the histories that it scores."""
    if name in ITEM_MODELS:
        kind, tuned = ITEM_MODELS[name]
        model = kind.fit(history, **trials(BASELINES[False][tuned].grid, 1, 7)[0])
        return model, weigh(history, model.half_life)
    settings = trials(BASELINES[name != USER_KNN][USER_KNN].grid, 1, 7)[0]
    peers = UserKnn.fit(history, TIME, **settings)
    return peers, peers.seen(history, np.full(N_USERS, TIME))


@pytest.mark.parametrize("name", EVERY_MODEL)
class TestCollaborativeModel:
    @given(history=histories())
    def test_scores_are_finite_numbers_of_all_items(self, name: str, history: History) -> None:
        model, asked = fitted(name, history)
        scores = model.scores(asked)
        assert scores.shape == (N_USERS, N_ITEMS)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    @given(history=histories())
    def test_one_user_scores_alone_as_among_others_to_the_last_bit(self, name: str, history: History) -> None:
        model, asked = fitted(name, history)
        together = model.scores(asked)
        for user in range(N_USERS):
            np.testing.assert_array_equal(model.scores(asked[[user]])[0], together[user])

    @given(history=histories())
    def test_somebody_without_a_history_scores_nothing(self, name: str, history: History) -> None:
        model, _ = fitted(name, history)
        assert not model.scores(sparse.csr_matrix((1, N_ITEMS), dtype=np.float32)).any()

    @given(history=histories())
    def test_the_same_history_gives_the_same_model(self, name: str, history: History) -> None:
        one, another = (fitted(name, history)[0].arrays() for _ in range(2))
        for part, values in one.items():
            np.testing.assert_array_equal(values, another[part])

    @given(history=histories())
    def test_a_model_survives_its_file(self, name: str, history: History, tmp_path_factory: Any) -> None:
        model, asked = fitted(name, history)
        path: Path = tmp_path_factory.mktemp("model") / "model.safetensors"
        save_model(model, path)
        np.testing.assert_array_equal(load_model(type(model), path).scores(asked), model.scores(asked))


@pytest.mark.parametrize("name", ITEM_MODELS)
class TestItemModel:
    @given(history=histories())
    def test_it_says_how_much_each_chosen_item_speaks_for_another(self, name: str, history: History) -> None:
        model, _ = fitted(name, history)
        for item in range(N_ITEMS):
            spoken = model.between(np.arange(N_ITEMS), item)
            assert spoken.shape == (N_ITEMS,)
            assert np.isfinite(spoken).all()
