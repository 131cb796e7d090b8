"""Draws pictures with matplotlib as SVG or PNG: no display needed, the same data gives the same bytes."""

import warnings
from functools import lru_cache
from itertools import cycle, groupby, zip_longest
from pathlib import Path
from typing import Any, Final

from strata.data.schema import TIERS
from strata.errors import StrataError
from strata.interests.phrases import shorten
from strata.interests.pictures import Label, Lane, SwimLanes, ThemeMap
from strata.interests.theme_map import LONGEST, WIDE, Box, box_of, place_labels
from strata.interests.theme_map import WIDTH as MAP_WIDTH
from strata.storage import replacing

try:
    from matplotlib import color_sequences, style
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, get_font_names
    from matplotlib.patches import Patch
    from matplotlib.textpath import text_to_path
except ModuleNotFoundError as error:
    raise StrataError(f"pictures need {error.name}: pip install 'strata[pipeline]'") from None

ENDINGS: Final = (".svg", ".png")
DOTS = 180
"""Dots per inch of PNG files."""
WIDTH, PAD, HEAD, FOOT = 600.0, 12.0, 46.0, 32.0
"""Points (1/72 inch): width of a picture, free space at its sides, heights of the lines above and of the key below."""
BIG, SMALL = 15.0, 12.0
"""Letter heights in points: on a phone 375 pixels wide, 12 points are 7.5 pixels."""
DATES, LANE, LOWEST, HIGHEST = 22.0, 34.0, 5.0, 12.0
"""Heights of the date line, of a lane, and of its lowest and highest bars."""
SCALE = (WIDTH - 2 * PAD) / MAP_WIDTH
"""Points per unit of the map."""
LEAST_RADIUS = 8.0
"""Least radius of an interest's mark, in units of the map; topic bubbles can be smaller."""
INK, MUTED, FAINT = "#1f2430", "#5b6475", "#dde1e8"
GROUPS: Final = (*color_sequences["tab20"][::2], *color_sequences["tab20"][1::2])
"""Colours of themes, taken in turn; the full colours come before their lighter shades."""
KEY: Final = tuple(reversed(TIERS))
LOOKS: Final[dict[str, dict[str, Any]]] = {
    "core": {"facecolor": "#c2208f", "edgecolor": "#c2208f"},
    "stable": {"facecolor": "#c9eaf2", "edgecolor": "#08789a", "hatch": "/////"},
    "momentary": {"facecolor": "#fff6dc", "edgecolor": "#a86f00"},
}
"""Tiers differ in fill and hatching, and on the map in shape, so that they can be told apart without colour."""
SHAPES: Final = {"core": "s", "stable": "o", "momentary": "^"}
CJK: Final = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "PingFang SC")
STYLE: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans", *(font for font in CJK if font in get_font_names()), "sans-serif"],
    "font.sans-serif": ["DejaVu Sans"], "font.size": SMALL, "text.color": INK, "text.parse_math": False,
    "text.hinting": "none", "svg.fonttype": "none", "svg.hashsalt": "strata", "hatch.linewidth": 1.2,
    "date.converter": "concise", "legend.frameon": False, "legend.loc": "lower left",
}  # fmt: skip
"""Later fonts supply letters that earlier ones lack. SVG text stays text, and $ does not start a formula."""


