"""NewUsers: the same events give the same interests as a user of the release has; filters hold."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from strata.data.catalogue import Catalogue
from strata.data.filters import Filters, PriceRange, rows_of
from strata.data.history import DAY, History
from strata.errors import UnknownId
from strata.interests.query_users import NewUsers, PastChoice
from strata.interests.settings import TierSettings
from tests.strategies import N_ITEMS, TIME, catalogue, profiler, vectors

CATALOGUE = Catalogue(
    catalogue().with_columns(
        pl.Series("price", [None, *range(1, N_ITEMS)], dtype=pl.Float64),
        pl.Series("language", [None, "en", "zh"] * (N_ITEMS // 3)),
    )
)
IDS = CATALOGUE.ids.tolist()
WEIGHTS = {"view": 0.2, "like": 1.0, "dislike": -1.0}
PROFILER = profiler(TierSettings(cut=0.8))
NEW_USERS = NewUsers(PROFILER, TIME, WEIGHTS)
ages = st.integers(1, 400)
timed = st.builds(
    lambda item, behaviour, age: PastChoice(item, behaviour, TIME - age * DAY),
    st.sampled_from(IDS), st.sampled_from(sorted(WEIGHTS)), ages,
)  # fmt: skip


@given(st.lists(timed, min_size=1, max_size=30))
def test_a_visitor_gets_the_profile_that_the_pipeline_would_give(picks: list[PastChoice]) -> None:
    history = History.from_columns(
        np.zeros(len(picks)),
        rows_of([pick.item_id for pick in picks], CATALOGUE),
        np.array([pick.time for pick in picks]),
        np.array([WEIGHTS[pick.behaviour] for pick in picks]),
        np.array([WEIGHTS[pick.behaviour] > 0 for pick in picks]),
        n_users=1,
        n_items=N_ITEMS,
    )
    expected, _ = PROFILER.profiles(history, TIME)
    person = NEW_USERS.from_choices(picks)
    assert_frame_equal(person.profiles.table, expected.table)
    assert np.allclose(person.profiles.vectors, expected.vectors, atol=1e-6)
    assert person.seen.tolist() == history.items.tolist()
    assert person.history.chosen.tolist() == history.chosen.tolist()
    assert person.rejected.tolist() == history.items[history.spoken_against()].tolist()


@given(st.lists(st.sampled_from(IDS), min_size=1, max_size=20))
def test_picks_without_times_are_one_session_in_the_order_given(items: list[str]) -> None:
    person = NEW_USERS.from_choices([PastChoice(item) for item in items])
    assert [IDS[row] for row in person.seen] == items
    assert (person.history.times < TIME).all()
    assert set(person.profiles.table["tier"]) == {"momentary"}


def test_a_pick_without_time_follows_the_one_before_it() -> None:
    person = NEW_USERS.from_choices(
        [PastChoice(IDS[0], None, 5 * DAY), PastChoice(IDS[1]), PastChoice(IDS[2], None, TIME + DAY)]
    )
    assert person.history.times.tolist() == [5 * DAY, 5 * DAY + 1, TIME + DAY]


def test_unknown_picks_are_all_named() -> None:
    with pytest.raises(UnknownId, match="2 of 3 items are not among the 12 of this release: 'gone', 'away'"):
        NEW_USERS.from_choices([PastChoice("gone"), PastChoice(IDS[0]), PastChoice("away")])


@given(st.lists(st.integers(0, N_ITEMS - 1), min_size=1, max_size=5))
def test_each_text_is_a_momentary_point_named_after_its_nearest_topic(rows: list[int]) -> None:
    person = NEW_USERS.from_texts(vectors()[rows])
    table = person.profiles.table
    assert table["tier"].to_list() == ["momentary"] * len(rows)
    assert table["name"].n_unique() == len(rows)
    assert table["share"].sum() == pytest.approx(1, abs=1e-5)
    phrases = PROFILER.themes.phrases("topic")
    assert table["phrases"].to_list() == [phrases[topic] for topic in table["topic"]]
    assert len(person.seen) == 0


@given(
    st.none() | st.lists(st.sampled_from(["en", "zh", "fr"]), min_size=1),
    st.none() | st.floats(0, 14),
    st.none() | st.floats(0, 14),
    st.lists(st.sampled_from(IDS)),
)
def test_filters_admit_exactly_what_meets_every_condition(languages, lowest, highest, exclude) -> None:
    if lowest is not None and highest is not None:
        lowest, highest = sorted((lowest, highest))
    price = PriceRange(lowest=lowest, highest=highest)
    mask = Filters(languages=languages, price=price, exclude_items=exclude).mask(CATALOGUE)
    for admitted, (item, price, language) in zip(
        mask, CATALOGUE.items.select("item_id", "price", "language").iter_rows(), strict=True
    ):
        meets = (
            (languages is None or language in languages)
            and (lowest is None or (price is not None and price >= lowest))
            and (highest is None or (price is not None and price <= highest))
            and item not in exclude
        )
        assert admitted == meets
