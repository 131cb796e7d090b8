"""Items and recommendations as the commands show them, with titles and reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from strata.cli.rows import Columns, Rows, percent

if TYPE_CHECKING:
    from strata.data.catalogue import Catalogue
    from strata.recommendation.lists import Recommendation


def titled(items: Iterable[str], catalogue: "Catalogue") -> list[dict[str, str]]:
    """Item ids with their titles, for JSON."""
    return [{"item_id": item, "title": catalogue.title_of(item)} for item in items]


def titles(items: Iterable[str], catalogue: "Catalogue") -> str:
    """The titles of item ids for people, each once, separated by semicolons, as titles contain commas."""
    return "; ".join(dict.fromkeys(catalogue.title_of(item) for item in items))


def with_titles(found: Sequence[Any], field: str, catalogue: "Catalogue") -> list[dict[str, Any]]:
    """Dataclasses as dictionaries; item ids in `field` are replaced by id and title."""
    return [{**asdict(each), field: titled(getattr(each, field), catalogue)} for each in found]


def recommended(found: "Sequence[Recommendation]", catalogue: "Catalogue") -> list[dict[str, Any]]:
    """Recommendations for JSON."""
    items = [asdict(item) for item in found]
    for item in items:
        for name in ("inferred", "predicted"):  # most lists have neither
            if item[name] in (None, ()):
                del item[name]
        if item["reason"]:
            item["reason"]["evidence"] = titled(item["reason"]["evidence"], catalogue)
    return items


def draw_recommended(found: "Sequence[Recommendation]", title: str, offset: int = 0) -> RenderableType:
    """Recommendations for people, numbered from offset + 1."""
    cells: list[tuple[str, ...]] = [
        (str(place), item.title, item.item_id, item.reason.text if item.reason else "", _inferred(item), _rating(item))
        for place, item in enumerate(found, offset + 1)
    ]
    columns: Columns = {
        "place": "mark", "item": "name", "id": "id", "because": "text", "inferred": "note", "predicted rating": "note",
    }  # fmt: skip
    usual = 4
    shown = [*range(usual), *(n for n in range(usual, len(columns)) if any(row[n] for row in cells))]
    columns = {name: look for n, (name, look) in enumerate(columns.items()) if n in shown}
    rows = [tuple(row[n] for n in shown) for row in cells]
    nothing = "Nothing to recommend: no item passes the filters or comes after the offset."
    return Rows(title, columns, rows) if rows else nothing


def _inferred(item: "Recommendation") -> str:
    """What a model filled in, such as Lagers (82%)."""
    return ", ".join(f"{each.name} ({percent(each.confidence)})" for each in item.inferred)


def _rating(item: "Recommendation") -> str:
    """The rating to be expected."""
    return "" if item.predicted is None else f"{item.predicted:.1f}"
