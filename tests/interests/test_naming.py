"""Names: carried by several members, of words people understand, and never the same twice in a profile."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from strata.data.history import History
from strata.data.schema import ITEMS
from strata.interests.naming import LEAST_CARRIERS, SEVERAL, Namer, told_apart
from strata.interests.phrases import words
from strata.interests.settings import TierSettings
from tests.strategies import N_USERS, TIME, USER_IDS, histories, profiler

PROFILER = profiler(TierSettings(cut=0.8))
TITLES = [
    "Dry hopping with citra hops", "How to use hops late in the boil", "Which hops are bitter?", "Storing fresh hops",
    "Pouring stout at home", "Is stout served warm?", "Glasses for stout", "Stout with oysters",
    "杭州的龙井绿茶", "龙井绿茶礼盒", "明前龙井绿茶", "龙井绿茶怎么泡",
]  # fmt: skip
DIRT = (
    "I've asked @bob and user1271772's friend, see https://example.com/hops and `for i in range(10)`; don't use "
    r"$\frac{a}{b}$ nor parse_wort(x) or System.out() either"
)
BY_HAND = {"user1271772", "bob", "https", "example", "range", "frac", "parse_wort", "don't", "i've", "parse", "system"}


def items(description: str | None = None) -> pl.DataFrame:
    rows = [{"item_id": f"i{n}", "title": title, "description": description} for n, title in enumerate(TITLES)]
    return pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)


def membership(groups: list[list[int]]) -> sparse.csr_matrix:
    places = [(group, item) for group, members in enumerate(groups) for item in members]
    rows, columns = np.array(places).T
    return sparse.csr_matrix((np.ones(len(places), np.float32), (rows, columns)), shape=(len(groups), len(TITLES)))


@given(st.lists(st.lists(st.integers(0, len(TITLES) - 1), min_size=1, max_size=9, unique=True), min_size=1, max_size=5))
def test_every_phrase_of_a_group_of_several_is_carried_by_several(groups: list[list[int]]) -> None:
    namer = Namer.of(items())
    for members, (_, phrases) in zip(
        groups, namer.names_of(membership(groups), np.zeros((len(groups), 1)), 5), strict=True
    ):
        for phrase in phrases if len(members) >= SEVERAL else []:
            place = int(np.flatnonzero(namer.phrases.names == phrase)[0])
            assert namer.phrases.counts[members][:, [place]].sum() >= LEAST_CARRIERS


def test_groups_are_named_in_their_language_by_what_they_share() -> None:
    named = Namer.of(items()).names_of(membership([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]), np.zeros((3, 1)), 5)
    assert [name for name, _ in named][:2] == ["Hops", "Stout"]
    assert named[2][0] in ("龙井绿茶", "龙井 · 绿茶", "绿茶 · 龙井")


def test_accounts_code_formulas_addresses_and_contractions_name_nothing() -> None:
    assert not BY_HAND & {word.casefold() for word in words(DIRT)}
    known = {phrase.casefold() for phrase in Namer.of(items(DIRT)).phrases.names}
    assert not BY_HAND & known
    assert "hops" in known or "hop" in known


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reader_ranks_phrases_by_their_nearness_to_the_centre(seed: int) -> None:
    """Of two phrases that occur alike, that nearer to the centre comes first; each is read once."""
    read: list[str] = []

    def reader(phrases: list[str]) -> np.ndarray:
        read.extend(phrases)
        return np.array([[1.0, 0.0] if "late" in phrase.casefold() else [0.0, 1.0] for phrase in phrases])

    table = items().with_columns(
        title=pl.Series(["Late boil", "Boil late", "Late boil now", "Boil later"] + TITLES[4:])
    )
    centres = np.array([[1.0, 0.1]]) if seed == 1 else np.array([[0.1, 1.0]])
    ((name, _),) = Namer.of(table, read=reader).names_of(membership([[0, 1, 2, 3]]), centres, 3)
    assert name.casefold().startswith("late" if seed == 1 else "boil")
    assert len(read) == len(set(read))


@given(histories())
def test_no_two_interests_of_a_profile_share_a_name_and_no_dislike_has_that_of_a_like(history: History) -> None:
    profiles, _ = PROFILER.profiles(history, TIME, USER_IDS)
    assert profiles.dislikes is not None
    for user in range(N_USERS):
        likes, against = (
            table.filter(user_row=user)["name"].str.to_lowercase().to_list()
            for table in (profiles.table, profiles.dislikes.table)
        )
        assert len(set(likes)) == len(likes)
        assert len(set(against)) == len(against)
        assert not set(likes) & set(against)


def test_the_same_phrases_in_another_order_are_the_same_name() -> None:
    names = ["Thriller · Crime", "Crime · thriller", "Crime"]
    found = told_apart(names, [iter([title]) for title in ("Heat", "Scream", "Fargo")])
    assert found == ["Thriller · Crime, such as Heat", "Crime · thriller, such as Scream", "Crime"]
    assert told_apart(["Crime · Thriller"], [iter(["Heat"])], ["Thriller · Crime"]) == [
        "Crime · Thriller, such as Heat"
    ]


@given(st.lists(st.sampled_from(["Tea", "tea", "Pots", ""]), max_size=6), st.sets(st.sampled_from(["Tea", "Cups"])))
def test_names_told_apart_differ_from_each_other_and_from_those_taken(names: list[str], taken: set[str]) -> None:
    found = [name.casefold() for name in told_apart(names, [iter([f"Kind {n}"]) for n in range(len(names))], taken)]
    assert len(set(found)) == len(found)
    assert not set(found) & {name.casefold() for name in taken}
    assert not any("(" in name for name in found), "by example, never by number"
