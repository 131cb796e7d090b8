"""Exploring swaps places by chance, and says truthfully how likely each item was at its place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strata.ranking.settings import ExploreSettings
from strata.recommendation.exploring import explored

N = 60
CHOSEN_BY = np.random.default_rng(2).integers(0, 200, N).astype(float)
LISTED = np.random.default_rng(3).permutation(N)


@given(st.integers(2, 30), st.floats(0, 0.5), st.integers(1, 40), st.text(max_size=8))
def test_it_is_the_same_list_in_another_order_and_the_first_stays(k: int, share: float, among: int, seed: str) -> None:
    settings = ExploreSettings(share=share, among=among)
    items, chances = explored(LISTED, k, settings, CHOSEN_BY, seed)
    assert sorted(items) == sorted(LISTED)
    assert items[0] == LISTED[0]
    assert ((chances > 0) & (chances <= 1)).all()
    if share == 0:
        assert (items == LISTED).all()


@given(st.text(max_size=8))
def test_the_first_places_do_not_depend_on_how_many_are_shown(seed: str) -> None:
    settings = ExploreSettings(share=0.3)
    ten, chances = explored(LISTED, 10, settings, CHOSEN_BY, seed)
    more, of_more = explored(LISTED, 20, settings, CHOSEN_BY, seed)
    assert ten[:10].tolist() == more[:10].tolist()
    assert chances[:10].tolist() == of_more[:10].tolist()


def test_weighing_by_propensity_gives_what_every_item_is_worth_at_a_place() -> None:
    """Inverse propensity scoring: each item of a place counts once on average, however seldom it stands there."""
    settings, times = ExploreSettings(share=0.4, among=5), 20_000
    worth, seen = np.zeros(N), np.zeros(N)
    for seed in range(times):
        items, chances = explored(LISTED, 2, settings, CHOSEN_BY, str(seed))
        worth[items[1]] += 1 / chances[1]
        seen[items[1]] += 1
    could = LISTED[1:7]
    assert np.flatnonzero(seen).tolist() == sorted(could)
    assert np.abs(worth[could] / times - 1).max() < 0.1
    few, many = sorted(could[1:], key=lambda item: CHOSEN_BY[item])[:: len(could) - 2]
    assert seen[few] > seen[many], "what few have chosen is tried more"
