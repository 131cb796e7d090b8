"""The command `strata themes`: the catalogue's themes, categories and topics as a table or a map."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from strata.cli.rows import Columns, Rows
from strata.cli.terminal import Answer, draws, sentence
from strata.errors import UnknownId
from strata.release.layout import Part

if TYPE_CHECKING:
    import polars as pl

    from strata.data.catalogue import Catalogue
    from strata.interests.themes import Themes

RELEASE = Path("artifacts/release")
LOOKS = {"theme": ("", "bold"), "category": ("  ", ""), "topic": ("    ", "dim")}
"""Indentation and style of each level."""
EXAMPLES = 3
"""Titles shown of each group."""


@draws
def themes(
    level: Annotated[
        Literal["theme", "category", "topic"] | None,
        typer.Option(help="Down to which level: categories, or one below --under, unless said."),
    ] = None,
    under: Annotated[str | None, typer.Option(help="Only this group and what lies in it, such as theme-4.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw a map into this .svg or .png file.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose interests to draw on the map.")] = None,
    release: Annotated[Path, typer.Option("--release", help="Release folder.", show_default=True)] = RELEASE,
) -> Answer:
    """Show the catalogue's themes, categories and topics; ids and names last from release to release."""
    from strata.data.catalogue import Catalogue
    from strata.interests.themes import Themes
    from strata.release.manifest import verify

    release_id = verify(release).id
    found = Themes.read(release / Part.THEMES)
    if picture:
        _draw(release, found, picture, user)
        topics = found.at("topic").height
        content = {"release": release_id, "picture": picture, "topics": topics}
        return Answer(content, [sentence(f"{picture}: a map of {topics:,} topics")])
    catalogue = Catalogue.read(release / Part.ITEMS)
    groups = [_group(row, found, catalogue) for row in _tree(found, level, under)]
    return Answer({"release": release_id, "groups": groups}, [_rows(groups)])


def _group(row: dict[str, Any], themes: "Themes", catalogue: "Catalogue") -> dict[str, Any]:
    """One group for JSON; `such_as` holds a few of its items, each title once."""
    from strata.data.schema import LEVELS

    above = LEVELS[LEVELS.index(row["level"]) + 1 :][:1]
    parent = themes.at(above[0])["id"][row["parent"]] if above else None
    examples: dict[str, str] = {}
    for item in row["typical"]:
        examples.setdefault(catalogue.titles[item], str(catalogue.ids[item]))
    such_as = [{"item_id": item_id, "title": title} for title, item_id in examples.items()]
    told = {name: row[name] for name in ("id", "level", "name", "phrases", "items")}
    return {**told, "parent": parent, "such_as": such_as[:EXAMPLES]}


def _rows(groups: list[dict[str, Any]]) -> Rows:
    rows = []
    for group in groups:
        indent, style = LOOKS[group["level"]]
        such_as = "; ".join(item["title"] for item in group["such_as"])
        rows.append((group["id"], f"{group['items']:,}", Text(indent + group["name"], style), such_as))
    columns: Columns = {"id": "id", "items": "mark", "name": "name", "such as": "note"}
    return Rows("Themes of the catalogue, with their number of items", columns, rows)


def _tree(themes: "Themes", level: str | None, under: str | None) -> Iterator[dict[str, Any]]:
    """Groups in tree order, each before its children, large ones first. Raises UnknownId."""
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
        profiles = pl.scan_parquet(release / Part.PROFILES / "profiles.parquet").filter(pl.col(USER) == user)
        points = profiles.select("topic", "name", "tier", "share").collect()
        if points.is_empty():
            raise UnknownId(f"user '{user}' has no interest points in this release; `strata user` shows one that has")
    layout = pl.read_parquet(release / Part.THEMES / "map.parquet")
    draw(ThemeMap.of(layout, themes, points, f"user {user}"), picture)
