"""The map: bubbles and names apart and on the page, the same every time, as files that need nothing else."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.schema import ITEMS
from strata.embeddings.vectors import unit
from strata.interests.map_picture import draw_map
from strata.interests.phrases import Phrases
from strata.interests.pictures import ENDINGS, Bar, Disc, Picture, Text
from strata.interests.theme_map import HEIGHT, WIDTH, box_of, theme_map
from strata.interests.themes import Themes, ThemeSettings, learn_themes
from tests.places import ROOT

SETTINGS = ThemeSettings(topics=60, categories=20, themes=8, smallest=4)


def shop(n: int, seed: int = 0) -> Themes:
    """Themes of `n` items of a few kinds."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, max(1, n // 6), n)
    points = unit(rng.normal(size=(n, 12))[kinds] + 0.2 * rng.normal(size=(n, 12)))
    rows = [
        {"item_id": f"{k:04d}", "title": f"Kind{'abcdefghij'[kind % 10]}{'xyz'[kind % 3]} <&> thing"}
        for k, kind in enumerate(kinds)
    ]
    items = pl.DataFrame([{name: row.get(name) for name in ITEMS} for row in rows], schema=ITEMS)
    return learn_themes(points, np.ones(n, bool), Phrases(items), SETTINGS)


def interests(themes: Themes) -> pl.DataFrame:
    topics = themes.at("topic").head(6)
    tiers = ["core", "stable", "momentary"] * 2
    return topics.select(topic="group", name="name", share=1 / pl.len()).with_columns(
        tier=pl.Series(tiers[: topics.height], dtype=pl.String)
    )


def apart(boxes: list[tuple[float, float, float, float]]) -> bool:
    return not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a, b in combinations(boxes, 2))


@settings(max_examples=12)
@given(st.integers(1, 300), st.integers(0, 100))
def test_bubbles_and_names_lie_apart_and_on_the_page(n: int, seed: int) -> None:
    themes = shop(n, seed)
    layout = theme_map(themes)
    bubbles = layout.filter(level="topic").sort("group")
    assert bubbles["group"].to_list() == list(range(themes.at("topic").height))
    places, radii = bubbles.select("x", "y").to_numpy(), bubbles["size"].to_numpy()
    assert (places >= radii[:, None] - 0.1).all()
    assert (places <= np.array([WIDTH, HEIGHT]) - radii[:, None] + 0.1).all()
    gaps = np.linalg.norm(places[:, None] - places, axis=2) - radii - radii[:, None]
    assert (gaps[~np.eye(len(radii), dtype=bool)] > -0.1).all()
    share = radii**2 / themes.at("topic")["items"].to_numpy()
    assert np.ptp(share) < 0.05 * share.max(), "areas do not grow with items"

    labels = layout.filter(pl.col("level") != "topic")
    assert labels.filter(level="theme").height == themes.at("theme").height
    assert apart([box_of(label, (x, y), size) for x, y, size, label in labels.select("x", "y", "size", "label").rows()])


@pytest.mark.slow
def test_a_map_is_the_same_in_every_process_and_with_any_number_of_threads() -> None:
    code = (
        "from tests.interests.test_theme_map import shop; from strata.interests.theme_map import theme_map; "
        "print(theme_map(shop(250)).write_csv())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"OMP_NUM_THREADS": threads}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


@pytest.mark.parametrize("with_interests", [False, True])
def test_pictures_are_the_same_bytes_each_time_and_need_no_other_file(tmp_path: Path, with_interests: bool) -> None:
    themes = shop(120)
    picture = draw_map(theme_map(themes), themes, interests(themes) if with_interests else None, "user <7>")
    for ending in ENDINGS:
        first, second = tmp_path / f"first{ending}", tmp_path / f"second{ending}"
        picture.write(first)
        picture.write(second)
        assert first.read_bytes() == second.read_bytes()
        if ending != ".png":
            text = first.read_text(encoding="utf-8")
            assert set(re.findall(r"https?://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}
            assert "<script" not in text
    drawn = ElementTree.parse(tmp_path / "first.svg").getroot()
    circles = drawn.findall(".//{http://www.w3.org/2000/svg}circle")
    told = [circle.findtext("{http://www.w3.org/2000/svg}title") for circle in circles]
    for name, items in themes.at("topic").select("name", "items").rows():
        assert any(title and title.startswith(f"{name}: {items:,} items") for title in told)
    assert (tmp_path / "first.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_interests_are_drawn_on_their_topics_in_the_colours_of_their_tiers() -> None:
    themes = shop(120)
    layout, points = theme_map(themes), interests(themes)
    marks = draw_map(layout, themes, points).marks
    discs = {(mark.x, mark.y): mark.colour for mark in marks if isinstance(mark, Disc) and mark.ring}
    places = layout.filter(level="topic").select("x", "y", topic="group")
    expected = points.join(places, on="topic").select("x", "y", "tier").rows()
    assert discs == {(x, y): tier for x, y, tier in expected}
    names = [mark for mark in marks if isinstance(mark, Text) and mark.bold]
    assert {mark.text for mark in names} <= set(points["name"])
    assert names
    written = [mark for mark in marks if isinstance(mark, Text) and mark.y < HEIGHT]
    assert apart([box_of(mark.text, (mark.x, mark.y), mark.size) for mark in written])


def test_letters_and_other_endings_are_safe(tmp_path: Path) -> None:
    marks = [Text(5, 5, 3, "<b> & 茶\nsecond"), Bar(1, 1, 8, 2, "#123456", '"quoted" <i>')]
    picture = Picture("a < b", 10, 10, marks)
    drawn = ElementTree.fromstring(picture.svg())
    assert [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")] == ["<b> & 茶", "second"]
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.html"):
        picture.write(tmp_path / "map.gif")
