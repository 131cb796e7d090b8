"""A profile's levels as `strata user` shows them: interests by tier, with evidence and reasons."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import RenderableType
from rich.text import Text

from strata.cli.items import titled, titles
from strata.cli.rows import Rows, percent, tier
from strata.cli.terminal import sentence

if TYPE_CHECKING:
    import polars as pl

    from strata.data.catalogue import Catalogue
    from strata.interests.levels import Levels

MOST_CATEGORIES, MOST_DISLIKES = 6, 6
"""Most shown to people, the strongest first; JSON has all."""
INSIDE: Final = ("user_row", "user_id", "point", "medoid", "topics", "topic", "category", "theme")
"""Columns of a profile table left out: internal numbers, or the same in all rows."""


def levels_content(levels: "Levels", catalogue: "Catalogue") -> dict[str, Any]:
    """Levels for JSON, with the names that the service uses."""
    return {
        "stated": dict(levels.stated),
        "categories": levels.categories.to_dicts(),
        "preferences": levels.preferences.to_dicts(),
        "interests": _points(levels.points, catalogue),
        "dislikes": _points(levels.dislikes, catalogue),
    }


def draw_levels(
    levels: "Levels", catalogue: "Catalogue", whose: str, *, timed: bool = True
) -> Iterator[RenderableType]:
    """Levels for people; `whose`: such as "user 279"; `timed`: whether the data have times, which tiers come from."""
    if not levels.points.height:
        yield sentence(f"No interest points of {whose}.")
    if levels.stated:
        yield sentence(("Says: ", "bold"), ", ".join(f"{name} {said}" for name, said in levels.stated.items()))
    if levels.categories.height:
        shown = levels.categories.head(MOST_CATEGORIES).iter_rows(named=True)
        yield sentence(("Moves in: ", "bold"), ", ".join(f"{row['name']} {percent(row['share'])}" for row in shown))
    if levels.preferences.height:
        yield Text()
        yield _preferences(levels.preferences, whose, timed=timed)
    if levels.points.height:
        yield Text()
        yield _interests(levels.points, catalogue, whose, timed=timed)
    if levels.dislikes.height:
        yield Text()
        yield _dislikes(levels.dislikes, catalogue, whose)


def _points(table: "pl.DataFrame", catalogue: "Catalogue") -> list[dict[str, Any]]:
    kept = [name for name in table.columns if name not in INSIDE]
    return [{**row, "evidence": titled(row["evidence"], catalogue)} for row in table.select(kept).to_dicts()]


def _preferences(preferences: "pl.DataFrame", whose: str, *, timed: bool) -> Rows:
    rows = [
        (tier(row["tier"], timed=timed), percent(row["share"]), row["name"], row["id"], "; ".join(row["points"]),
         row["because"])
        for row in preferences.iter_rows(named=True)
    ]  # fmt: skip
    return Rows(
        f"Preferences of {whose}, themes of several interests, by share",
        {"tier": "group", "share": "mark", "preference": "name", "theme": "id", "behind": "note", "because": "text"},
        rows,
    )


def _interests(points: "pl.DataFrame", catalogue: "Catalogue", whose: str, *, timed: bool) -> Rows:
    return Rows(
        f"Interests of {whose}, by {'tier and ' if timed else ''}share",
        {"tier": "group", "share": "mark", "interest": "name", "topic": "id", "read from": "note", "because": "text"},
        [(tier(row["tier"], timed=timed), *_cells(row, catalogue)) for row in points.iter_rows(named=True)],
    )


def _dislikes(dislikes: "pl.DataFrame", catalogue: "Catalogue", whose: str) -> Rows:
    more = dislikes.height - MOST_DISLIKES
    return Rows(
        f"Dislikes of {whose}, by share",
        {"share": "mark", "dislike": "name", "topic": "id", "read from": "note", "because": "text"},
        [_cells(row, catalogue) for row in dislikes.head(MOST_DISLIKES).iter_rows(named=True)],
        f"and {more} weaker ones" if more > 0 else "",
    )


def _cells(row: dict[str, Any], catalogue: "Catalogue") -> tuple[str, ...]:
    return percent(row["share"]), row["name"], row["topic_id"], titles(row["evidence"], catalogue), row["because"]