@style.context(["default", STYLE])
def draw(picture: SwimLanes | ThemeMap, path: Path) -> None:
    """Draw into a .svg file (text stays text) or a .png file. Raises ValueError for another ending."""
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path}: pictures end in {' or '.join(ENDINGS)}")
    metadata = {"Title": picture.title, "Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None}
    with warnings.catch_warnings(), replacing(path) as temporary:
        if path.suffix == ".svg":  # the viewer's fonts supply missing glyphs
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure_of(picture).savefig(temporary, format=path.suffix[1:], dpi=DOTS, metadata=metadata)


@style.context(["default", STYLE])
def figure_of(picture: SwimLanes | ThemeMap) -> Figure:
    """The picture as a matplotlib figure."""
    return _swim_lanes(picture) if isinstance(picture, SwimLanes) else _theme_map(picture)


def _page(title: str, note: str, height: float) -> tuple[Figure, Axes]:
    """A page with two text lines, bare axes `height` points high, and room for a key below."""
    whole = HEAD + height + FOOT
    figure = Figure((WIDTH / 72, whole / 72), dpi=72)
    for text, size, weight, top in ((title, BIG, "bold", 15), (note, SMALL, "normal", 35)):
        text = _fitted(text, size)
        figure.text(PAD / WIDTH, 1 - top / whole, text, size=size, weight=weight, va="center_baseline")
    axes = figure.add_axes((PAD / WIDTH, FOOT / whole, 1 - 2 * PAD / WIDTH, height / whole))
    axes.spines[:].set_visible(False)
    return figure, axes


def _swim_lanes(picture: SwimLanes) -> Figure:
    note = f"{picture.start:%Y-%m-%d} to {picture.times[-1]:%Y-%m-%d}; the higher a bar, the stronger"
    note += f"; and {picture.weaker} weaker interests" if picture.weaker else ""
    height = DATES + len(picture.lanes) * LANE
    figure, axes = _page(picture.title, note, height)
    axes.set_ylim(height, 0)
    edges = [picture.start, *picture.times]
    strongest = max(max(lane.strengths) for lane in picture.lanes) or 1.0
    for place, lane in enumerate(picture.lanes):
        _lane(axes, DATES + (place + 1) * LANE - 2, lane, edges, strongest)
    axes.margins(x=0.05)
    first, last = axes.dataLim.intervalx
    axes.set_xticks([tick for tick in axes.get_xticks() if first <= tick <= last])  # labels of others would be cut off
    axes.yaxis.set_visible(False)
    axes.xaxis.get_offset_text().set_visible(False)  # the dates are in the note above
    axes.tick_params(axis="x", length=0, labeltop=True, labelbottom=False, labelcolor=MUTED, pad=-16)
    axes.grid(axis="x", color=FAINT)
    axes.set_axisbelow(True)
    figure.legend([Patch(**LOOKS[tier]) for tier in KEY], KEY, ncols=len(KEY))
    return figure


def _lane(axes: Axes, ground: float, lane: Lane, edges: Any, strongest: float) -> None:
    """Draw a lane: its name, and below it a bar for each stay in a tier; height shows strength."""
    axes.axhline(ground, color=FAINT, linewidth=1, zorder=1)
    name, x = _fitted(lane.name, SMALL), axes.get_yaxis_transform()
    axes.text(0, ground - LANE * 0.65, name, transform=x, va="center_baseline")
    for tier, run in groupby(range(len(lane.tiers)), key=lane.tiers.__getitem__):
        if tier is not None:
            steps = list(run)
            shares = [lane.strengths[step] / strongest for step in (*steps, steps[-1])]
            tops = [ground - LOWEST - (HIGHEST - LOWEST) * share for share in shares]
            axes.fill_between(edges[steps[0] : steps[-1] + 2], ground, tops, step="post", zorder=2, **LOOKS[tier])


def _theme_map(picture: ThemeMap) -> Figure:
    topics, owned = picture.topics, bool(picture.points)
    note = f"{len(topics):,} topics of {sum(topic.items for topic in topics):,} items: the larger a bubble, the more"
    figure, axes = _page(picture.title, note, picture.height * SCALE)
    axes.set(xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.set_axis_off()
    colours = dict(zip((theme.id for theme in picture.themes), cycle(GROUPS)))
    axes.scatter(
        [topic.x for topic in topics], [topic.y for topic in topics], [_area(topic.radius) for topic in topics],
        [colours[topic.theme] for topic in topics], alpha=0.2 if owned else 0.55, linewidths=0, clip_on=False,
    )  # fmt: skip
    if owned:
        taken = _points(axes, picture)
        _names(axes, picture.themes, taken, 8, color=MUTED)
        marks = [axes.scatter([], [], 110, marker=SHAPES[tier], **LOOKS[tier]) for tier in KEY]
        figure.legend(marks, KEY, ncols=len(KEY))
    else:
        taken = _names(axes, picture.themes, [], 12, size=BIG, weight="bold")
        _names(axes, picture.categories, taken, 2)
    return figure


def _points(axes: Axes, picture: ThemeMap) -> list[Box]:
    """Draw marks of interests with their names below, or above near the bottom edge; returns all taken boxes."""
    places = {topic.id: (topic.x, topic.y, max(topic.radius, LEAST_RADIUS)) for topic in picture.topics}
    taken, labels, middles = [], [], []
    for point in picture.points:
        x, y, radius = places[point.topic]
        axes.scatter(x, y, _area(radius), marker=SHAPES[point.tier], clip_on=False, zorder=4, **LOOKS[point.tier])
        taken.append((x - radius, y - radius, x + radius, y + radius))
        text = "\n".join(shorten(line, LONGEST) for line in point.name.split(" · "))
        away = radius + (half := box_of(text, (0, 0), SMALL / SCALE)[3])
        beside = y + away if y + away + half <= picture.height else y - away
        labels.append(Label(id=point.topic, name=point.name, text=text, x=x, y=beside))
        middles.append((x, y))
    return _names(axes, labels, taken, 12, middles, weight="bold")


def _names(
    axes: Axes, labels: list[Label], taken: list[Box], reach: int, marks: Any = (), size: float = SMALL, **look: Any
) -> list[Box]:
    """Write labels where there is room within `reach` half lines; a label that had to move gets a line to its mark.

    Returns all boxes now taken.
    """
    taken, height = [*taken], size / SCALE
    wanted = [(label.text, (label.x, label.y), height) for label in labels]
    places = place_labels(wanted, taken, reach=reach, width=_width)
    for (text, middle, _), place, mark in zip_longest(wanted, places, marks):
        if place is not None:
            taken.append(box_of(text, place, height, _width))
            line: Any = {"arrowstyle": "-", "color": INK, "shrinkB": 0} if mark and place != middle else None
            look |= {"size": size, "ha": "center", "va": "center", "linespacing": 1.1}
            axes.annotate(text, mark or place, place, arrowprops=line, **look)
    return taken


def _area(radius: float) -> float:
    """Size for `scatter` of a mark with this radius in units of the map."""
    return (2 * radius * SCALE) ** 2


@lru_cache(maxsize=10_000)
def _width(line: str) -> float:
    """Width of a bold line of letters 1 high, plus a margin; letters that fonts here may lack count as wide."""
    font = FontProperties(weight="bold", size=100)
    width, _, _ = text_to_path.get_text_width_height_descent(WIDE.sub("W", line), font, ismath=False)
    return width / 100 + 0.3


def _fitted(text: str, size: float) -> str:
    """The text, shortened to fit in one line of the page."""
    lengths = range(len(text), 0, -1)
    return next((cut for n in lengths if _width(cut := shorten(text, n)) * size <= WIDTH - 2 * PAD), "")
