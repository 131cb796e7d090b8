"""Themes are nested, named from text, and place what they did not learn from."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl

from strata.phrases import Phrases, words
from strata.schema import ITEMS
from strata.text import item_texts
from strata.themes import LEVELS, Themes, ThemeSettings, distinct_names, learn_themes
from tests.strategies import N_ITEMS, catalogue, vectors

ROOT = Path(__file__).parent.parent
SETTINGS = ThemeSettings(topics=6, categories=3, themes=2, smallest=2)


def learned(known: np.ndarray | None = None) -> Themes:
    known = np.ones(N_ITEMS, bool) if known is None else known
    return learn_themes(vectors(), known, Phrases(catalogue()), SETTINGS)


def test_topics_lie_in_categories_and_categories_in_themes() -> None:
    of_item = learned().of_item
    for narrow, broad in ((0, 1), (1, 2)):
        parents: dict[int, int] = {}
        for item in of_item:
            assert parents.setdefault(item[narrow], item[broad]) == item[broad]


def test_groups_are_named_from_what_their_items_share() -> None:
    themes = learned()
    names = themes.names("category")
    for item, kind in enumerate(["garden", "music", "travel"]):
        assert kind in names[themes.of_item[item, 1]]
    for level in LEVELS:
        assert len(set(themes.names(level))) == len(themes.names(level))


def test_an_item_unknown_then_goes_to_the_nearest_topic() -> None:
    known = np.ones(N_ITEMS, bool)
    known[3] = False
    themes = learned(known)
    assert themes.of_item[3, 1] == themes.of_item[0, 1]


def test_one_item_is_a_catalogue_too() -> None:
    themes = learn_themes(vectors()[:1], np.ones(1, bool), Phrases(catalogue()[:1]), SETTINGS)
    assert themes.of_item.tolist() == [[0, 0, 0]]


def test_large_catalogues_are_gathered_before_ward(monkeypatch) -> None:
    monkeypatch.setattr("strata.themes.MOST_LEAVES", 8)
    of_item = learned().of_item
    assert len(of_item) == N_ITEMS
    assert of_item[0, 2] in (0, 1)


def test_themes_survive_a_round_trip(tmp_path) -> None:
    themes = learned()
    themes.write(tmp_path)
    again = Themes.read(tmp_path)
    assert again.groups.equals(themes.groups)
    assert np.array_equal(again.of_item, themes.of_item)


def test_equal_names_are_told_apart() -> None:
    named = [name for name, _ in distinct_names([["tea", "cup"], ["tea", "cup", "pot"], ["tea", "cup"], []])]
    assert named == ["tea · cup", "tea · cup · pot", "tea · cup (2)", "Unnamed"]


def test_phrases_are_numbered_the_same_in_every_process() -> None:
    code = (
        "from strata.phrases import Phrases; from tests.strategies import catalogue; print(Phrases(catalogue()).names)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_words_of_a_title_leave_out_stop_words_and_segment_chinese() -> None:
    assert words("The Lord of the Rings 2") == ["Lord", "Rings"]
    assert "绿茶" in words("杭州的龙井绿茶")


def test_the_model_reads_the_telling_fields_of_an_item() -> None:
    row = dict.fromkeys(ITEMS) | {"item_id": "x", "title": "Teapot", "brand": "Kiln", "categories": ["Kitchen", "Tea"]}
    assert item_texts(pl.DataFrame([row], schema=ITEMS)) == ["Teapot. by Kiln. Kitchen, Tea"]
