"""Phrases name a group by what sets it apart, in words that people read, and fast."""

import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from strata.data.schema import ITEMS
from strata.interests.phrases import Phrases, words
from tests.places import ROOT

SHELVES = {
    "Dairy": ["Fluid milk white only 1 GA", "Fluid milk white only 0.5 GA", "Fluid milk chocolate 1 GA"],
    "Grocery": ["Dry cat food 12 OZ", "Dry cat foods 3.5 LB", "Gourmet cat food 12 OZ", "Kids' cereal 12 OZ"],
}


def items(shelves: dict[str, list[str]]) -> pl.DataFrame:
    rows = [
        {"item_id": f"{k}{title}", "title": title, "categories": [k]}
        for k, titles in shelves.items()
        for title in titles
    ]
    return pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)


def silent(table: pl.DataFrame) -> pl.DataFrame:
    """The same items without categories."""
    return table.with_columns(categories=pl.lit([], dtype=pl.List(pl.String)))


def membership(groups: list[list[int]], n_items: int) -> sparse.csr_matrix:
    places = [(group, item) for group, members in enumerate(groups) for item in members]
    rows, columns = np.array(places).T
    return sparse.csr_matrix((np.ones(len(places), np.float32), (rows, columns)), shape=(len(groups), n_items))


def test_a_group_is_named_by_what_its_items_share_and_others_lack() -> None:
    phrases = Phrases(silent(items(SHELVES)))
    milk, cats = phrases.of_groups(membership([[0, 1, 2], [3, 4, 5]], 7), 3, least_share=0.3)
    assert milk[:2] == ["Fluid milk", "white"]
    assert cats[0] == "cat food"
    named = " ".join([*milk, *cats])
    assert not any(unit in named.split() for unit in ("OZ", "LB", "GA", "cereal"))


def test_a_telling_category_names_a_group_and_is_left_out_where_it_is_not_to_be_read() -> None:
    group = membership([[0, 1, 2]], 7)
    assert Phrases(items(SHELVES)).of_groups(group, 5, least_share=0.3)[0].count("Dairy") == 1
    assert "Dairy" not in Phrases(silent(items(SHELVES))).of_groups(group, 5, least_share=0.3)[0]


def test_phrases_of_one_group_share_no_word_be_it_singular_or_plural() -> None:
    phrases = Phrases(items({"Pets": ["Cat toys", "Cats and dogs", "Dog toy", "Dogs' berries", "Berry pie"]}))
    (found,) = phrases.of_groups(membership([[0, 1, 2, 3, 4]], 5), 9, least_share=0.0)
    stems = [word.casefold().rstrip("s") for phrase in found for word in words(phrase)]
    assert len(stems) == len(set(stems))
    assert len([phrase for phrase in found if "err" in phrase]) == 1


def test_pairs_reach_over_words_that_are_left_out_but_not_over_punctuation_or_numbers() -> None:
    names = set(Phrases(items({"Films": ["Lord of the Rings", "Men: Black", "Part 2 Return", "龙井绿茶"]})).names)
    assert {"Lord of the Rings", "Lord", "Rings", "Men", "Black", "龙井绿茶"} <= names
    assert not any("Men" in name and "Black" in name or "Part" in name and "Return" in name for name in names)


def test_a_title_that_several_items_share_names_them_whole_without_quantities_or_what_was_cut_short() -> None:
    chips, others = ["Potato/tort chips 6pk/4pk & 12 OZ (ex", "Potato/tort chips (over 50% corn)"], ["Potato salad"]
    phrases = Phrases(silent(items({"Snacks": chips, "Deli": others})))
    assert phrases.of_groups(membership([[0, 1]], 3), 1, least_share=0.3) == [["Potato/tort chips"]]
    assert "ex" not in phrases.names


def test_a_title_of_one_item_or_of_more_words_than_a_name_bears_gives_only_its_words_and_pairs() -> None:
    long = "Seven little words make names longer than people read"
    names = set(Phrases(items({"Films": ["Dead: Man/Walking", long, f"{long} 2"]})).names)
    assert {"Dead", "Man", "Walking", "Seven little"} <= names
    assert not {"Dead: Man/Walking", long} & names


def test_words_are_what_can_stand_in_a_name() -> None:
    assert words("The Lord of the Rings 2") == ["Lord", "Rings"]
    assert words("Soda 12 OZ can, 7.5-ml TV sx L'Oréal") == ["Soda", "TV", "L'Oréal"]
    assert words("12 Monkeys") == ["Monkeys"]
    assert "绿茶" in words("杭州的龙井绿茶")


def test_a_phrase_needs_its_share_of_the_weight_and_its_members() -> None:
    phrases = Phrases(items(SHELVES))
    assert phrases.of_groups(membership([[0, 3, 6]], 7), 5, least_share=0.7) == [[]]
    assert phrases.of_groups(membership([[0], [0, 2]], 7), 1, least_share=0.3, least_members=2) == [[], ["Dairy"]]


@given(
    st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True), min_size=1, max_size=6),
    st.data(),
)
def test_neither_other_groups_nor_the_order_of_items_change_what_a_group_is_called(
    groups: list[list[int]], data: st.DataObject
) -> None:
    table = items(SHELVES)
    order = data.draw(st.permutations(range(table.height)))
    found = Phrases(table).of_groups(membership(groups, 7), 3, least_share=0.2)
    moved = [[order.index(item) for item in group] for group in groups]
    assert Phrases(table[order]).of_groups(membership(moved, 7), 3, least_share=0.2) == found
    for group, expected in zip(groups, found, strict=True):
        assert Phrases(table).of_groups(membership([group], 7), 3, least_share=0.2) == [expected]


def test_many_groups_are_named_block_by_block_as_at_once(monkeypatch) -> None:
    phrases, groups = Phrases(items(SHELVES)), membership([[n, (n + 1) % 7, (n * 3) % 7 or n] for n in range(7)], 7)
    at_once = phrases.of_groups(groups, 3, least_share=0.2)
    monkeypatch.setattr("strata.interests.phrases.AT_ONCE", 2)
    assert phrases.of_groups(groups, 3, least_share=0.2) == at_once


@pytest.mark.slow
def test_phrases_are_numbered_the_same_in_every_process() -> None:
    code = (
        "from strata.interests.phrases import Phrases; from tests.strategies import catalogue; "
        "print(Phrases(catalogue()).names.tolist())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1
