"""Parses raw values into the types of the schema: what does not parse becomes null, never an error."""

import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal, Self, cast

import polars as pl
from pydantic import model_validator

from strata.data.schema import ATTRIBUTE_MAP, DESCRIPTION, PROFILE_TEXT, TEXT, TIME, TITLE
from strata.data.sources import lists, numerals, times
from strata.data.sources.lists import LISTS
from strata.data.sources.times import TimeUnit
from strata.settings import Settings

PROSE: Final = (TITLE, DESCRIPTION, TEXT, PROFILE_TEXT)
"""Columns whose text may come as a list of its parts."""


class ValueSettings(Settings):
    """How values are written in a file."""

    time_unit: TimeUnit | dict[str, TimeUnit] = "iso"
    """Of time columns that the file holds as text or numbers: one for all, or our column → its unit."""
    time_format: str | list[str] | dict[str, str | list[str]] = []
    """Instead of a unit, as strptime has it ("%d/%m/%Y %H:%M"); of several the first that fits."""
    decimal: Literal[".", ","] = "."
    """What stands before the fraction of a number."""
    thousands: str | None = None
    """What stands between groups of digits; left out: only where it can be nothing else, as in 1,234.50."""
    missing: list[str] = ["NULL", "\\N", "nan", "NaN", "None", "null", "NA"]
    """Words that mean nothing is there, where a cell holds nothing else."""
    separator: str | dict[str, str] | None = None
    """Splits categories and tags given as one text: one for both, or our column → its own; left out: one text is one
    entry, a JSON array several."""
    list_key: str | None = None
    """Of lists of objects: the key whose value is the entry."""
    number_ids: bool = False
    """Whether ids are whole numbers: 007, 7.0 and '7' are then the same as 7."""

    @model_validator(mode="after")
    def _written(self) -> Self:
        if "" in (self.separator, *(self.separator.values() if isinstance(self.separator, dict) else ())):
            raise ValueError("separator is empty; give a character, or leave it out")
        if self.thousands is not None and (len(self.thousands) != 1 or self.thousands == self.decimal):
            raise ValueError("thousands is one character, and not that of decimal")
        if bad := sorted(form for forms in self._formats().values() for form in forms if "%" not in form):
            raise ValueError(f"time_format {bad[0]!r} has no part such as %Y; write it as strptime does")
        return self

    def dividing(self, name: str) -> str | None:
        """What divides the entries of our column `name`."""
        return self.separator.get(name) if isinstance(self.separator, dict) else self.separator

    def unit(self, name: str) -> TimeUnit:
        """Of our column `name`."""
        return self.time_unit.get(name, "iso") if isinstance(self.time_unit, dict) else self.time_unit

    def formats(self, name: str) -> list[str]:
        """Of our column `name`; none: its unit says how times are written."""
        found = self._formats()
        return found.get(name, found.get("", []))

    def _formats(self) -> dict[str, list[str]]:
        given = self.time_format if isinstance(self.time_format, dict) else {"": self.time_format}
        return {name: [each] if isinstance(each, str) else each for name, each in given.items()}


class WrongType(Exception):
    """A column's type cannot hold what is wanted; the message says what the column holds."""


def parse(name: str, column: pl.Expr, given: pl.DataType, wanted: pl.DataType, written: ValueSettings) -> pl.Expr:
    """`column`, of type `given`, as our column `name` of type `wanted`, one that strata/data/schema.py uses.

    Raises WrongType when no value of that type could be parsed at all.
    """
    if wanted == pl.String:
        return prose(column, given) if name in PROSE else text(column, given)
    if wanted == pl.Float64:
        return number(column, given, written.decimal, written.thousands)
    if wanted == TIME:
        return time(column, given, written.unit(name), written.formats(name))
    if wanted == LISTS:
        return string_list(column, given, written.dividing(name), written.list_key)
    return attributes(column, given)


def text(column: pl.Expr, given: pl.DataType) -> pl.Expr:
    """Text without surrounding white space, null when empty; whole floats (ids with gaps) lose their '.0'.

    A spreadsheet's formula of a text, ="0044", is that text.
    """
    if given.is_nested():
        raise WrongType(f"holds {given}, not text")
    if given == pl.Binary:
        column = column.map_elements(lambda value: value.decode("utf-8", "replace"), pl.String)
    elif given.is_float():
        column = column.fill_nan(None)
        whole = column.is_finite() & (column == column.floor()) & (column.abs() < 2**53)
        integer = column.cast(pl.Int64, strict=False).cast(pl.String)
        column = pl.when(whole).then(integer).otherwise(column.cast(pl.String))
    stripped = column.cast(pl.String).str.strip_chars()
    if given == pl.String:
        inner = stripped.str.strip_prefix('="').str.strip_suffix('"').str.strip_chars()
        stripped = pl.when(is_formula(stripped)).then(inner).otherwise(stripped)
    return pl.when(stripped != "").then(stripped)


def is_formula(text: pl.Expr) -> pl.Expr:
    """Whether text is a formula of a text, as spreadsheets write one that is to stay as it is: ="0044"."""
    return text.str.starts_with('="') & text.str.ends_with('"') & (text != '="')


def prose(column: pl.Expr, given: pl.DataType) -> pl.Expr:
    """Text, or the texts of a list joined by blanks; null when empty."""
    if isinstance(given, pl.List | pl.Array):
        return text(string_list(column, given, None).list.join(" "), pl.String())
    plain = text(column, given)
    if given.is_numeric():
        return plain
    listed = plain.str.contains(r"(?s)^\[.*\]$")
    joined = pl.when(listed).then(plain).map_elements(lists.prose, pl.String)
    return text(pl.when(listed).then(joined).otherwise(plain), pl.String())


