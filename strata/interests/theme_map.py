"""Two-dimensional map of topics: similar topics lie close, themes stay together, labels do not overlap."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
from scipy.spatial import KDTree
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from strata.interests.naming import JOINED, parts_of
from strata.interests.phrases import shorten
from strata.interests.themes import Themes

WIDTH, HEIGHT = 1_000.0, 640.0
"""Size of the map, in the units of all coordinates."""
MARGIN, GAP = 12.0, 1.0
"""Free space at the edges and between bubbles."""
FILLED = 0.3
"""Share of the map that bubbles cover."""
ISLANDS = 0.2
"""How far topic centres are moved towards their category and their theme before the layout."""
STEPS = 300
"""Steps, at most, in which bubbles are pushed apart."""
SIZES = {"theme": 17.0, "category": 10.0}
"""Height of the letters of labels."""
LETTER, LINE = 0.66, 1.2
"""Width of a letter and height of a line where letters are 1 high, in the wider of common bold fonts."""
WIDE = re.compile(r"[\u2e80-\uffef]")
"""Letters as wide as one and a half of others, such as Chinese ones."""
LONGEST = 24
"""Letters of a line of a label; longer lines are shortened."""

MAP = pl.Schema(
    {"level": pl.String(), "group": pl.Int32(), "x": pl.Float64(), "y": pl.Float64(), "size": pl.Float64(),
     "label": pl.String()}
)  # fmt: skip
Row = tuple[str, int, float, float, float, str]
Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def theme_map(themes: Themes, seed: int = 7) -> pl.DataFrame:
    """Lay out topics by t-SNE (van der Maaten and Hinton 2008) of their centres, then push bubbles and labels apart.

    One row per topic, per theme, and per category whose label fits: level, group, x, y (downwards), size, label. For
    topics, (x, y) and size are the middle and radius of the bubble, whose area grows with their items; for the others,
    the middle and letter height of the label. The same themes give the same map.
    """
    items = themes.at("topic")["items"].to_numpy()
    radii = np.sqrt(items / items.sum() * FILLED * WIDTH * HEIGHT / np.pi)
    places = _push_apart(_framed(_embed(_islands(themes), seed)), radii)
    bubbles = zip(range(len(items)), places.tolist(), radii.tolist(), strict=True)
    rows = [("topic", topic, x, y, radius, "") for topic, (x, y), radius in bubbles]
    boxes: list[Box] = []
    for level in SIZES:
        labels = _labels(themes, level, places, boxes)
        boxes += [box_of(label, (x, y), size) for _, _, x, y, size, label in labels]
        rows += labels
    return pl.DataFrame(rows, schema=MAP, orient="row").with_columns(pl.col("x", "y", "size").round(2))


def estimated_width(line: str) -> float:
    """Estimated width of a line of letters 1 high, whatever the font."""
    return (len(line) + len(WIDE.findall(line)) / 2) * LETTER


def box_of(text: str, middle: Place, size: float, width: Callable[[str], float] = estimated_width) -> Box:
    """The box that a text of one or more lines covers."""
    lines = text.split("\n")
    half_width, half_height = max(map(width, lines)) * size / 2, len(lines) * size * LINE / 2
    return middle[0] - half_width, middle[1] - half_height, middle[0] + half_width, middle[1] + half_height


def place_labels(
    labels: Sequence[tuple[str, Place, float]],
    taken: Sequence[Box],
    *,
    reach: int,
    width: Callable[[str], float] = estimated_width,
) -> list[Place | None]:
    """The middle of each label (text, wanted middle, size), without overlap with earlier labels or boxes `taken`.

    None where there is no room within `reach` half lines. `width` measures a line of letters 1 high.
    """
    boxes = list(taken)
    places: list[Place | None] = []
    for text, wanted, size in labels:
        spots = ((spot, box_of(text, spot, size, width)) for spot in _spots(wanted, size / 2, reach))
        place = next((spot for spot, box in spots if _inside(box) and not any(_overlap(box, b) for b in boxes)), None)
        if place is not None:
            boxes.append(box_of(text, place, size, width))
        places.append(place)
    return places


def _labels(themes: Themes, level: str, places: np.ndarray, taken: list[Box]) -> list[Row]:
    """Map rows for the labels of a level, largest groups first; theme labels may be placed far off, others not."""
    groups, size = themes.at(level), SIZES[level]
    reach = 80 if level == "theme" else 3
    texts = _theme_texts(themes) if level == "theme" else _category_texts(themes)
    middles = _middles(themes, level, places)
    order = np.argsort(-groups["items"].to_numpy(), kind="stable").tolist()
    found = place_labels([(texts[group], middles[group], size) for group in order], taken, reach=reach)
    shown = [(group, place) for group, place in zip(order, found, strict=True) if place is not None]
    return [(level, group, place[0], place[1], size, texts[group]) for group, place in shown]


def _theme_texts(themes: Themes) -> list[str]:
    """For each theme the phrases of its name, a line each, or all of them and the example that tells it apart."""
    texts = []
    for name in themes.names("theme"):
        base, example = parts_of(name)
        lines = [base, f"such as {example}"] if example else base.split(JOINED)[:2]
        texts.append("\n".join(shorten(line, LONGEST) for line in lines if line))
    return texts


def _category_texts(themes: Themes) -> list[str]:
    """For each category, the first phrase of its name that is not in the name of its theme, else its example."""
    texts = []
    for name, theme in zip(themes.names("category"), themes.above("category", "theme"), strict=True):
        said = parts_of(themes.names("theme")[theme])[0].casefold().split(JOINED)
        base, example = parts_of(name)
        phrases = base.split(JOINED)
        text = next((phrase for phrase in phrases if phrase and phrase.casefold() not in said), example or phrases[0])
        texts.append(shorten(text[0].upper() + text[1:], LONGEST))
    return texts


def _middles(themes: Themes, level: str, places: np.ndarray) -> list[Place]:
    """Position (x, y) of each group's medoid topic: least summed distance to its topics, weighted by items."""
    of_topic, items = themes.above("topic", level), themes.at("topic")["items"].to_numpy()
    middles = []
    for group in range(themes.at(level).height):
        own = np.flatnonzero(of_topic == group)
        apart = np.linalg.norm(places[own][:, None] - places[own], axis=2) @ items[own]
        x, y = places[own[apart.argmin()]]
        middles.append((float(x), float(y)))
    return middles


