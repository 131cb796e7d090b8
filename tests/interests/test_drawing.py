"""Pictures as they are drawn: what the data hold, no label on another, and the same bytes in every process."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from itertools import combinations, groupby
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import rgb_to_hsv
from matplotlib.figure import Figure
from matplotlib.text import Text

from strata.data.schema import TIERS
from strata.interests.drawing import ENDINGS, SCALE, draw, figure_of
from strata.interests.pictures import Label, Lane, SwimLanes, ThemeMap
from strata.interests.theme_map import theme_map
from strata.storage import write_json
from tests.interests.test_pictures import START, Look, looks, timeline
from tests.interests.test_theme_map import interests, shop
from tests.places import ROOT

SVG = "{http://www.w3.org/2000/svg}"
THEMES = shop(120)
PLAIN = ThemeMap.of(theme_map(THEMES), THEMES)
OWN = ThemeMap.of(theme_map(THEMES), THEMES, interests(THEMES), "user <7>")
LANES = SwimLanes.of(timeline([(0, "a", "momentary", 1.0), (1, "a", "core", 3.0), (1, "b", "stable", 2.0)]), "user 7")
names = st.text("iW $<&>^_\\{}'\".·-", min_size=1, max_size=90).filter(str.strip)


def texts_of(figure: Figure) -> list[Text]:
    """All that can be read on a figure, once it is laid out."""
    figure.draw_without_rendering()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    dates = [label for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high] if axes.axison else []
    keys = [text for legend in figure.legends for text in legend.get_texts()]
    return [text for text in (*figure.texts, *axes.texts, *dates, *keys) if text.get_text().strip()]


def assert_readable(figure: Figure) -> list[str]:
    """No text lies on another or leaves the page; returns the texts."""
    texts = texts_of(figure)
    boxes = [Text.get_window_extent(text) for text in texts]  # without the lines to them
    for (one, a), (other, b) in combinations(zip(texts, boxes, strict=True), 2):
        assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0, f"{one} lies on {other}"
    page = figure.bbox
    for text, box in zip(texts, boxes, strict=True):
        assert page.x0 <= box.x0 < box.x1 <= page.x1, f"{text} is cut"
        assert page.y0 <= box.y0 < box.y1 <= page.y1, f"{text} is cut"
        assert text.get_size() >= 12
    return [text.get_text() for text in texts]


@settings(max_examples=15, deadline=None)
@given(looks, st.floats(0.01, 900), names, names)
def test_lanes_show_each_name_and_a_bar_for_each_stay_in_a_tier(rows: list[Look], days: float, a: str, b: str) -> None:
    table = timeline(rows, timedelta(days=days))
    data = SwimLanes.of(table.with_columns(name=table["key"].replace({"a": a, "b": b})), a)
    figure = figure_of(data)
    said = assert_readable(figure)
    for lane in data.lanes:
        assert any(text == lane.name or text.endswith("…") and lane.name.startswith(text[:-1]) for text in said)
    bars = [bar for bar in figure.axes[0].collections if isinstance(bar, PolyCollection)]
    stays = [tier for lane in data.lanes for tier, _ in groupby(lane.tiers) if tier]
    assert len(bars) == len(stays)
    assert len([text for text in said if text in TIERS]) >= len(TIERS)


def test_the_higher_a_bar_the_stronger() -> None:
    bars = [bar for bar in figure_of(LANES).axes[0].collections if isinstance(bar, PolyCollection)]
    heights = [round(float(bar.get_datalim(bar.axes.transData).height), 6) for bar in bars]
    strengths = [strength for lane in LANES.lanes for strength in lane.strengths if strength]
    assert sorted(range(3), key=heights.__getitem__) == sorted(range(3), key=strengths.__getitem__)
    assert len(set(heights)) == 3


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 300), st.integers(0, 100), st.lists(names, min_size=6, max_size=6))
def test_maps_show_each_topic_and_no_name_lies_on_another(n: int, seed: int, own: list[str]) -> None:
    themes = shop(n, seed)
    layout = theme_map(themes)
    plain = ThemeMap.of(layout, themes)
    said = assert_readable(figure_of(plain))
    assert {theme.text for theme in plain.themes} <= set(said)
    points = interests(themes)
    points = points.with_columns(name=points["name"] + pl.Series(own[: points.height], dtype=pl.String))
    assert_readable(figure_of(ThemeMap.of(layout, themes, points, own[0])))


def test_bubbles_and_marks_are_where_the_data_say() -> None:
    bubbles, *marks = [c for c in figure_of(OWN).axes[0].collections if isinstance(c, PathCollection)]
    assert bubbles.get_offsets().tolist() == [[topic.x, topic.y] for topic in OWN.topics]
    areas, radii = bubbles.get_sizes(), [topic.radius for topic in OWN.topics]
    assert areas / [radius**2 for radius in radii] == pytest.approx([areas[0] / radii[0] ** 2] * len(radii))
    places = {topic.id: [topic.x, topic.y] for topic in OWN.topics}
    drawn = [mark.get_offsets().tolist() for mark in marks if len(mark.get_offsets())]
    assert drawn == [[places[point.topic]] for point in OWN.points]
    said = [text.get_text() for text in texts_of(figure_of(OWN))]
    assert any(point.name.replace(" · ", "\n") in said for point in OWN.points)


def test_tiers_differ_by_more_than_colour() -> None:
    keys = figure_of(LANES).legends[0].get_patches()
    fills = {key.get_hatch() or bool(rgb_to_hsv(key.get_facecolor()[:3])[1] > 0.5) for key in keys}
    assert len(fills) == len(TIERS)
    marks = [mark for mark in figure_of(OWN).axes[0].collections if not len(mark.get_offsets())]
    assert len({mark.get_paths()[0].vertices.tobytes() for mark in marks}) == len(TIERS)


@pytest.mark.slow
def test_pictures_are_the_same_bytes_in_every_process_without_a_display(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from strata.interests import drawing, pictures; "
        "from strata.storage import read_json; folder = Path(sys.argv[1]); "
        "[drawing.draw(getattr(pictures, kind).model_validate(read_json(folder / f'{kind}.json')), "
        "folder / f'{kind}-again{ending}') for kind in ('ThemeMap', 'SwimLanes') for ending in drawing.ENDINGS]"
    )
    for picture in (OWN, LANES):
        kind = type(picture).__name__
        write_json(picture.model_dump(mode="json"), tmp_path / f"{kind}.json")
        for ending in ENDINGS:
            draw(picture, tmp_path / f"{kind}{ending}")
    environment = {"MPLBACKEND": "TkAgg", "PYTHONHASHSEED": "1", "HOME": str(tmp_path), "TZ": "Asia/Shanghai"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, cwd=ROOT, check=True)
    for first in (tmp_path / f"{kind}{ending}" for kind in ("ThemeMap", "SwimLanes") for ending in ENDINGS):
        assert first.read_bytes() == first.with_stem(f"{first.stem}-again").read_bytes()


def test_letters_are_text_and_safe_in_svg_whatever_they_are(tmp_path: Path) -> None:
    lane = Lane(key="topic-1", name='$茶$ <b> & "x" $', tiers=["core"], strengths=[1.0])
    draw(
        SwimLanes(title="茶 < $a$", start=START - timedelta(days=1), times=[START], lanes=[lane], weaker=0),
        tmp_path / "a.svg",
    )
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    said = {text.text for text in root.iter(f"{SVG}text")}
    assert {'$茶$ <b> & "x" $', "茶 < $a$", "core", "stable", "momentary"} <= said


def test_wide_letters_have_room_though_the_fonts_here_may_lack_them() -> None:
    labels = [Label(id=f"theme-{n}", name="茶", text="茶" * 20, x=500, y=300) for n in range(3)]
    themes = [*labels, *PLAIN.themes]
    texts = figure_of(PLAIN.model_copy(update={"themes": themes, "categories": []})).axes[0].texts
    wide = [text for text in texts if text.get_text() == "茶" * 20]
    assert len(wide) == len(labels)
    boxes = [(*text.get_position(), 20 * text.get_size() / SCALE, text.get_size() / SCALE) for text in wide]
    assert all(
        abs(x - u) >= width or abs(y - v) >= height for (x, y, width, height), (u, v, *_) in combinations(boxes, 2)
    )
    assert all(width / 2 <= x <= PLAIN.width - width / 2 for x, _, width, _ in boxes)


def test_other_endings_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"map\.html: pictures end in \.svg or \.png"):
        draw(PLAIN, tmp_path / "map.html")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_remedy_is_named() -> None:
    code = "import sys; sys.modules['matplotlib'] = None; import strata.interests.drawing"
    failed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "StrataError: pictures need matplotlib: pip install 'strata[pipeline]'" in failed.stderr
