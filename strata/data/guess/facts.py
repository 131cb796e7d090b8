"""Facts of a column's values that tell what it may hold: numbers, their range, ids, words, lists, long text."""

import re
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from strata.data.guess.names import synonyms
from strata.data.sources import numerals, times
from strata.data.sources.lists import LISTED
from strata.data.sources.values import ValueSettings, text

LOOKED_AT = 20_000
"""Values of a column, at most, that are looked at, evenly from its whole sample."""
_MISSING = [*ValueSettings().missing, *synonyms()["missing"]]


_COMMA = r"^[^\d.,]{0,4}-?\d{1,3}(\.?\d{3})*,\d{1,2}[^\d.,]{0,4}$"
_GROUPS = (",", ".", "'", "’", " ", "\u00a0", "\u202f")
_TIME = r"^.{0,12}\d.{0,30}\d.?\d.{0,12}$"
"""Text that may be a time: it has some digits, and is not long."""


@dataclass(frozen=True)
class Facts:
    """`values`: texts of the sampled cells that hold something; `rows`: how many cells there are."""

    name: str
    values: pl.Series
    rows: int
    nested: bool = False
    native: pl.DataType | None = None

    @classmethod
    def of(cls, column: pl.Series) -> "Facts":
        """Of a column as a file gives it."""
        if len(column) > LOOKED_AT:
            column = column.gather_every(len(column) // LOOKED_AT)
        if column.dtype.is_nested() or column.dtype == pl.Binary:
            return cls(column.name, pl.Series(column.name, [], pl.String), len(column), True, column.dtype)
        texts = column.to_frame().select(text(pl.col(column.name), column.dtype)).to_series()
        return cls(column.name, texts.filter(~texts.is_in(_MISSING)).drop_nulls(), len(column), False, column.dtype)

    @cached_property
    def distinct(self) -> int:
        """Of the values that are there."""
        return self.values.n_unique()

    @property
    def filled(self) -> float:
        """Share of cells that hold something."""
        return len(self.values) / self.rows if self.rows else 0.0

    @property
    def unique(self) -> bool:
        """Whether nearly no value stands there twice."""
        return bool(len(self.values)) and self.distinct >= 0.98 * len(self.values)

    @cached_property
    def numbers(self) -> pl.Series:
        """The values that are plain numbers."""
        texts = self.values.str.replace_all(".", "", literal=True).str.replace(",", ".") if self.comma else self.values
        if self.thousands not in (None, "."):
            texts = texts.str.replace_all(str(self.thousands), "", literal=True)
        return texts.cast(pl.Float64, strict=False).drop_nulls()

    @cached_property
    def thousands(self) -> str | None:
        """What stands between groups of three digits where nothing speaks against it; null where nothing stands so."""
        if self.native != pl.String:
            return None
        for mark in _GROUPS:
            point = "," if mark == "." else r"\."
            one = rf"^[^\d.,']{{0,4}}-?\d{{1,3}}({point}\d+)?[^\d.,']{{0,4}}$"
            group = re.escape(mark)
            several = rf"^[^\d.,']{{0,4}}-?[1-9]\d{{0,2}}({group}\d{{3}})+({point}\d+)?[^\d.,']{{0,4}}$"
            if self.share(several) > 0.1 and self.share(f"{one}|{several}") > 0.98:
                return mark
        return None

    @cached_property
    def comma(self) -> bool:
        """Whether numbers have a decimal comma."""
        return self.share(_COMMA) > 0.5

    @property
    def clock(self) -> bool:
        """Whether values are times of a day without their day."""
        return self.share(r"^\d{1,2}:\d{2}(:\d{2})?$") > 0.98

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest of the numbers; there must be one."""
        numbers = self.numbers.to_numpy()
        return float(numbers.min()), float(numbers.max())

    def share(self, pattern: str) -> float:
        """Of the values that match a regular expression."""
        return share(self.values.str.contains(pattern))

    @cached_property
    def flag(self) -> bool:
        """Whether values are 0 and 1, or no and yes, both."""
        there = set(self.values.unique().head(3).str.to_lowercase())
        return there in ({"0", "1"}, {"0.0", "1.0"}, {"false", "true"}, {"no", "yes"}, {"n", "y"})

    @property
    def numeric(self) -> bool:
        """Whether nearly all values are plain numbers."""
        return bool(len(self.values)) and len(self.numbers) >= 0.98 * len(self.values)

    @cached_property
    def money(self) -> bool:
        """Whether most values are numbers as people write them, currency signs among them."""
        frame = self.values.alias("v").to_frame()
        if not len(self.values):
            return False
        return (
            self.comma
            or self.thousands is not None
            or bool(frame.select(numerals.of_text(pl.col("v")).is_not_null().mean()).item() > 0.5)
        )

    @property
    def length(self) -> float:
        """Mean number of characters."""
        mean = self.values.str.len_chars().mean()
        return float(mean) if isinstance(mean, int | float) else 0.0

    @property
    def listed(self) -> bool:
        """Whether most values are written as lists."""
        return self.share(LISTED) > 0.5

    @cached_property
    def fitting(self) -> list[str]:
        """Units or formats by which the values are times; none where they are none."""
        if self.native is not None and self.native.is_temporal():
            return ["iso"]
        ends = pl.concat([self.values.head(2_500), self.values.tail(2_500)])
        return times.fitting(ends) if share(ends.str.contains(_TIME)) >= 0.95 else []

    @property
    def years(self) -> bool:
        """Whether nearly all numbers but 0 are years."""
        there = self.numbers.filter(self.numbers != 0)
        if not self.numeric or len(there) < 0.8 * len(self.values):
            return False
        return share((there % 1 == 0) & there.is_between(1000, 2100)) >= 0.97

    @property
    def timed(self) -> bool:
        """Whether values may be times."""
        return self.years or bool(self.fitting)

    @property
    def counted(self) -> bool:
        """Whether values are whole numbers from 0 with a long tail, as numbers of times are."""
        if not self.numeric or not len(self.numbers):
            return False
        low, high = self.range
        return bool((self.numbers % 1 == 0).all()) and low >= 0 and high >= 20

    @property
    def idlike(self) -> bool:
        """Whether values may name something: short, without fractions, and filled."""
        if self.nested or not len(self.values) or self.length > 64:
            return False
        fractions = bool(len(self.numbers)) and bool((self.numbers % 1 != 0).any())
        return not (self.numeric and fractions)

    @property
    def word(self) -> bool:
        """Whether values are a few short words or codes, as behaviours are."""
        few = 0 < self.distinct <= 40 and self.length <= 30
        return few and not self.numeric and self.share(r"^[\p{L}_\- .]+\d?$") > 0.9

    def examples(self, count: int = 5) -> list[str]:
        """Some different values."""
        return [re.sub(r"\s+", " ", value) for value in self.values.unique(maintain_order=True).head(count)]


def share(flags: pl.Series) -> float:
    """Of a column of yes and no, the share of yes; 0 where it is empty, null is no."""
    return float(flags.fill_null(value=False).to_numpy().mean()) if len(flags) else 0.0