def _islands(themes: Themes) -> np.ndarray:
    """Centres of topics (n, d), moved towards those of their category and their theme."""
    centres = themes.centres("topic")
    for level in ("category", "theme"):
        centres = centres + ISLANDS * (themes.centres(level)[themes.above("topic", level)] - centres)
    return centres


def _embed(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Embed vectors (n, d) in two dimensions (n, 2)."""
    n = len(vectors)
    if n < 5:  # too few to have neighbourhoods
        return np.column_stack([np.arange(n), np.zeros(n)])
    embedding = TSNE(init="pca", metric="cosine", perplexity=min(30, (n - 1) / 3), max_iter=500, random_state=seed)
    with threadpool_limits(1):  # threaded sums differ from run to run, and t-SNE amplifies it
        return np.asarray(embedding.fit_transform(vectors), float)


def _framed(places: np.ndarray) -> np.ndarray:
    """Rotate places so that they are widest from left to right, and scale them to the map."""
    centred = places - places.mean(0)
    axes = np.linalg.svd(centred.T @ centred)[2]
    turned = centred @ axes.T
    turned *= np.sign(turned[np.abs(turned).argmax(0), [0, 1]] + 1e-12)
    low, span = turned.min(0), np.ptp(turned, axis=0)
    shares = np.where(span > 0, (turned - low) / np.maximum(span, 1e-12), 0.5)
    return np.asarray(MARGIN + shares * (np.array([WIDTH, HEIGHT]) - 2 * MARGIN))


def _push_apart(places: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Move places (n, 2) until bubbles neither overlap nor leave the map."""
    places, frame = places.copy(), np.array([WIDTH, HEIGHT])
    edge = np.minimum(radii[:, None] + GAP, frame / 2)
    for _ in range(STEPS):
        places = np.clip(places, edge, frame - edge)
        a, b = KDTree(places).query_pairs(2 * (radii.max() + GAP), output_type="ndarray").T
        towards = places[b] - places[a]
        towards[(towards == 0).all(1)] = (1e-3, 1e-3)
        distance = np.linalg.norm(towards, axis=1)
        overlap = radii[a] + radii[b] + GAP - distance
        if not len(a) or overlap.max() < GAP / 2:
            break
        step = (np.maximum(overlap, 0) / distance / 2)[:, None] * towards
        np.subtract.at(places, a, step)
        np.add.at(places, b, step)
    return np.asarray(np.clip(places, edge, frame - edge))


def _spots(wanted: Place, step: float, reach: int) -> Iterator[Place]:
    """The place wanted, then rings of places around it."""
    yield wanted
    for ring in range(1, reach + 1):
        for angle in np.arange(8) * np.pi / 4 + np.pi / 2:
            yield wanted[0] + 2 * ring * step * float(np.cos(angle)), wanted[1] + ring * step * float(np.sin(angle))


def _inside(box: Box) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= WIDTH and box[3] <= HEIGHT


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
