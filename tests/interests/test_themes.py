"""Themes are nested, named from text, fitted to the size of the catalogue, and place what they did not learn from."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strata.data.schema import ITEMS, LEVELS
from strata.embeddings.item_text import item_texts
from strata.embeddings.vectors import unit
from strata.interests.naming import Namer, told_apart
from strata.interests.themes import TYPICAL, Themes, ThemeSettings, learn_themes
from tests.strategies import N_ITEMS, catalogue, vectors

SETTINGS = ThemeSettings(topics=6, categories=3, themes=2, smallest=2)


def learned(known: np.ndarray | None = None) -> Themes:
    known = np.ones(N_ITEMS, bool) if known is None else known
    return learn_themes(vectors(), known, Namer.of(catalogue()), SETTINGS)


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[np.ndarray, pl.DataFrame]:
    """Up to 60 items with vectors, some of them equal."""
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    kinds = rng.integers(0, max(1, n // 2), n)
    rows = [
        {"item_id": f"i{item:02d}", "title": f"thing {'abcdefgh'[kind % 8] * 3}"} for item, kind in enumerate(kinds)
    ]
    table = pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)
    return unit(rng.normal(size=(n, 6)))[kinds], table


@given(catalogues(), st.data())
def test_groups_are_nested_complete_and_the_same_in_any_order_of_items(
    drawn: tuple[np.ndarray, pl.DataFrame], data: st.DataObject
) -> None:
    points, items = drawn
    n = len(points)
    themes = learn_themes(points, np.ones(n, bool), Namer.of(items), SETTINGS)
    for depth, level in enumerate(LEVELS):
        groups = themes.at(level)
        assert groups["items"].to_list() == np.bincount(themes.of_item[:, depth]).tolist()
        assert groups["id"].n_unique() == groups["name"].n_unique() == groups.height
        for row in groups.iter_rows(named=True):
            own = themes.of_item[:, depth] == row["group"]
            assert own[row["typical"]].all()
            assert len(row["typical"]) == min(row["items"], TYPICAL)
            if level != "theme":
                assert set(themes.of_item[own, depth + 1]) == {row["parent"]}
    _, kind = np.unique(points, axis=0, return_inverse=True)
    assert len({(a, b) for a, b in zip(kind, themes.of_item[:, 0], strict=True)}) == kind.max() + 1, (
        "equal items parted"
    )

    order = np.array(data.draw(st.permutations(range(n))))
    again = learn_themes(points[order], np.ones(n, bool), Namer.of(items[order]), SETTINGS)
    assert (again.of_item == themes.of_item[order]).all()
    names = pl.col("name").str.split(", such as").list.first()  # of equal items any is the example
    assert again.groups.drop("typical").with_columns(names).equals(themes.groups.drop("typical").with_columns(names))


def test_groups_are_named_from_what_their_items_share() -> None:
    themes = learned()
    names = themes.names("category")
    for item, kind in enumerate(["garden", "music", "travel"]):
        assert kind in names[themes.of_item[item, 1]].casefold()


def test_an_item_unknown_then_goes_to_the_nearest_topic_and_to_that_of_its_equals() -> None:
    known = np.ones(N_ITEMS, bool)
    known[3] = False
    themes = learned(known)
    assert themes.of_item[3, 1] == themes.of_item[0, 1]
    assert not any(3 in typical for typical in themes.groups["typical"])
    assert themes.at("theme")["items"].sum() == N_ITEMS - 1
    points = vectors()
    points[3] = points[5]
    twins = learn_themes(points, known, Namer.of(catalogue()), SETTINGS).of_item
    assert (twins[3] == twins[5]).all()


@pytest.mark.parametrize(
    ("n", "expected"), [(1, [1, 1, 1]), (18, [4, 3, 2]), (1_650, [150, 42, 12]), (3_990, [300, 60, 12])]
)
def test_the_number_of_groups_follows_the_catalogue_up_to_the_settings(n: int, expected: list[int]) -> None:
    points = unit(np.random.default_rng(0).normal(size=(n, 8)))
    items = pl.DataFrame([{name: None for name in ITEMS} | {"item_id": str(k)} for k in range(n)], schema=ITEMS)
    settings = ThemeSettings(topics=300, categories=60, themes=12, smallest=11)
    themes = learn_themes(points, np.ones(n, bool), Namer.of(items), settings)
    assert [len(themes.names(level)) for level in LEVELS] == expected


def test_a_thousand_copies_are_still_one_thing() -> None:
    points = np.repeat(unit(np.eye(3)), 1_000, axis=0)
    items = pl.DataFrame([{name: None for name in ITEMS} | {"item_id": str(k)} for k in range(3_000)], schema=ITEMS)
    themes = learn_themes(points, np.ones(3_000, bool), Namer.of(items), ThemeSettings())
    assert len(themes.names("topic")) == 2


def test_large_catalogues_are_gathered_into_leaves_that_keep_kinds_apart(monkeypatch) -> None:
    monkeypatch.setattr("strata.interests.themes.MOST_LEAVES", 8)
    of_item = learned().of_item
    assert len({int(group) for group in of_item[:, 1]}) == 3
    for item in range(N_ITEMS):
        assert of_item[item, 1] == of_item[item % 3, 1]


def test_themes_survive_a_round_trip(tmp_path) -> None:
    themes = learned()
    themes.write(tmp_path)
    again = Themes.read(tmp_path)
    assert again.groups.equals(themes.groups)
    assert np.array_equal(again.of_item, themes.of_item)
    assert np.array_equal(again.centres("category"), themes.centres("category"))


def test_names_that_are_shared_or_taken_are_told_apart_by_an_example() -> None:
    names, titles = (
        ["Tea · cup", "tea · cup", "Zen · art", "", "Pots"],
        ["Kyoto", "Kyoto", "Motorcycles", "Stones", "Wok"],
    )
    found = told_apart(names, [iter([title, f"i{n}"]) for n, title in enumerate(titles)], {"Zen · art"})
    assert found == [
        "Tea · cup, such as Kyoto", "tea · cup, such as i1", "Zen · art, such as Motorcycles", "Such as Stones", "Pots",
    ]  # fmt: skip


def test_the_model_reads_the_telling_fields_of_an_item() -> None:
    row = dict.fromkeys(ITEMS) | {"item_id": "x", "title": "Teapot", "brand": "Kiln", "categories": ["Kitchen", "Tea"]}
    assert item_texts(pl.DataFrame([row], schema=ITEMS)) == ["Teapot. by Kiln. Kitchen, Tea"]
