"""The command `strata themes`: what the catalogue is about, from themes down to topics, as a table or as a map."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from strata.cli.terminal import clear_errors, console
from strata.errors import UnknownId

if TYPE_CHECKING:
    import polars as pl

    from strata.interests.themes import Themes

RELEASE = Path("artifacts/release")
LOOKS = {"theme": "[bold]{}[/]", "category": "  {}", "topic": "    [dim]{}[/]"}
EXAMPLES = 3
"""Titles shown of each group."""


@clear_errors
def themes(
    level: Annotated[
        Literal["theme", "category", "topic"] | None,
        typer.Option(help="Down to which level: categories, or one below --under, unless said."),
    ] = None,
    under: Annotated[str | None, typer.Option(help="Only this group and what lies in it, such as theme-4.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw a map into this .svg or .png file.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose interests to draw on the map.")] = None,
    release: Annotated[Path, typer.Option("--release", help="Release folder.", show_default=True)] = RELEASE,
) -> None:
    """Show the catalogue's themes, categories and topics; ids and names last from release to release."""
    from strata.data.catalogue import Catalogue
    from strata.interests.themes import Themes
    from strata.release.manifest import verify

    verify(release)
    found = Themes.read(release / "themes")
    if picture:
        _draw(release, found, picture, user)
        return
    catalogue = Catalogue.read(release / "tables" / "items.parquet")
    table = Table("id", "name", "items", "such as", box=None)
    table.columns[2].justify = "right"
    for row in _tree(found, level, under):
        titles = list(dict.fromkeys(catalogue.titles[item] for item in row["typical"]))[:EXAMPLES]
        name = LOOKS[row["level"]].format(escape(row["name"]))
        table.add_row(row["id"], name, f"{row['items']:,}", escape(", ".join(titles)))
    console.print(table)


def _tree(themes: "Themes", level: str | None, under: str | None) -> Iterator[dict[str, Any]]:
    """Rows of groups, each before those in it, large ones first. Raises UnknownId."""
    from strata.data.schema import LEVELS

    tops = themes.at("theme") if under is None else themes.groups.filter(id=under)
    if tops.is_empty():
        raise UnknownId(f"group '{under}' is not in this release; `strata themes --level topic` lists all ids")
    above = LEVELS.index(tops["level"][0])
    last = LEVELS.index(level) if level else 1 if under is None else max(above - 1, 0)

    def walk(groups: "pl.DataFrame", depth: int) -> Iterator[dict[str, Any]]:
        for row in groups.sort("items", "id", descending=[True, False]).iter_rows(named=True):
            yield row
            if depth > last:
                inside = themes.at(LEVELS[depth - 1]).filter(parent=row["group"])
                yield from walk(inside, depth - 1)

    return walk(tops, above)


def _draw(release: Path, themes: "Themes", picture: Path, user: str | None) -> None:
    """Draw the map of a release. Raises UnknownId for a user without interest points."""
    import polars as pl

    from strata.data.schema import USER
    from strata.interests.drawing import ENDINGS, draw
    from strata.interests.pictures import ThemeMap

    if picture.suffix not in ENDINGS:
        raise typer.BadParameter(f"'{picture}': end it in {' or '.join(ENDINGS)}")
    points = None
    if user is not None:
        profiles = pl.scan_parquet(release / "profiles" / "profiles.parquet").filter(pl.col(USER) == user)
        points = profiles.select("topic", "name", "tier", "share").collect()
        if points.is_empty():
            raise UnknownId(f"user '{user}' has no interest points in this release; `strata user` shows one that has")
    layout = pl.read_parquet(release / "themes" / "map.parquet")
    draw(ThemeMap.of(layout, themes, points, f"user {user}"), picture)
    console.print(f"{escape(str(picture))}: a map of {themes.at('topic').height:,} topics")