def whole_id(column: pl.Expr) -> pl.Expr:
    """Ids of digits without leading zeros, '.0' and quotation marks; others as they are."""
    digits = column.str.extract(r"""^['"]?0*(\d+?)(?:\.0+)?['"]?$""")
    return digits.fill_null(column)


def number(column: pl.Expr, given: pl.DataType, decimal: str = ".", thousands: str | None = None) -> pl.Expr:
    """A Float64, NaN and infinities as given; null where text is not a number."""
    if given.is_nested() or given.is_temporal() or given == pl.Binary:
        raise WrongType(f"holds {given}, not numbers")
    if given in (pl.Categorical, pl.Enum, pl.String):
        return numerals.of_text(text(column, given), decimal, thousands)
    return column.cast(pl.Float64, strict=False)


def time(column: pl.Expr, given: pl.DataType, unit: TimeUnit, formats: Sequence[str] = ()) -> pl.Expr:
    """A time in UTC; times without a zone are read as UTC."""
    if isinstance(given, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if given.time_zone else column.dt.replace_time_zone("UTC")
        return times.on_the_calendar(utc.cast(TIME))
    if given == pl.Date:
        return times.on_the_calendar(column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    if given.is_nested() or given.is_temporal() or given in (pl.Boolean, pl.Binary):
        raise WrongType(f"holds {given}, not times")
    if given.is_numeric() and not formats:
        if unit == "iso":
            raise WrongType(f"holds {given}; set `time_unit` to s, ms, us, ns, year or excel")
        return times.of_number(column, unit)
    return times.of_text(text(column, given), unit, formats)


def moment(name: str, column: pl.Expr, given: pl.DataType, written: ValueSettings) -> pl.Expr:
    """A number that grows with the time or number in `column`; null where it holds neither."""
    if given.is_numeric():
        return column.cast(pl.Float64)
    if given.is_temporal():
        return column.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64)
    said = text(column, given)
    at = times.of_text(said, written.unit(name), written.formats(name)).dt.epoch("us").cast(pl.Float64)
    return pl.coalesce(at, said.cast(pl.Float64, strict=False))


def string_list(column: pl.Expr, given: pl.DataType, separator: str | None, key: str | None = None) -> pl.Expr:
    """A list of strings without empty ones, never null; text is a list as JSON or Python, or split at `separator`.

    Of objects in a list the value at `key` is the entry.
    """
    if isinstance(given, pl.List | pl.Array):
        if isinstance(given, pl.Array):
            column = column.cast(pl.List(given.inner))
        inner = cast(pl.DataType, given.inner)
        element = pl.element()
        if key is not None and isinstance(inner, pl.Struct) and key in pl.Schema(inner):
            inner, element = pl.Schema(inner)[key], element.struct.field(key)
        try:
            element = text(element, inner)
        except WrongType:
            named = "; set `list_key` to one of their keys" if isinstance(inner, pl.Struct) else ""
            raise WrongType(f"holds {given}, not lists of text{named}") from None
        found = column.list.eval(element).list.drop_nulls()
    else:
        found = text(column, given).map_elements(lambda value: lists.split(value, separator, key), LISTS)
    return found.fill_null([]).cast(LISTS)


def attributes(column: pl.Expr, given: pl.DataType) -> pl.Expr:
    """Key and value pairs from a list of them, a struct, or text that is a JSON object; never null."""
    if isinstance(given, pl.Struct):
        fields = {f.name: (column.struct.field(f.name), cast(pl.DataType, f.dtype)) for f in given.fields}
        return pairs(fields)
    if given == ATTRIBUTE_MAP:
        return column.list.drop_nulls().list.sort().fill_null([])
    return text(column, given).map_elements(_pairs_of_json, ATTRIBUTE_MAP).fill_null([]).cast(ATTRIBUTE_MAP)


def pairs(columns: Mapping[str, tuple[pl.Expr, pl.DataType]]) -> pl.Expr:
    """One attribute for each named column that has a value, keys sorted; never null."""
    if not columns:
        return pl.lit([], ATTRIBUTE_MAP)
    texts = {name: text(*columns[name]) for name in sorted(columns)}
    each = [pl.struct(pl.lit(name).alias("key"), value.alias("value")) for name, value in texts.items()]
    given = pl.element().filter(pl.element().struct.field("value").is_not_null())
    return pl.concat_list(each).list.eval(given).cast(ATTRIBUTE_MAP)


def printable(name: str, given: pl.DataType) -> pl.Expr:
    """A column in a form that JSON holds; NaN and times as text."""
    if given.is_integer() or given.is_nested() or given in (pl.String, pl.Boolean):
        return pl.col(name)
    return pl.col(name).cast(pl.String) if given.is_float() else text(pl.col(name), given).alias(name)


def _pairs_of_json(value: str) -> list[dict[str, str]]:
    try:
        content = json.loads(value)
    except (ValueError, RecursionError):
        content = value
    if not isinstance(content, dict):
        content = {"value": value}
    known = {key: part for key, part in content.items() if part is not None and part != ""}
    return [
        {"key": key, "value": part if isinstance(part, str) else json.dumps(part, ensure_ascii=False)}
        for key, part in sorted(known.items())
    ]
