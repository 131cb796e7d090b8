"""Reads times: ISO dates, numbers of a unit since 1970, Excel's day numbers, or any format that settings name."""

from collections.abc import Sequence
from itertools import product
from typing import Final, Literal, get_args

import polars as pl

from strata.data.schema import TIME

TimeUnit = Literal["s", "ms", "us", "ns", "iso", "year", "excel"]
UNITS: Final[tuple[TimeUnit, ...]] = get_args(TimeUnit)

_PER_SECOND: dict[str, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since 1970 of the years 1 and 9999, the range that calendars and Parquet readers share."""
_ISO = (
    r"^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})"
    r"(?:(?:T|\s+)(?<hour>\d{1,2}):(?<minute>\d{1,2})(?::(?<second>\d{1,2})(?<fraction>[.,]\d{1,9})?)?\s*"
    r"(?:Z|UTC|(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2})?)?)?$"
)
_USUAL = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z?$"
_STAMP = "%Y-%m-%dT%H:%M:%S%.f"
_EXCEL_1970, _EXCEL_LAST = 25_569, 2_958_466
"""Excel's day numbers of 1 January 1970 and of the year 10000."""

_DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
    "%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%d %B, %Y", "%b %d, %Y", "%B %d, %Y", "%m %d, %Y",
    "%Y年%m月%d日", "%d/%b/%Y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ":%H:%M:%S %z")
_WHOLE = (
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%Y%m%d%H%M%S",
    "%Y%m%dT%H%M%S",
)
FORMATS: Final = (*(date + clock for date, clock in product(_DATES, _CLOCKS)), *_WHOLE)
"""Formats that are tried where a person is told, or asked, what a column looks like."""


def of_text(column: pl.Expr, unit: TimeUnit, formats: Sequence[str] = ()) -> pl.Expr:
    """Text as times in UTC by the first of `formats` that fits, else by `unit`; null where none does."""
    if formats:
        return on_the_calendar(pl.coalesce(_of_format(column, each) for each in formats))
    if unit == "iso":
        return _iso(column)
    return of_number(column, unit)


def of_number(column: pl.Expr, unit: TimeUnit) -> pl.Expr:
    """Numbers, or text of numbers, as times; null outside the years 1 to 9999."""
    if unit == "year":
        return _year(column)
    return _excel(column) if unit == "excel" else _since_1970(column, unit)


def on_the_calendar(time: pl.Expr) -> pl.Expr:
    """Null outside the years 1 to 9999."""
    return pl.when(time.dt.epoch("us").is_between(_FIRST, _LAST)).then(time)


def fitting(values: pl.Series, share: float = 0.95) -> list[str]:
    """Every unit, else every format, by which at least `share` of the texts are times from 1980 to 2100.

    Two formats fit where no day is above 12: only a person can tell which is meant.
    """
    texts = values.drop_nulls().alias("text").to_frame()
    if texts.is_empty():
        return []

    def fits(time: pl.Expr) -> bool:
        return float(texts.select(time.dt.year().is_between(1980, 2100).fill_null(value=False).mean()).item()) >= share

    units: list[str] = [unit for unit in UNITS if fits(of_text(pl.col("text"), unit))]
    return units or [each for each in FORMATS if fits(_of_format(pl.col("text"), each))]


def remedy(name: str, values: pl.Series, *, most: bool) -> str:
    """What to set so that `values`, which did not parse as times of our column `name`, do; `most`: as most did not."""
    found = fitting(values)
    if not found and not most:
        return "add it to `missing` if it says that nothing is known"
    if not found:
        return f"set time_format: {{{name}: '%d/%m/%Y %H:%M'}}, for example, for 31/12/2020 23:59"
    setting = "time_unit" if found[0] in UNITS else "time_format"
    said = " or ".join(f"{setting}: {{{name}: {each!r}}}" for each in found[:3])
    return f"set {said}" + (" (more than one fits: you know which is meant)" if len(found) > 1 else "")


def _of_format(column: pl.Expr, form: str) -> pl.Expr:
    time = column.str.to_datetime(form, time_unit="us", strict=False, ambiguous="earliest")
    return time if "%z" in form or "%#z" in form else time.dt.replace_time_zone("UTC")


def _iso(column: pl.Expr) -> pl.Expr:
    """Taken apart only where times are not written as they usually are: that takes about nine times as long."""
    usual = column.str.contains(_USUAL)
    clock = pl.concat_str(column.str.slice(0, 10), pl.lit("T"), column.str.slice(11).str.strip_chars_end("Z"))
    stamp = pl.when(usual).then(clock).str.to_datetime(_STAMP, time_unit="us", strict=False)
    usual_time = on_the_calendar(stamp.dt.replace_time_zone("UTC"))
    return pl.when(usual).then(usual_time).otherwise(_iso_by_parts(pl.when(~usual).then(column)))


def _iso_by_parts(column: pl.Expr) -> pl.Expr:
    parts = column.str.extract_groups(_ISO).struct

    def two(name: str) -> pl.Expr:
        return parts.field(name).fill_null("0").str.zfill(2)

    day = pl.concat_str(parts.field("year"), two("month"), two("day"), separator="-")
    clock = pl.concat_str(two("hour"), two("minute"), two("second"), separator=":")
    fraction = parts.field("fraction").str.replace(",", ".").fill_null("")
    stamp = pl.concat_str(day, pl.lit("T"), clock, fraction)
    local = stamp.str.to_datetime(_STAMP, time_unit="us", strict=False)
    hours = parts.field("hours").cast(pl.Int64).fill_null(0)
    minutes = parts.field("minutes").cast(pl.Int64).fill_null(0)
    sign = pl.when(parts.field("sign") == "-").then(-1).otherwise(1)
    utc = local - sign * pl.duration(hours=hours, minutes=minutes)
    return on_the_calendar(utc.dt.replace_time_zone("UTC"))


def _year(column: pl.Expr) -> pl.Expr:
    value = column.cast(pl.Float64, strict=False)
    whole = value.is_finite() & (value == value.floor()) & value.is_between(1, 9999)
    year = pl.when(whole).then(value).cast(pl.Int64, strict=False).cast(pl.String).str.zfill(4)
    day = (year + "-01-01").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False)
    return day.dt.replace_time_zone("UTC")


def _excel(column: pl.Expr) -> pl.Expr:
    """Days since the end of 1899, to the second: the fraction of a day has no more digits than that."""
    value = column.cast(pl.Float64, strict=False)
    seconds = ((value - _EXCEL_1970) * 86_400).round().cast(pl.Int64, strict=False)
    return pl.when(value.is_between(1, _EXCEL_LAST, closed="left")).then(seconds * 1_000_000).cast(TIME)


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
