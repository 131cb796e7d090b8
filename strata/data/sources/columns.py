"""Finds the file's column behind each of our columns, and says what may be meant where there is none."""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from strata.data.schema import ATTRIBUTE_MAP, CREATED, REMOVED, TIMESTAMP
from strata.data.sources.files import RawFile
from strata.data.sources.grammar import listed
from strata.data.sources.headers import other_delimiter
from strata.data.sources.lists import LISTS
from strata.data.sources.mapping import ItemsSettings, TableSettings
from strata.data.sources.streams import records_of
from strata.data.sources.values import is_formula, string_list, text
from strata.errors import SourceError


@dataclass(frozen=True)
class Given:
    """What the file holds for one of our columns: an expression, its type, and what the file calls it.

    `words`: text where the cell is a word for missing, else null; those cells are null in `values`.
    """

    values: pl.Expr
    dtype: pl.DataType
    called: str
    words: pl.Expr | None = None
    odd: pl.Expr | None = None
    """Of flags: text of a cell that is none, else null."""
    formulas: pl.Expr | None = None
    """The cell where it is a formula of its text, else null."""


def given_columns(raw: RawFile, path: Path, settings: TableSettings) -> dict[str, Given]:
    """What is given for each of our columns, and for each `attribute NAME`.

    Raises SourceError when a column is not in the file, or nothing is given for one that is required.
    """
    given = {name: _joined(raw, path, name, theirs, settings) for name, theirs in mapped(raw, settings).items()}
    for name, value in settings.constants.items():
        given[name] = Given(pl.lit(str(value)), pl.String(), f"constant {name}")
    flags = settings.flags if isinstance(settings, ItemsSettings) else {}
    for ours, columns in flags.items():
        entries = columns if isinstance(columns, dict) else {name: name for name in columns}
        cells = [_located(raw, path, ours, theirs, settings) for theirs in entries.values()]
        texts = [text(cell.values, cell.dtype) for cell in cells]
        set_ = [pl.when(is_set(flag)).then(pl.lit(entry)) for entry, flag in zip(entries, texts, strict=True)]
        odd = pl.coalesce(pl.when(~is_flag(flag)).then(flag) for flag in texts)
        given[ours] = Given(pl.concat_list(set_).list.drop_nulls(), LISTS, ", ".join(entries.values()), odd=odd)
    for name in settings.required:
        if name not in given and not (name == TIMESTAMP and getattr(settings, "time", "clock") == "none"):
            raise SourceError(
                f"{path}: nothing is mapped to {name}, which is required; name its column under columns or give a "
                f"value under constants{_UNTIMED if name == TIMESTAMP else ''}; the file has "
                f"{listed(list(raw.columns))}{_hint(raw, path, name, settings)}"
            )
    return given


def mapped(raw: RawFile, settings: TableSettings) -> dict[str, list[str]]:
    """Our column, or `attribute NAME` → the file's columns."""
    columns = settings.columns
    if columns is None:
        columns = {name: name for name in settings.table if name in raw.columns and name not in settings.constants}
    wanted = {**columns, **{f"attribute {name}": theirs for name, theirs in settings.attributes.items()}}
    return {name: theirs if isinstance(theirs, list) else [theirs] for name, theirs in wanted.items()}


def with_inner(raw: RawFile, path: Path, name: str, theirs: str, settings: TableSettings) -> RawFile:
    """The file with what `theirs` calls, dots leading into its objects, as a column of its own."""
    if theirs in raw.columns or root(theirs, raw.columns) is None:
        return raw
    given = _located(raw, path, name, theirs, settings)
    rows = raw.rows.with_columns(text(given.values, given.dtype).alias(theirs))
    return RawFile(rows, {**raw.columns, theirs: pl.String()}, raw.findings)


def root(name: str, columns: dict[str, pl.DataType]) -> str | None:
    """The column of the file that holds what `name` calls, dots leading into its objects."""
    parts = name.split(".")
    heads = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((head for head in heads if head in columns), None)


def is_set(flag: pl.Expr) -> pl.Expr:
    """Whether a cell of 0 and 1, or of no and yes, says yes."""
    return flag.str.to_lowercase().is_in(["1", "1.0", "true", "t", "yes", "y", "x"])


def is_flag(flag: pl.Expr) -> pl.Expr:
    """Whether a cell says yes or no at all."""
    return is_set(flag) | flag.is_null() | flag.str.to_lowercase().is_in(["0", "0.0", "false", "f", "no", "n"])


def _joined(raw: RawFile, path: Path, name: str, theirs: list[str], settings: TableSettings) -> Given:
    parts = [_located(raw, path, name, each, settings) for each in theirs]
    if len(parts) == 1:
        return parts[0]
    called = " + ".join(theirs)
    if settings.table.get(name) == LISTS:
        mark = settings.dividing(name)
        lists = [string_list(part.values, part.dtype, mark, settings.list_key) for part in parts]
        return Given(pl.concat_list(lists), LISTS, called)
    if settings.table.get(name) == ATTRIBUTE_MAP:
        raise SourceError(f"{path}: {name} is of one column, not of {called}; name them under `attributes`")
    first = text(parts[0].values, parts[0].dtype)
    joined = pl.concat_str([text(part.values, part.dtype) for part in parts], separator=" ", ignore_nulls=True)
    # A time of day without its day is no time.
    return Given(pl.when(first.is_not_null()).then(joined) if name in _TIMES else joined, pl.String(), called)


_TIMES = (TIMESTAMP, CREATED, REMOVED)
_UNTIMED = " (where there are no times: `time: order` with the column of an order number, or `time: none`)"


def _located(raw: RawFile, path: Path, name: str, theirs: str, settings: TableSettings) -> Given:
    head = root(theirs, raw.columns)
    if head is None:
        others = f"; the file has {listed(list(raw.columns))}{_hint(raw, path, theirs, settings)}"
        raise SourceError(f"{path}: no column '{theirs}' for {name}{others}")
    values, dtype = pl.col(head), raw.columns[head]
    for key in theirs[len(head) + 1 :].split(".") if theirs != head else []:
        if isinstance(dtype, pl.Struct) and key in pl.Schema(dtype):
            values, dtype = values.struct.field(key), pl.Schema(dtype)[key]
        elif dtype == pl.String:
            values = values.str.json_path_match(f"$[{key}]" if key.isdigit() else f"$['{key}']")
        else:
            raise SourceError(f"{path}: column '{head}' has no '{key}' (it holds {dtype}); correct '{theirs}'")
    if dtype != pl.String:
        return Given(values, dtype, theirs)
    formulas = pl.when(is_formula(values)).then(values)
    if not settings.missing:
        return Given(values, dtype, theirs, formulas=formulas)
    word = values.str.strip_chars().is_in(settings.missing).fill_null(value=False)
    return Given(pl.when(~word).then(values), dtype, theirs, pl.when(word).then(values), formulas=formulas)


def _hint(raw: RawFile, path: Path, name: str, settings: TableSettings) -> str:
    """The column that is spelled so but for case, blanks and the like; else where rows stand, or another delimiter."""
    alike = [theirs for theirs in raw.columns if _letters(theirs) == _letters(name)]
    if alike:
        return f"; is it {alike[0]!r}? Give that under `columns`"
    if next(iter(raw.columns), "").startswith(("#", "%", "//")):
        return "; its first line looks like a comment: set `skip_lines: 1`, or `comment` to what such lines begin with"
    if path.is_file() and settings.form in ("json", "jsonl") and (records := records_of(path, settings)):
        return f"; its rows stand at '{records}': set `records: {records}`"
    return other_delimiter(list(raw.columns))


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
