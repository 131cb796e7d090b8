"""The share of behaviour follows what people choose together next, and stays as set where that tells nothing."""

import numpy as np
import pytest

from strata.data.history import DAY, History
from strata.embeddings.space import SpaceSettings
from strata.embeddings.vectors import unit
from strata.interests.behaviour_share import choose_share
from strata.interests.pursued import pair_shares
from strata.interests.themes import ThemeSettings
from tests.embeddings.test_space import EACH, KINDS, PEOPLE, crowd

SETTINGS, THEMES = SpaceSettings(tried=(0.0, 0.5, 1.0)), ThemeSettings(topics=KINDS, smallest=1)
KNOWN = np.ones(KINDS * EACH, bool)


def texts(clear: float) -> np.ndarray:
    """Texts that tell kinds apart more or less."""
    rng = np.random.default_rng(2)
    kinds = np.repeat(np.arange(KINDS), EACH)
    return unit(clear * unit(rng.normal(size=(KINDS, 24)))[kinds] + rng.normal(size=(KINDS * EACH, 24)) / 5)


def at_random() -> History:
    """People who choose anything."""
    rng = np.random.default_rng(3)
    users = np.repeat(np.arange(PEOPLE), 10)
    items, times = rng.integers(KINDS * EACH, size=len(users)), rng.uniform(0, 180, len(users)) * DAY
    return History.from_columns(users, items, times, np.ones(len(users)), n_users=PEOPLE, n_items=KINDS * EACH)


def test_behaviour_counts_less_where_it_tells_nothing_and_more_where_texts_do_not() -> None:
    misled = choose_share(texts(1.0), KNOWN, at_random(), crowd(2), SETTINGS, THEMES)
    assert misled.share == 0
    assert misled.why.startswith("topics are")
    informed = choose_share(
        texts(0.0), KNOWN, crowd(1), crowd(2), SETTINGS.model_copy(update={"behaviour": 0.0}), THEMES
    )
    assert informed.share > 0


def test_it_stays_as_set_where_others_are_not_clearly_better_or_nobody_judges() -> None:
    both = choose_share(texts(1.0), KNOWN, crowd(1), crowd(2), SETTINGS, THEMES)
    assert both.share == SETTINGS.behaviour
    assert both.users == PEOPLE
    nobody = choose_share(texts(1.0), KNOWN, crowd(1), crowd(2).before(0), SETTINGS, THEMES)
    assert (nobody.share, nobody.users) == (SETTINGS.behaviour, 0)
    assert "nobody" in nobody.why


def test_pairs_are_compared_with_other_items_that_others_chose_in_the_same_week() -> None:
    # u0 chose items 0 and 1 in the first week; u1 item 0 in it and item 2 in the second.
    users, items, days = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), np.array([0.0, 1, 2, 9])
    later = History.from_columns(users, items, days * DAY, np.ones(4), n_users=3, n_items=3)
    shares = pair_shares(later, np.array([0, 0, 1]))
    assert shares[0, 0] == 1, "both are of topic 0"
    # Of item 0 and of u0's other choice in that week: u1's choices but item 0, none. Of item 1: u1's item 0.
    assert shares[0, 1] == pytest.approx((0 + 1) / 2)
    assert shares[1, 0] == 0
    assert shares[1, 1] == pytest.approx((0 + 0) / 2), (
        "item 0 with the second week, where others chose nothing; item 2 too"
    )
    assert shares[2].tolist() == [0, 0]
