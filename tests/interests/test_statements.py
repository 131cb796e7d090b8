"""What a profile text states: nearer than other people's texts happen to be, clause by clause."""

import numpy as np

from strata.embeddings.vectors import unit
from strata.interests.settings import TierSettings
from strata.interests.statements import FEWEST, Statements

SETTINGS = TierSettings()
DIMENSION, PEOPLE = 32, 300


def people(rng: np.random.Generator, narrow: float) -> tuple[np.ndarray, np.ndarray]:
    """Clauses of PEOPLE users, two or three each, about things of a site: `narrow` draws all texts to one place."""
    users = np.repeat(np.arange(PEOPLE), 2 + np.arange(PEOPLE) % 2)
    return users, unit(rng.normal(size=(len(users), DIMENSION)) + narrow * np.ones(DIMENSION))


def test_texts_of_other_people_state_next_to_nothing_however_narrow_the_site() -> None:
    rng = np.random.default_rng(5)
    for narrow in (0.0, 1.0, 3.0):
        users, vectors = people(rng, narrow)
        drawn = unit(rng.normal(size=(PEOPLE, DIMENSION)) + narrow * np.ones(DIMENSION))
        stated = Statements.of(users, vectors).support(np.arange(PEOPLE), drawn, SETTINGS)
        assert stated.mean() <= 0.06


def test_what_one_clause_says_is_found_among_others() -> None:
    rng = np.random.default_rng(6)
    for narrow in (0.0, 3.0):
        users, vectors = people(rng, narrow)
        wanted = unit(rng.normal(size=(PEOPLE, DIMENSION)) + narrow * np.ones(DIMENSION))
        first = np.searchsorted(users, np.arange(PEOPLE))
        vectors[first] = unit(wanted + 0.02 * rng.normal(size=wanted.shape))
        stated = Statements.of(users, vectors).support(np.arange(PEOPLE), wanted, SETTINGS)
        assert stated.mean() >= 0.95


def test_where_few_wrote_a_fixed_cosine_decides_and_silent_users_state_nothing() -> None:
    axes = np.eye(3, dtype=np.float32)
    few = Statements.of(np.arange(FEWEST - 1), np.tile(axes[0], (FEWEST - 1, 1)))
    found = few.support(np.array([0, 1, FEWEST]), axes[[0, 1, 0]], SETTINGS)
    assert found.tolist() == [True, False, False]


def test_a_persons_own_statements_are_compared_with_the_same_people() -> None:
    users, vectors = people(np.random.default_rng(7), 1.0)
    everybody = Statements.of(users, vectors)
    wanted = vectors[np.searchsorted(users, np.arange(PEOPLE))]
    whole = everybody.support(np.arange(PEOPLE), wanted, SETTINGS)
    one = everybody.of_users(9, 10).support(np.array([0]), wanted[[9]], SETTINGS)
    assert whole[9] == one[0]
