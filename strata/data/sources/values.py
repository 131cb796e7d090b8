"""Parses raw values into the types of the schema: what does not parse becomes null, never an error."""

import json
from collections.abc import Mapping
from typing import Literal, cast

import polars as pl

from strata.data.schema import ATTRIBUTE_MAP, TIME

TimeUnit = Literal["s", "ms", "us", "ns", "iso", "year"]
LISTS = pl.List(pl.String)

_PER_SECOND: dict[str, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since 1970 of the years 1 and 9999, the range that calendars and Parquet readers share."""
_ISO = (
    r"^(?<date>\d{4}-\d{2}-\d{2})(?:[T ](?<time>\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*"
    r"(?:Z|UTC|(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2})?)?)?$"
)


class WrongType(Exception):
    """A column's type cannot hold what is wanted; the message says what the column holds."""


def parse(column: pl.Expr, given: pl.DataType, wanted: pl.DataType, unit: TimeUnit, separator: str | None) -> pl.Expr:
    """`column`, of type `given`, as `wanted`: one of the types that strata/data/schema.py uses.

    Raises WrongType when no value of that type could be parsed at all.
    """
    if wanted == pl.String:
        return text(column, given)
    if wanted == pl.Float64:
        return number(column, given)
    if wanted == TIME:
        return time(column, given, unit)
    return string_list(column, given, separator) if wanted == LISTS else attributes(column, given)


def text(column: pl.Expr, given: pl.DataType) -> pl.Expr:
    """Text without surrounding white space, null when empty; whole floats (ids with gaps) lose their '.0'."""
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
    return pl.when(stripped != "").then(stripped)


def number(column: pl.Expr, given: pl.DataType) -> pl.Expr:
    """A Float64, NaN and infinities as given; null where text is not a number."""
    if given.is_nested() or given.is_temporal() or given == pl.Binary:
        raise WrongType(f"holds {given}, not numbers")
    if given in (pl.Categorical, pl.Enum, pl.String):
        column = text(column, given)
    return column.cast(pl.Float64, strict=False)


def time(column: pl.Expr, given: pl.DataType, unit: TimeUnit) -> pl.Expr:
    """A time in UTC; times without a zone are read as UTC."""
    if isinstance(given, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if given.time_zone else column.dt.replace_time_zone("UTC")
        return _on_the_calendar(utc.cast(TIME))
    if given == pl.Date:
        return _on_the_calendar(column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
    if given.is_nested() or given.is_temporal() or given in (pl.Boolean, pl.Binary):
        raise WrongType(f"holds {given}, not times")
    if unit == "iso":
        if given.is_numeric():
            raise WrongType(f"holds {given}; set `time_unit` to s, ms, us, ns or year")
        return _iso(text(column, given))
    if given in (pl.Categorical, pl.Enum, pl.String):
        column = text(column, given)
    return _year(column) if unit == "year" else _since_1970(column, unit)


def string_list(column: pl.Expr, given: pl.DataType, separator: str | None) -> pl.Expr:
    """A list of strings without empty ones, never null; text is a JSON array or is split at `separator`."""
    if isinstance(given, pl.List | pl.Array):
        if isinstance(given, pl.Array):
            column = column.cast(pl.List(given.inner))
        try:
            element = text(pl.element(), cast(pl.DataType, given.inner))
        except WrongType:
            raise WrongType(f"holds {given}, not lists of text") from None
        lists = column.list.eval(element).list.drop_nulls()
    else:
        lists = text(column, given).map_elements(lambda value: _split(value, separator), LISTS)
    return lists.fill_null([]).cast(LISTS)


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


def _iso(column: pl.Expr) -> pl.Expr:
    parts = column.str.extract_groups(_ISO)
    clock = parts.struct.field("time").str.replace(",", ".")
    clock = pl.when(clock.str.len_bytes() == 5).then(clock + ":00").otherwise(clock).fill_null("00:00:00")
    stamp = parts.struct.field("date") + "T" + clock
    local = stamp.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    hours = parts.struct.field("hours").cast(pl.Int64).fill_null(0)
    minutes = parts.struct.field("minutes").cast(pl.Int64).fill_null(0)
    sign = pl.when(parts.struct.field("sign") == "-").then(-1).otherwise(1)
    utc = local - sign * pl.duration(hours=hours, minutes=minutes)
    return _on_the_calendar(utc.dt.replace_time_zone("UTC"))


def _on_the_calendar(time: pl.Expr) -> pl.Expr:
    return pl.when(time.dt.epoch("us").is_between(_FIRST, _LAST)).then(time)


def _year(column: pl.Expr) -> pl.Expr:
    value = column.cast(pl.Float64, strict=False)
    whole = value.is_finite() & (value == value.floor()) & value.is_between(1, 9999)
    year = pl.when(whole).then(value).cast(pl.Int64, strict=False).cast(pl.String).str.zfill(4)
    day = (year + "-01-01").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False)
    return day.dt.replace_time_zone("UTC")


def _since_1970(column: pl.Expr, unit: str) -> pl.Expr:
    """Whole numbers exactly, others rounded to a microsecond; null outside the years 1 to 9999."""
    factor = 1e6 / _PER_SECOND[unit]
    value = column.cast(pl.Float64, strict=False)
    whole = column.cast(pl.Int64, strict=False)
    exact = whole // 1000 if unit == "ns" else whole * int(factor)
    near = (value * factor).round().cast(pl.Int64, strict=False)
    fits = value.is_finite() & (value * factor).is_between(_FIRST, _LAST)
    fraction = value != value.floor()
    return pl.when(fits).then(pl.when(fraction).then(near).otherwise(pl.coalesce(exact, near))).cast(TIME)


def _split(value: str, separator: str | None) -> list[str]:
    if value.startswith("[") and value.endswith("]"):
        try:
            parts = json.loads(value)
        except (ValueError, RecursionError):
            parts = None
        if isinstance(parts, list):
            return [str(part).strip() for part in parts if part is not None and str(part).strip()]
    pieces = [value] if separator is None else value.split(separator)
    return [piece.strip() for piece in pieces if piece.strip()]


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
