"""The map of the catalogue's topics as a picture, with somebody's interests on it."""

import polars as pl

from strata.interests.phrases import shorten
from strata.interests.pictures import GROUPS, Disc, Mark, Picture, Text, tier_key
from strata.interests.theme_map import HEIGHT, WIDTH, Place, place_labels
from strata.interests.themes import Themes

FOOT = 26.0
"""Height of the line below the map."""
VIVID, PALE = 0.72, 0.2
"""Opacity of bubbles, without and with interests on them."""
POINT_SIZE, PALE_SIZE = 11.0, 12.0
"""Height of the letters of interests, and of themes where interests are shown."""
LONGEST = 36
"""Letters of an interest's name that are shown."""
LEAST_RADIUS = 5.0
"""Of an interest's disc: topics can be smaller."""


def draw_map(layout: pl.DataFrame, themes: Themes, points: pl.DataFrame | None = None, whose: str = "") -> Picture:
    """Draw what `theme_map` laid out: topics as bubbles in their theme's colour, with the names that fit.

    `points` (topic, name, tier, share), one row per interest point of somebody, are drawn on their topics in their
    tier's colour, with their names where there is room, over paler bubbles.
    """
    labels = layout.filter(pl.col("level") != "topic").select("level", "x", "y", "size", "label").rows()
    foot = HEIGHT + FOOT / 2
    if points is None:
        topics = themes.at("topic")
        told = f"{topics.height:,} topics of {topics['items'].sum():,} items. The larger a bubble, the more items"
        marks: list[Mark] = [
            *_bubbles(layout, themes, VIVID),
            *(Text(x, y, size, text, bold=level == "theme") for level, x, y, size, text in labels),
            Text(12, foot, 10, told, "muted", "left"),
        ]
        return Picture("Themes of the catalogue", WIDTH, HEIGHT + FOOT, marks)
    upper = [(text, (x, y)) for level, x, y, _, text in labels if level == "theme"]
    marks = [*_bubbles(layout, themes, PALE), *_interests(layout, points, upper), *tier_key(12, foot)]
    return Picture(f"Interests of {whose}", WIDTH, HEIGHT + FOOT, marks)


def _bubbles(layout: pl.DataFrame, themes: Themes, opacity: float) -> list[Disc]:
    places = layout.filter(pl.col("level") == "topic").sort("group").select("x", "y", "size").rows()
    topics = themes.at("topic").select("name", "items").rows()
    categories = [themes.names("category")[group] for group in themes.above("topic", "category")]
    of_topic = themes.above("topic", "theme").tolist()
    bubbles = []
    for (x, y, radius), (name, items), category, theme in zip(places, topics, categories, of_topic, strict=True):
        told = f"{name}: {items:,} items\n{category}, in {themes.names('theme')[theme]}"
        bubbles.append(Disc(x, y, radius, GROUPS[theme % len(GROUPS)], told, opacity))
    return bubbles


def _interests(layout: pl.DataFrame, points: pl.DataFrame, themes: list[tuple[str, Place]]) -> list[Mark]:
    """Discs of interests with their names, and the names of themes where these leave room."""
    topics = layout.filter(pl.col("level") == "topic").select("x", "y", "size", topic="group")
    rows = points.sort("share", descending=True).join(topics, on="topic", maintain_order="left").to_dicts()
    discs, labels = [], []
    for row in rows:
        told = f"{row['name']}: {row['tier']}, {row['share']:.0%}"
        disc = Disc(row["x"], row["y"], max(row["size"], LEAST_RADIUS), row["tier"], told, ring="page")
        discs.append(disc)
        below = disc.y + disc.radius + 0.8 * POINT_SIZE
        labels.append((shorten(row["name"], LONGEST), (disc.x, below), POINT_SIZE))
    labels += [(text, place, PALE_SIZE) for text, place in themes]
    taken = [(disc.x - disc.radius, disc.y - disc.radius, disc.x + disc.radius, disc.y + disc.radius) for disc in discs]
    places = place_labels(labels, taken, reach=8)
    shown: list[Mark] = [*discs]
    for number, ((text, _, size), place) in enumerate(zip(labels, places, strict=True)):
        own = number < len(rows)
        if place is not None:
            shown.append(Text(place[0], place[1], size, text, "ink" if own else "muted", bold=own))
    return shown
