"""Data of the pictures, ready for JSON: a user's interests over time, and the map of topics."""

from datetime import timedelta
from typing import Self

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from strata.data.schema import TIERS, Tier
from strata.interests.theme_map import HEIGHT, WIDTH
from strata.interests.themes import Themes

MOST_LANES = 30
"""Interests shown over time."""


class Shown(BaseModel):
    """Base of the picture data; `model_dump(mode="json")` writes it for JSON, `model_validate` reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lane(Shown):
    """An interest over time: its tier and strength in each step, None and 0 where it was absent.

    `key` is the stable id of its main topic; strength is the weight of its events, halved with their age.
    """

    key: str
    name: str
    tiers: list[Tier | None]
    strengths: list[float]


class SwimLanes(Shown):
    """A user's interests over time, in steps: each ends at one of `times` and begins where the previous one ended."""

    title: str
    start: AwareDatetime
    times: list[AwareDatetime]
    lanes: list[Lane]
    weaker: int
    """Interests beside those shown."""

    @classmethod
    def of(cls, timeline: pl.DataFrame, whose: str) -> Self:
        """Show a timeline (time, key, name, tier, strength): one row per interest at each time it was looked at.

        Shows the strongest MOST_LANES interests, sorted by the tier each was in for most steps, core first, then by its
        first step. Raises ValueError for a timeline without rows.
        """
        if timeline.is_empty():
            raise ValueError(f"{whose} has no interests over time to draw")
        times = timeline["time"].unique().sort().to_list()
        steps = {time: step for step, time in enumerate(times)}
        lanes = [_lane(rows, steps) for _, rows in timeline.sort("key", "time").group_by("key", maintain_order=True)]
        lanes.sort(key=lambda lane: -sum(lane.strengths))
        shown = sorted(lanes[:MOST_LANES], key=_standing)
        start = times[0] - (times[1] - times[0] if len(times) > 1 else timedelta(days=1))
        rest = max(len(lanes) - MOST_LANES, 0)
        return cls(title=f"Interests of {whose} over time", start=start, times=times, lanes=shown, weaker=rest)


class Label(Shown):
    """The name of a theme or category; `text` is as much of it as the map shows, in lines around (x, y)."""

    id: str
    name: str
    text: str
    x: float
    y: float


class Topic(Shown):
    """A topic's bubble, whose area grows with its items; `theme` is an id, `category` a name."""

    id: str
    name: str
    category: str
    theme: str
    items: int
    x: float
    y: float
    radius: float


class Point(Shown):
    """A user's interest, on the bubble of its main topic; `share`: of the user's total strength."""

    topic: str
    name: str
    tier: Tier
    share: float


class ThemeMap(Shown):
    """The catalogue's topics on a page of `width` × `height`, y downwards, optionally with a user's `points`.

    All themes are labelled, and those categories whose label fits.
    """

    title: str
    width: float = WIDTH
    height: float = HEIGHT
    themes: list[Label]
    categories: list[Label]
    topics: list[Topic]
    points: list[Point]

    @classmethod
    def of(cls, layout: pl.DataFrame, themes: Themes, points: pl.DataFrame | None = None, whose: str = "") -> Self:
        """Show what `theme_map` laid out and, strongest first, a user's points (topic, name, tier, share)."""
        ids, names = themes.at("topic")["id"], themes.at("topic").select("id", "name", "items").to_dicts()
        categories, upper = themes.names("category"), themes.at("theme")["id"].to_list()
        places = layout.filter(pl.col("level") == "topic").sort("group").select("x", "y", radius="size").to_dicts()
        above = zip(themes.above("topic", "category"), themes.above("topic", "theme"), strict=True)
        topics = [
            Topic(**name, **place, category=categories[category], theme=upper[theme])
            for name, place, (category, theme) in zip(names, places, above, strict=True)
        ]
        own = [] if points is None else points.sort("share", descending=True, maintain_order=True).to_dicts()
        return cls(
            title="Themes of the catalogue" if points is None else f"Interests of {whose}",
            themes=_labels(layout, themes, "theme"),
            categories=_labels(layout, themes, "category"),
            topics=topics,
            points=[Point(topic=ids[p["topic"]], name=p["name"], tier=p["tier"], share=p["share"]) for p in own],
        )


def _lane(rows: pl.DataFrame, steps: dict[object, int]) -> Lane:
    tiers: list[Tier | None] = [None] * len(steps)
    strengths = [0.0] * len(steps)
    for time, tier, strength in rows.select("time", "tier", "strength").iter_rows():
        tiers[steps[time]], strengths[steps[time]] = tier, strength
    return Lane(key=rows["key"][0], name=rows["name"][0], tiers=tiers, strengths=strengths)


def _standing(lane: Lane) -> tuple[int, int]:
    """Sort key of a lane: its longest tier, of equally long ones the higher, then its first step."""
    longest = max(range(len(TIERS)), key=lambda rank: (lane.tiers.count(TIERS[rank]), rank))  # type: ignore[arg-type]
    return -longest, next(step for step, tier in enumerate(lane.tiers) if tier)


def _labels(layout: pl.DataFrame, themes: Themes, level: str) -> list[Label]:
    """Labels of a level in the order in which they were placed."""
    rows = layout.filter(pl.col("level") == level).select("group", "x", "y", text="label")
    names = themes.at(level).select("group", "id", "name")
    named = rows.join(names, on="group", maintain_order="left").drop("group")
    return [Label(**row) for row in named.to_dicts()]
