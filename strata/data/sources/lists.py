"""Reads lists written into one cell: JSON, a Python literal, words in brackets, objects of which a key counts."""

import ast
import csv
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import polars as pl

LISTS = pl.List(pl.String)
LISTED = r"(?s)^[\[{(].*[\]})]$"
OBJECTS = r"(?s)^\[\s*\{|^\{.*:\s*\{"
"""Text of a list, or of objects in it, as far as its ends tell."""

_BARE = re.compile(r"[\[{]([^\[\]{}:]*)[\]}]")
"""Words in brackets as databases and printed lists have them: {Drama,"Science Fiction"}, [Drama, War]."""
_UNPARTED = re.compile(r"""(['"])\s+(?=['"])""")
"""Between the words of a printed numpy array, which Python would join."""


def split(value: str, separator: str | None, key: str | None) -> list[str]:
    """The entries of one cell; text that is no list is split at `separator`."""
    content = literal(value)
    if content is not None:
        return list(flat(content, key))
    words = bare(value)
    if words is not None and (separator is None or separator not in words):
        return [word for word in (each.strip(" '\"") for each in _comma_separated(words)) if word]
    pieces = [value] if separator is None else (value if words is None else words).split(separator)
    return [piece.strip() for piece in pieces if piece.strip()]


def bare(value: str) -> str | None:
    """What stands between the brackets of a list of bare words, else None."""
    found = _BARE.fullmatch(value)
    return found[1] if found else None


def _comma_separated(words: str) -> list[str]:
    return next(csv.reader([words.replace("\n", " ")], skipinitialspace=True, escapechar="\\"), [])


def prose(value: str) -> str:
    """A list of texts joined by blanks; any other text as it is."""
    content = literal(value) if value.startswith("[") else None
    return value if content is None else " ".join(flat(content, None))


def literal(value: str) -> Any:
    """The list or object that a text writes as JSON or as Python does, else None."""
    if not re.match(LISTED, value):
        return None
    try:
        content = json.loads(value)
    except (ValueError, RecursionError):
        content = _python(value)
    if isinstance(content, set | tuple):
        return sorted(content, key=str) if isinstance(content, set) else list(content)
    return content if isinstance(content, list | dict) else None


def flat(content: Any, key: str | None) -> Iterator[str]:
    """Texts in lists of any depth; of an object the value at `key`, without a key the names it maps to numbers."""
    if isinstance(content, list | tuple):
        for part in content:
            yield from flat(part, key)
    elif isinstance(content, dict):
        if key in content:
            yield from flat(content[key], key)
        elif key is not None:
            yield from flat([part for part in content.values() if isinstance(part, dict | list)], key)
        elif not any(isinstance(part, dict | list | str) for part in content.values()):
            yield from flat(list(content), None)
    elif content is not None and str(content).strip():
        yield str(content).strip()


def unkeyed(column: pl.Expr) -> pl.Expr:
    """Whether text holds objects of which a key must be named before they are entries."""
    holds = column.str.contains(OBJECTS) | (column.str.starts_with("{") & column.str.contains(r""":\s*['"]"""))
    return holds.fill_null(value=False)


def unread(column: pl.Expr) -> pl.Expr:
    """Whether text begins and ends as a list does and is none."""
    listed = pl.when(column.str.contains(LISTED)).then(column)
    unread_ = listed.map_elements(lambda value: literal(value) is None and bare(value) is None, pl.Boolean)
    return unread_.fill_null(value=False)


def _python(value: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in their texts
        try:
            return ast.literal_eval(_UNPARTED.sub(r"\1, ", value))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
