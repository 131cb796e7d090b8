"""Groups keep their ids and names from release to release: with more items, other vectors and another seed."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from strata.data.schema import ITEMS, LEVELS
from strata.embeddings.vectors import unit
from strata.interests.anchors import Anchors, match_anchors, write_anchors
from strata.interests.naming import Namer
from strata.interests.themes import Themes, ThemeSettings, learn_themes
from tests.places import SHARED

POSTS = SHARED / "data" / "stackexchange-alcohol" / "Posts.xml"
SETTINGS = ThemeSettings(topics=30, categories=12, themes=4, smallest=8)


def table(titles: list[str]) -> pl.DataFrame:
    rows = [{"item_id": f"i{n:04d}", "title": title} for n, title in enumerate(titles)]
    return pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)


def planted() -> tuple[np.ndarray, pl.DataFrame]:
    """600 items of 30 kinds of 6 families, some alike to the letter, with names to read their kind from."""
    rng = np.random.default_rng(5)
    kinds = rng.integers(0, 30, 600)
    families = 2.0 * rng.normal(size=(6, 24))
    centres = families[np.arange(30) % 6] + rng.normal(size=(30, 24))
    points = centres[kinds] + 0.9 * rng.normal(size=(600, 24)) * (rng.random(600) < 0.8)[:, None]
    return unit(points), table([f"Kind{'abcdefghij'[k % 10]}{'xyz'[k // 10]} thing" for k in kinds])


def questions() -> tuple[np.ndarray, pl.DataFrame]:
    """The questions of a small Stack Exchange site, by the words of their titles and tags."""
    if not POSTS.exists():
        pytest.skip(f"{POSTS} is not here")
    rows = [row for row in ElementTree.parse(POSTS).getroot() if row.get("PostTypeId") == "1"]
    texts = [f"{row.get('Title')} {row.get('Tags')}" for row in rows]
    words = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(texts)
    return unit(TruncatedSVD(64, random_state=0).fit_transform(words)), table([row.get("Title") for row in rows])


def learn(
    vectors: np.ndarray, items: pl.DataFrame, anchors: Anchors | None = None, settings: ThemeSettings = SETTINGS
) -> Themes:
    """As the stage does it."""
    former = None if anchors is None else anchors.topics(vectors, items)
    themes = learn_themes(vectors, np.ones(len(vectors), bool), Namer.of(items), settings, former)
    return themes if anchors is None else match_anchors(themes, anchors, items, Namer.of(items))


def release(themes: Themes, items: pl.DataFrame, folder: Path) -> Anchors:
    write_anchors(themes, items, folder)
    return Anchors.read(folder)


def kept(before: Themes, after: Themes, level: str) -> float:
    """Share of the groups of a level that are there afterwards, under the same id and name."""
    named = after.at(level).select("id", "name")
    return before.at(level).select("id", "name").join(named, on=["id", "name"]).height / before.at(level).height


def stayed(before: Themes, after: Themes, rows: np.ndarray, level: str) -> float:
    """Share of the items (`rows` afterwards) that are in the group of the same id."""
    depth = LEVELS.index(level)
    then = before.at(level)["id"].to_numpy()[before.of_item[:, depth]]
    now = after.at(level)["id"].to_numpy()[after.of_item[rows, depth]]
    return float(np.mean(then == now))


def test_items_stay_for_being_drawn_to_where_they_were(tmp_path: Path) -> None:
    vectors, items = questions()
    rows = np.sort(np.random.default_rng(1).choice(len(vectors), int(len(vectors) / 1.1), replace=False))
    before = learn(vectors[rows], items[rows])
    anchors = release(before, items[rows], tmp_path)
    shares = {}
    for continuity in (0.0, 0.3):
        after = learn(vectors, items, anchors, SETTINGS.model_copy(update={"continuity": continuity}))
        shares[continuity] = np.mean([stayed(before, after, rows, level) for level in LEVELS])
    assert shares[0.3] > shares[0.0] + 0.1


@pytest.mark.parametrize("data", [planted, questions])
def test_with_a_tenth_more_items_groups_keep_their_ids_names_and_items(data, tmp_path: Path) -> None:
    vectors, items = data()
    rows = np.sort(np.random.default_rng(1).choice(len(vectors), int(len(vectors) / 1.1), replace=False))
    before = learn(vectors[rows], items[rows])
    anchors = release(before, items[rows], tmp_path)
    after = learn(vectors, items, anchors)
    for level in LEVELS:
        groups = after.at(level)
        assert kept(before, after, level) >= 0.9
        assert groups["id"].n_unique() == groups["name"].n_unique() == groups.height
        assert stayed(before, after, rows, level) >= 0.75
    for depth in range(2):
        for row in after.at(LEVELS[depth]).iter_rows(named=True):
            own = after.of_item[:, depth] == row["group"]
            assert set(after.of_item[own, depth + 1]) == {row["parent"]}


def test_with_another_seed_groups_keep_their_ids_and_names(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("strata.interests.themes.MOST_LEAVES", 150)  # the seed decides what is gathered
    vectors, items = planted()
    before = learn(vectors, items)
    settings = SETTINGS.model_copy(update={"seed": 8})
    assert (learn(vectors, items, settings=settings).of_item != before.of_item).any()
    after = learn(vectors, items, release(before, items, tmp_path), settings)
    for level in LEVELS:
        assert kept(before, after, level) >= 0.9


def test_with_another_language_model_groups_are_known_by_their_items(tmp_path: Path) -> None:
    vectors, items = planted()
    before = learn(vectors, items)
    anchors = release(before, items, tmp_path)
    mixing = np.random.default_rng(2).normal(size=(24, 16))
    after = learn(unit(vectors @ mixing), items, anchors)
    assert kept(before, after, "topic") >= 0.9
    assert stayed(before, after, np.arange(len(vectors)), "topic") >= 0.8


def test_where_no_item_is_left_vectors_decide_but_only_those_of_a_model_that_compares(tmp_path: Path) -> None:
    vectors, items = planted()
    before = learn(vectors, items)
    anchors = release(before, items, tmp_path)
    first = before.of_item[:, 0] == 0
    renewed = items.with_columns(
        item_id=pl.when(pl.Series(first)).then("new" + pl.col("item_id")).otherwise(pl.col("item_id"))
    )
    assert before.at("topic")["id"][0] in learn(vectors, renewed, anchors).at("topic")["id"]
    turned = vectors @ np.linalg.qr(np.random.default_rng(3).normal(size=(24, 24)))[0]
    assert before.at("topic")["id"][0] not in learn(unit(turned), renewed, anchors).at("topic")["id"]


def test_a_catalogue_without_any_item_of_the_last_one_gets_new_ids_and_retired_ones_are_never_given_again(
    tmp_path: Path,
) -> None:
    vectors, items = planted()
    first = learn(vectors, items)
    anchors = release(first, items, tmp_path)
    others = items.with_columns(item_id="new" + pl.col("item_id"))
    second = learn(vectors, others, anchors)
    assert not set(first.groups["id"]) & set(second.groups["id"])
    assert sorted(anchors.retired_by(second)) == sorted(first.groups["name"])
    anchors = release(second, others, tmp_path)
    assert set(anchors.groups.filter("retired")["id"]) == set(first.groups["id"])
    third = learn(vectors, items.with_columns(item_id="third" + pl.col("item_id")), anchors)
    assert not set(third.groups["id"]) & {*first.groups["id"], *second.groups["id"]}


def test_items_of_another_data_set_that_are_numbered_alike_are_not_taken_for_the_same(tmp_path: Path) -> None:
    vectors, items = planted()
    first = learn(vectors, items)
    others = items.with_columns(title="Other " + pl.col("title"))
    second = learn(vectors, others, release(first, items, tmp_path))
    assert not set(first.groups["id"]) & set(second.groups["id"])


def test_a_new_kind_of_item_gets_a_new_group_and_the_others_stay(tmp_path: Path) -> None:
    vectors, items = planted()
    before = learn(vectors, items)
    anchors = release(before, items, tmp_path)
    rng = np.random.default_rng(4)
    news = unit(6 * rng.normal(size=(1, 24)) + 0.3 * rng.normal(size=(40, 24)))
    both = pl.concat([items, table(["Comet news"] * 40).with_columns(item_id="n" + pl.col("item_id"))])
    settings = SETTINGS.model_copy(update={"topics": 31})
    after = learn(np.concatenate([vectors, news]), both, anchors, settings)
    new = after.at("topic").filter(~pl.col("id").is_in(before.groups["id"].to_list()))
    assert new["name"].to_list() == ["Comet news"]
    assert new["id"].to_list() == [f"topic-{before.at('topic').height + 1}"]
    assert kept(before, after, "topic") >= 0.9
