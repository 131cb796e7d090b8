"""What files call our columns: names compared as words, against lists that stand in synonyms.yaml."""

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_PACKAGE = files("strata.data.guess")


@cache
def synonyms() -> dict[str, Any]:
    """The content of synonyms.yaml."""
    content: dict[str, Any] = yaml.safe_load(_PACKAGE.joinpath("synonyms.yaml").read_text(encoding="utf-8"))
    return content


@cache
def layouts() -> list[dict[str, Any]]:
    """The content of layouts.yaml: public files without a header."""
    content: list[dict[str, Any]] = yaml.safe_load(_PACKAGE.joinpath("layouts.yaml").read_text(encoding="utf-8"))
    return content


def words(name: str) -> str:
    """A name as words in small letters: userId, User-ID and user_id:token are "user id"."""
    name = re.sub(r":(token|float|token_seq|float_seq)$", "", name.strip())
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", name.lower()))


@cache
def rank(table: str, ours: str, name: str) -> float | None:
    """How well the file's column `name` names our column `ours` of `table`: 0 is best, 100 and more only maybe."""
    entry = synonyms()[table].get(ours, {})
    for start, key in ((0, "names"), (100, "maybe")):
        for place, pattern in enumerate(entry.get(key, ())):
            if re.fullmatch(_filled(pattern), words(name)):
                return start + place
    return None


def known(name: str) -> bool:
    """Whether any table has a column that files call so, which tells a header from data."""
    named = [(table, ours) for table in ("interactions", "items", "users") for ours in synonyms()[table]]
    return any(rank(table, ours, name) is not None for table, ours in named)


def says(pattern: str, name: str) -> bool:
    """Whether a whole name, as words, matches."""
    return re.fullmatch(_filled(pattern), words(name)) is not None


def file_says(table: str, name: str) -> bool:
    """Whether the name of a file holds a word for `table`."""
    return re.search(rf"(?<![a-z])({synonyms()['files'][table]})(?![a-z])", name.lower()) is not None


def form_of(records: list[list[str]]) -> str | None:
    """The public file without a header whose form all cells of some records have."""
    for layout in layouts():
        cells = [re.compile(cell) for cell in layout["cells"]]
        rows = [record for record in records if len(record) == len(cells)]
        fit = sum(all(c.fullmatch(cell.strip()) for c, cell in zip(cells, row, strict=True)) for row in rows)
        first = (
            rows and rows[0] is records[0] and all(c.fullmatch(t.strip()) for c, t in zip(cells, rows[0], strict=True))
        )
        if first and fit >= 0.98 * len(records):
            return str(layout["name"])
    return None


def _filled(pattern: str) -> str:
    for key, value in synonyms()["parts"].items():
        pattern = pattern.replace(f"{{{key}}}", value)
    return pattern
