"""What does not parse or was changed on the way from a file's values to ours: marked in rows, told as findings."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from strata.data.schema import ITEM, USER
from strata.data.sources import lists, times
from strata.data.sources.columns import Given
from strata.data.sources.files import RawFile
from strata.data.sources.finding import Finding
from strata.data.sources.lists import LISTS
from strata.data.sources.mapping import TableSettings
from strata.data.sources.values import PROSE, text

UNPARSED = 0.5
"""Share of values that do not parse above which the settings, not the values, are wrong."""
_EXAMPLES = 1_000
_TWICE = r"Ã[\u0080-\u00bf]|â€[\u0090-\u00bf™œšž˜]"
"""Letters and quotation marks whose two or three bytes became as many characters."""
_SHORTENED = r"^\d(\.\d{1,5})?E\+\d{2}$"
"""A number as Excel shows and exports it in a narrow column: 1.57784E+12."""
Judge = Callable[[int, int], bool]
"""Whether a run must stop, by the count of marks and of values that are there."""


@dataclass(frozen=True)
class Mark:
    """`value`: the cell's text where `what` holds of it, else null."""

    name: str
    column: str
    what: str
    value: pl.Expr
    remedy: str | Callable[..., str] | None
    """What mends it; or a function of examples, and of whether `most` values are so, that says it."""
    refuses: bool = False
    """Whether the row cannot be used."""
    stops: Judge = lambda count, of: False


@dataclass
class Seen:
    """Counts over all rows of a table: how many there are, how many have a column's value, how many a mark holds of."""

    rows: int = 0
    there: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pl.DataFrame, marked: Mapping[str, Mark]) -> None:
        """Count more rows: our columns, and a Boolean column for each mark."""
        self.rows += rows.height
        self.there.update({mark.name: rows[mark.name].count() for mark in marked.values() if mark.name in rows.columns})
        self.marked.update({column: int(rows[column].sum()) for column in marked})


def marks(name: str, given: Given, parsed: pl.Expr, settings: TableSettings) -> list[Mark]:
    """What may be wrong with the values given for our column `name`; `parsed`: what became of them."""
    dtype = settings.table.get(name, pl.String())
    found = []
    if given.words is not None:
        said = "set `missing` to the words that mean so, [] for none"
        what = f"{name} is a word for missing: nothing is there"
        found.append(Mark(name, given.called, what, given.words, said))
    if given.formulas is not None:
        what = f"{name} is a formula of its text, as spreadsheets export it: the text is read"
        found.append(Mark(name, given.called, what, given.formulas, None))
    if given.odd is not None:
        what = f"{name}: a flag is neither 0 nor 1"
        found.append(Mark(name, given.called, what, given.odd, "leave its column out of `flags`", stops=_any))
    if given.dtype.is_nested() or given.dtype == pl.Binary:
        return found
    plain = text(given.values, given.dtype)
    if dtype.is_numeric() or dtype.is_temporal():
        return found + _unparsed(name, given, plain, parsed, settings)
    if given.dtype != pl.String:
        return found
    found.append(_damaged(name, given, plain, settings))
    if name in (USER, ITEM):
        what = f"{name} has lost digits, as spreadsheets shorten long numbers: different ones have become one"
        remedy = "export it again, its column as text"
        found.append(_mark(name, given, what, plain, plain.str.contains(_SHORTENED), remedy, stops=_any))
    if dtype == LISTS:
        keyed = lists.unkeyed(plain) if settings.list_key is None else pl.lit(value=False)
        known = "name in `list_key` which key is the entry"
        found.append(_mark(name, given, f"{name} holds objects: left empty", plain, keyed, known, stops=_any))
        unread = "correct it, or set `separator`"
        found.append(_mark(name, given, f"{name} looks like a list and is none", plain, lists.unread(plain), unread))
    if name in PROSE:
        what = f"{name} looks like UTF-8 that was taken for another encoding and saved so, as Ã© for é"
        remedy = "have it exported again as UTF-8; it is read as it stands"
        found.append(_mark(name, given, what, plain, plain.str.contains(_TWICE), remedy))
        joined = plain.str.contains(r"(?s)^\[.*\]$") & (parsed.is_null() | (parsed != plain))
        found.append(_mark(name, given, f"{name} is a list of texts: joined", plain, joined, None))
    return found


