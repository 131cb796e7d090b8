"""The interest space: text beside what people choose together, and never more than was known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.history import DAY, History
from strata.embeddings.co_choice import CoChoiceSettings, _information, behaviour_vectors
from strata.embeddings.space import InterestSpace, SpaceSettings
from strata.embeddings.vectors import unit
from tests.strategies import DIMENSION, N_ITEMS, histories, vectors

EVERYTHING = np.ones(N_ITEMS, bool)
KINDS, EACH, PEOPLE = 6, 20, 400


def crowd(seed: int = 1, fashion: bool = False) -> History:
    """People who each choose ten of one kind of items at any time or, as a fashion, when everybody does."""
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(PEOPLE), 10)
    kind = users % KINDS
    month = kind if fashion else rng.integers(KINDS, size=len(users))
    items = kind * EACH + rng.integers(EACH, size=len(users))
    times = (month * 30 + rng.uniform(0, 30, len(users))) * DAY
    return History.from_columns(users, items, times, np.ones(len(users)), n_users=PEOPLE, n_items=KINDS * EACH)


def within_and_between(found: np.ndarray) -> tuple[float, float]:
    """Mean cosine of items of one kind, and of items of two."""
    cosines, same = found @ found.T, np.arange(len(found)) // EACH
    same = same[:, None] == same
    return float(cosines[same & ~np.eye(len(found), dtype=bool)].mean()), float(cosines[~same].mean())


def test_what_the_same_people_choose_lies_together() -> None:
    within, between = within_and_between(behaviour_vectors(crowd(), CoChoiceSettings(dimensions=16)))
    assert within > 0.8
    assert between < 0.1


def test_a_fashion_is_next_to_no_likeness() -> None:
    known, blind = (_information(crowd(fashion=True), CoChoiceSettings(offers=offers)).mean() for offers in (20, 1))
    assert known < 0.25 * blind, "whoever is there then chooses that kind"
    assert (
        _information(crowd(), CoChoiceSettings()).mean()
        > 0.8 * _information(crowd(), CoChoiceSettings(offers=1)).mean()
    )


@given(histories(), st.floats(0, 1))
def test_vectors_are_of_unit_length_and_text_alone_where_nobody_chose(history: History, share: float) -> None:
    space = InterestSpace.fit(vectors(), EVERYTHING, history, SpaceSettings(behaviour=share))
    assert np.allclose(np.linalg.norm(space.vectors, axis=1), 1, atol=1e-5)
    text = unit(vectors() - vectors().mean(0))
    alone = np.setdiff1d(np.arange(N_ITEMS), history.positive().items)
    assert np.allclose(space.vectors[alone, :DIMENSION], text[alone], atol=1e-5)
    assert not space.vectors[alone, DIMENSION:].any()
    assert np.allclose(space.of_texts(vectors()[alone]), space.vectors[alone], atol=1e-5), "words lie as unchosen items"


@given(histories())
def test_without_behaviour_it_is_centred_text(history: History) -> None:
    space = InterestSpace.fit(vectors(), EVERYTHING, history, SpaceSettings(behaviour=0))
    text = unit(vectors() - vectors().mean(0))
    assert np.allclose(space.vectors @ space.vectors.T, text @ text.T, atol=1e-5)


@pytest.fixture(scope="module")
def fused() -> tuple[InterestSpace, np.ndarray]:
    """Kinds that texts tell too, some of whose items nobody chose."""
    rng = np.random.default_rng(2)
    kinds = np.repeat(np.arange(KINDS), EACH)
    texts = unit(unit(rng.normal(size=(KINDS, 24)))[kinds] + 0.15 * rng.normal(size=(KINDS * EACH, 24)))
    history = crowd()
    return InterestSpace.fit(
        texts, np.ones(len(texts), bool), history.keep(history.items % EACH > 1), SpaceSettings()
    ), texts


def test_what_nobody_chose_lies_where_its_text_foretells(fused: tuple[InterestSpace, np.ndarray]) -> None:
    space, texts = fused
    assert space.foretold > 0.6
    new = np.arange(len(texts)) % EACH <= 1
    cosines = space.vectors[new] @ space.vectors[~new].T
    nearest = np.flatnonzero(~new)[cosines.argmax(1)] // EACH
    assert (nearest == np.flatnonzero(new) // EACH).all()
    assert np.allclose(space.of_texts(texts[new]), space.vectors[new], atol=1e-5)


def test_the_more_people_chose_an_item_the_more_behaviour_says(fused: tuple[InterestSpace, np.ndarray]) -> None:
    space, _ = fused
    of_behaviour = (space.vectors[:, 24:] ** 2).sum(1)
    chosen = np.arange(len(space.vectors)) % EACH > 1
    assert of_behaviour[chosen].min() > of_behaviour[~chosen].max()
    assert of_behaviour.max() < space.share


def test_a_space_survives_a_round_trip_and_is_the_same_again(
    fused: tuple[InterestSpace, np.ndarray], tmp_path: Path
) -> None:
    space, texts = fused
    space.write(tmp_path)
    read = InterestSpace.read(tmp_path)
    assert np.array_equal(read.vectors, space.vectors)
    assert np.array_equal(read.of_texts(texts), space.of_texts(texts))
    history = crowd()
    again = InterestSpace.fit(texts, np.ones(len(texts), bool), history.keep(history.items % EACH > 1), SpaceSettings())
    assert np.array_equal(again.vectors, space.vectors)
