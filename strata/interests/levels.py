"""A profile's three levels, narrow to broad: content points, preferences (themes of several points), categories."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.data.schema import ATTRIBUTES, CATEGORIES, LEVELS, PROFILE_TEXT, TIERS, TIME
from strata.interests.naming import parts_of, told_apart
from strata.interests.points import InterestPoints
from strata.interests.profiles import Profiles
from strata.interests.query_users import QueryUser
from strata.interests.settings import TierSettings
from strata.interests.statistics import PointStatistics, measure
from strata.interests.themes import Themes
from strata.interests.tiers import assign, reasons

STATED: Final = ("occupation", "region", "location")
"""User attributes that are shown; age and gender are not, as they do not tell what somebody wants."""
LEAST_POINTS = 2
"""Fewest points that make a theme a preference; with one it would only repeat the point."""
PREFERENCE_COLUMNS: Final = (
    "id", "name", "phrases", "tier", "because", "strength", "share", "persistence", "periods", "of_periods", "absent",
    "recency", "span", "recent", "quiet", "events", "items", "first_seen", "last_seen", "points", "topic_ids",
)  # fmt: skip


@dataclass(frozen=True)
class Levels:
    """The levels of one person; all tables have the strongest first.

    `categories` (name, share, items, learned): share of the person's strength in items of the category; an item of
    several counts in each. `learned`: the items have no category of their own, so their learned one is used.
    `preferences` (PREFERENCE_COLUMNS): lasting themes, with the same numbers as points; `points`: names of the content
    points in the theme, `topic_ids`: ids of their main topics.
    `points`, `dislikes`: rows of the profile table, with topic_id and topic_ids (of all its topics) added.
    `stated`: what the person says of themselves, by name of the attribute.
    """

    categories: pl.DataFrame
    preferences: pl.DataFrame
    points: pl.DataFrame
    dislikes: pl.DataFrame
    stated: Mapping[str, str] = field(default_factory=dict)


def levels_of(
    person: QueryUser,
    time: float,
    catalogue: Catalogue,
    themes: Themes,
    settings: TierSettings,
    stated: Mapping[str, str],
) -> Levels:
    """The levels of a person at `time` (seconds, later than all of their events)."""
    liked = person.history.of_users(person.row, person.row + 1).positive()
    points = identified(_rows(person.profiles, person.row), themes)
    against = person.profiles.dislikes
    return Levels(
        _categories(liked, time, catalogue, themes, settings),
        _preferences(liked, points, time, catalogue, themes, settings),
        points,
        points.clear() if against is None else identified(_rows(against, person.row), themes),
        stated,
    )


def stated_by(account: Mapping[str, Any]) -> dict[str, str]:
    """What a row of the users table says of interests: the STATED attributes, then the profile text."""
    attributes = {pair["key"]: pair["value"] for pair in account[ATTRIBUTES] or []}
    said = {name: attributes.get(name) for name in STATED} | {PROFILE_TEXT: account[PROFILE_TEXT]}
    return {name: str(value) for name, value in said.items() if value}


def identified(table: pl.DataFrame, themes: Themes) -> pl.DataFrame:
    """Rows of a profile table with the stable ids of their main topic and of all their topics."""
    ids = themes.at(LEVELS[0])["id"].to_list()
    topics = table["topics"] if "topics" in table.columns else [[topic] for topic in table["topic"]]
    return table.with_columns(
        topic_id=pl.Series([ids[topic] for topic in table["topic"]], dtype=pl.String),
        topic_ids=pl.Series([[ids[topic] for topic in found] for found in topics], dtype=pl.List(pl.String)),
    )


def _rows(profiles: Profiles, user_row: int) -> pl.DataFrame:
    return profiles.table[profiles.of(user_row)]


def _categories(
    liked: History, time: float, catalogue: Catalogue, themes: Themes, settings: TierSettings
) -> pl.DataFrame:
    """Share of the person's strength by the catalogue's categories, or by learned ones for items without any."""
    items, of_event = np.unique(liked.items, return_inverse=True)
    learned = themes.names(LEVELS[1])
    table = pl.DataFrame(
        {
            "fresh": _measure(liked, of_event, time, settings).fresh,
            "own": catalogue.items[items][CATEGORIES].list.drop_nulls().list.unique(),
            "else": pl.Series([[learned[group]] for group in themes.of_item[items, 1]], dtype=pl.List(pl.String)),
        }
    ).with_columns(learned=pl.col("own").list.len().fill_null(0) == 0)
    return (
        table.with_columns(
            name=pl.when("learned").then("else").otherwise("own"),
            share=pl.col("fresh") / pl.col("fresh").sum().clip(1e-12),
        )
        .explode("name")
        .group_by("name", "learned")
        .agg(pl.col("share").sum().round(6), items=pl.len().cast(pl.Int64))
        .select("name", "share", "items", "learned")
        .sort("share", "name", descending=[True, False])
    )


def _preferences(
    liked: History, points: pl.DataFrame, time: float, catalogue: Catalogue, themes: Themes, settings: TierSettings
) -> pl.DataFrame:
    """Themes with several points that are stable or core as a whole, by the rules for points."""
    groups, of_event = np.unique(themes.of_item[liked.items, 2], return_inverse=True)
    statistics = _measure(liked, of_event, time, settings)
    lasting = pl.DataFrame(
        {
            **vars(statistics),
            "theme": groups.astype(np.int32),
            "place": assign(statistics, settings),
        }
    ).with_columns(share=pl.col("fresh") / pl.col("fresh").sum().clip(1e-12))
    below = points.group_by("theme", maintain_order=True).agg(points="name", topic_ids="topic_id", n=pl.len())
    table = (
        lasting.filter(pl.col("place") > 0)
        .join(below.filter(pl.col("n") >= LEAST_POINTS), on="theme")
        .join(themes.at(LEVELS[2]).select("id", "name", "phrases", "typical", theme="group"), on="theme")
        .sort("place", "fresh", "theme", descending=[True, True, False])
        .with_columns(
            pl.col("strength", "share", "persistence", "recency", "span").round(6),
            pl.col("quiet").round(2),
            (pl.col("first_seen", "last_seen") * 1e6).cast(pl.Int64).cast(TIME),
            tier=pl.col("place").replace_strict(dict(enumerate(TIERS)), return_dtype=pl.String),
            stated=False,
        )
    )
    examples = [map(catalogue.titles.__getitem__, typical) for typical in table["typical"].to_list()]
    used = set(points["name"])
    names = [parts_of(name)[0] if name in used else name for name in table["name"]]
    names = told_apart(names, examples, used)
    table = table.with_columns(pl.Series("name", names, dtype=pl.String))
    return table.with_columns(reasons(settings)).select(PREFERENCE_COLUMNS)


def _measure(history: History, of_event: np.ndarray, time: float, settings: TierSettings) -> PointStatistics:
    """Statistics of any groups of a single user's events; `of_event` (n,): group of each event, from 0."""
    n = int(of_event.max(initial=-1)) + 1
    nothing = np.zeros(0, np.int32)
    groups = InterestPoints(np.zeros(n, np.int32), np.zeros((n, 0)), nothing, of_event, nothing, nothing)
    return measure(history, groups, time, settings)
