"""The map: bubbles and names apart and on the page, the same every time."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strata.data.schema import ITEMS
from strata.embeddings.vectors import unit
from strata.interests.naming import Namer
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
    return learn_themes(points, np.ones(n, bool), Namer.of(items), SETTINGS)


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
