"""Guesses how times are written: a unit of numbers, or a format that impossible values of the others leave over."""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from strata.data.guess.facts import Facts, share
from strata.data.guess.ledger import Ledger
from strata.data.sources import times

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LEAST_DAYS = 4
Reading = tuple[str, str]
"""("time_unit", "ms") or ("time_format", "%d/%m/%Y")."""


@dataclass(frozen=True)
class Written:
    """`others`: readings that fit as well."""

    reading: Reading
    sure: bool
    why: str
    others: tuple[Reading, ...] = ()


def written(facts: Facts) -> Written | None:
    """How the values are written as times; null where they are none."""
    if facts.native is not None and facts.native.is_temporal():
        return Written(("time_unit", "iso"), True, "the file stores them as times")
    fits = facts.fitting or _past(facts.values)
    if facts.years:
        return Written(("time_unit", "year"), True, "its numbers are years")
    if not fits:
        return None
    if fits[0] in times.UNITS:
        others = tuple(("time_unit", unit) for unit in fits[1:])
        first = facts.values[0]
        return Written(
            ("time_unit", fits[0]), not others, f"{first} would be no time of our days in another unit", others
        )
    parsed = {form: read(facts.values, ("time_format", form)) for form in fits}
    most = max(len(series.drop_nulls()) for series in parsed.values())
    best = [form for form, series in parsed.items() if len(series.drop_nulls()) == most]
    best.sort(key=lambda form: -_density(parsed[form]))  # the likelier one first, though it proves nothing
    different = [form for form in best if not parsed[form].equals(parsed[best[0]])]
    others = tuple(("time_format", form) for form in different)
    told = "every other order of day and month meets impossible values"
    return Written(
        ("time_format", best[0]), not others, told if not others else "no value tells day from month", others
    )


def _past(values: pl.Series) -> list[str]:
    """Formats of days that lie before our time, as those of old films do."""
    texts = values.head(1_000)
    if not len(texts) or not texts.str.contains(r"\d.*\D.*\d|\d{8}").all() or (texts.str.len_chars() > 30).any():
        return []
    found = []
    for form in times.FORMATS:
        years = read(texts, ("time_format", form)).dt.year()
        if share(years.is_between(1850, 2100)) >= 0.95:
            found.append(form)
    return found


def _density(moments: pl.Series) -> float:
    """Share of the days of a span on which something is; 0 where it says nothing."""
    days = moments.drop_nulls().dt.epoch("d").unique().sort()
    if len(days) < _LEAST_DAYS:
        return 0.0
    return len(days) / (int(days[-1]) - int(days[0]) + 1)


def read(values: pl.Series, reading: Reading) -> pl.Series:
    """The texts as times."""
    setting, form = reading
    unit = form if setting == "time_unit" else "iso"
    formats = [form] if setting == "time_format" else []
    column = times.of_text(pl.col("v"), unit, formats)  # type: ignore[arg-type]
    return values.alias("v").to_frame().select(column).to_series()


def settle(ledger: Ledger, table: str, ours: str, facts: Facts) -> None:
    """Note how our time column `ours` of `table` is written."""
    for setting in ("time_unit", "time_format"):
        if (table, setting, ours) in ledger.answers:
            ledger.settle((table, setting, ours), None, "")
            return
        if (table, setting) in ledger.answers:
            ledger.settle((table, setting), None, "")
            return
    found = written(facts)
    if found is None:
        ledger.settle((table, "time_format", ours), None, "no format that is known fits", sure=False)
        return
    setting, form = found.reading
    sure, why = found.sure, found.why
    moments = read(facts.values, found.reading).drop_nulls()
    odd = moments.filter((moments < _EARLIEST) | (moments > datetime.now(UTC)))
    if ours == "timestamp" and len(odd) > 0.05 * len(moments):
        sure, why = False, f"{len(odd) / len(moments):.0%} of them lie before 1990 or in the future"
    if found.reading == ("time_unit", "ns") and len(moments) and str(moments.max()) < "1991":
        sure, why = False, f"{facts.values[0]} may count from the year 1, as .NET does: divide by 10,000,000 first"
    if found.reading == ("time_unit", "iso") and sure:
        return
    ledger.settle((table, setting, ours), form, why, sure=sure, choices=[each for _, each in found.others])