def findings(raw: RawFile, seen: Seen, marked: Mapping[str, Mark]) -> list[Finding]:
    """What the marks (column → mark) say that were `seen`, with a count and an example of each."""
    counts = {column: seen.marked[column] for column in marked if seen.marked[column]}
    if not counts:
        return []
    # Examples are looked for only now: as columns of text they would take more memory than the table.
    texts = (
        marked[column].value.cast(pl.String).drop_nulls().head(_EXAMPLES).implode().alias(column) for column in counts
    )
    examples = raw.rows.select(*texts).collect(engine="streaming")
    found = []
    for column, count in counts.items():
        mark, values = marked[column], examples[column][0]
        there = seen.there.get(mark.name, seen.rows)
        stops = mark.stops(count, there + count)
        remedy = mark.remedy(values, most=stops) if callable(mark.remedy) else mark.remedy
        found.append(Finding(mark.what, count, seen.rows, mark.column, str(values[0])[:200], remedy, stops))
    return found


def _any(count: int, of: int) -> bool:
    return count > 0


def _some(count: int, of: int) -> bool:
    return count * 20 > of


def _mark(
    name: str,
    given: Given,
    what: str,
    plain: pl.Expr,
    where: pl.Expr,
    remedy: str | None,
    *,
    stops: Judge = lambda *_: False,
) -> Mark:
    return Mark(name, given.called, what, pl.when(where).then(plain), remedy, stops=stops)


def _unparsed(name: str, given: Given, plain: pl.Expr, parsed: pl.Expr, settings: TableSettings) -> list[Mark]:
    number = settings.table[name].is_numeric()
    if given.dtype.is_float():
        plain = given.values.cast(pl.String)  # NaN is said, not left out

    def wrong(count: int, of: int) -> bool:
        return count > UNPARSED * of

    written = f"time_format: {', '.join(settings.formats(name))}" if settings.formats(name) else None
    wanted = "a number" if number else f"a time ({written or f'time_unit: {settings.unit(name)}'})"
    numerals = "set `decimal` and `thousands`, or add words for nothing to `missing`"
    remedy = numerals if number else partial(times.remedy, name)
    left = "" if settings.strict else ": left empty"
    where = pl.when(parsed.is_null()).then(plain)
    found = [Mark(name, given.called, f"{name} is not {wanted}{left}", where, remedy, settings.strict, wrong)]
    if not number and given.dtype == pl.String:
        what = f"{name} has lost digits, as spreadsheets shorten long numbers: it is not exact"
        shortened = pl.when(plain.str.contains(_SHORTENED)).then(plain)
        found.append(Mark(name, given.called, what, shortened, "export it again, its column as text", stops=_some))
    if number:
        endless = pl.when(parsed.is_not_null() & ~parsed.is_finite()).then(plain)
        what = f"{name} is NaN or infinite{left}"
        found.append(Mark(name, given.called, what, endless, "add its words to `missing`", settings.strict))
    return found


def _damaged(name: str, given: Given, plain: pl.Expr, settings: TableSettings) -> Mark:
    def many(count: int, of: int) -> bool:
        return count > (max(3, of // 1_000) if settings.damaged_at_most is None else settings.damaged_at_most)

    mends = "set `encoding` to that of the file, such as cp1252, latin-1 or gbk"
    remedy = f"{mends}; if U+FFFD stands in the file itself, have it exported again"
    what = f"{name} holds U+FFFD, which stands for bytes that are not valid text"
    return _mark(name, given, what, plain, plain.str.contains("\ufffd", literal=True), remedy, stops=many)
