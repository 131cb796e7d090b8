"""Looks into a file of any size: a sample of its beginning, middle and end, and how the file is written."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from strata.data.guess.baskets import MANUAL
from strata.data.guess.encodings import encoding
from strata.data.guess.facts import Facts
from strata.data.guess.layout import Layout, layout
from strata.data.sources import lists
from strata.data.sources.files import ROW_NUMBER, UNREADABLE, RawFile, openings, unreadable
from strata.data.sources.grammar import ENDINGS, PACKED, FileSettings
from strata.data.sources.patient import FAULT
from strata.data.sources.streams import opened, records_of
from strata.errors import SourceError

BLOCK = 4 << 20
"""Bytes of one of the three parts that are read of a larger file."""
WHOLE = 4 * BLOCK
_ROWS, _MOST_KEYS = 50_000, 20
_PLAIN = (".dat", ".txt", ".data", ".item", ".user", ".inter", ".psv", ".log", ".base", ".test", "")


@dataclass(eq=False)
class Sample:
    """A file's sampled rows as the reader gives them.

    `written`: settings of FileSettings but `file`. `whole`: whether the sample is all of it. `unsure`: setting → why.
    `paths`: the file, or the files of one pattern. `origin`: the setting that names it; `asked`: what it names of a
    database, whose tables have no files, and `size` how many bytes that is, about.
    """

    path: Path
    paths: list[Path]
    written: dict[str, Any]
    raw: RawFile
    frame: pl.DataFrame
    whole: bool
    why: str
    unsure: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    origin: Literal["file", "table", "query"] = "file"
    asked: str = ""
    size: int = 0

    @property
    def headed(self) -> bool:
        """Whether its columns have names."""
        return self.written.get("header") is not False

    @property
    def bytes(self) -> int:
        """Of all its files, or about so many of what is asked of a database."""
        return sum(each.stat().st_size for each in self.paths) + self.size

    @property
    def file(self) -> str:
        """Its name, or the pattern of the names of several; what is asked of a database."""
        if self.origin != "file":
            return self.asked
        if len(self.paths) == 1:
            return self.path.name
        first, last = self.paths[0].name, self.paths[-1].name
        start = next(place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
        end = next(place for place, (a, b) in enumerate(zip(first[::-1], last[::-1], strict=False)) if a != b)
        return f"{first[:start]}*{first[len(first) - end :]}"

    @property
    def title(self) -> str:
        """What to call it: its file, with the sheet of a workbook, its table, or that it is a query."""
        sheet = f", sheet {self.written['sheet']}" if "sheet" in self.written else ""
        return "a query" if self.origin == "query" else f"{self.file}{sheet}"

    def called(self, said: str | Path | None) -> bool:
        """Whether a person means it by a path, the name of its file or table, or its query."""
        return said is not None and (str(said) == self.file or Path(said) in self.paths)


def joined(samples: list[Sample]) -> Sample:
    """Samples of files of one kind as one, as the reader makes one table of a pattern of names."""
    if len(samples) == 1:
        return samples[0]
    frame = pl.concat([sample.raw.rows.collect() for sample in samples], how="diagonal_relaxed")
    frame = frame.drop(ROW_NUMBER).with_row_index(ROW_NUMBER, offset=1)
    first = samples[0]
    one = _sample(first.path, first.written, frame, all(each.whole for each in samples), first.why, first.unsure)
    return replace(one, paths=[sample.path for sample in samples])


def table_like(path: Path) -> bool:
    """Whether a file's ending is one of files that hold tables."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = (suffixes[-2:-1] or [""])[0] if suffixes and suffixes[-1] in PACKED else (suffixes[-1:] or [""])[0]
    return ending in ENDINGS or ending in _PLAIN and path.name.upper() not in ("README", "README.TXT", "LICENSE")


def look(path: Path, said: dict[str, Any] | None = None) -> Sample | None:
    """Sample a file; null where it holds no table.

    `said`: settings of FileSettings that a person gave. Raises SourceError when it is unreadable.
    """
    said = said or {}
    form = said.get("format") or _form(path)
    if form in ("parquet", "xlsx"):
        return _tabular(path, form, said)
    blocks, whole = _blocks(path, said)
    if not blocks or not blocks[0].strip():
        return None
    known, sure, why = encoding(b"".join(blocks))
    known = said.get("encoding", known)
    unsure = {} if sure or "encoding" in said else {"encoding": f"{why}: is it {known}?"}
    head = blocks[0].decode(known or "utf-8", "replace")
    start = head.lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        plain = FileSettings.model_validate({"file": path.name, "member": said.get("member"), "encoding": known})
        records = records_of(path, plain) if start == "{" else None
        written = _written({"encoding": known, "records": records}, said)
        array = start == "[" or "records" in written
        return _read(path, blocks, written, "json" if array else "jsonl", whole, why, unsure)
    found = layout(head if whole else head[: head.rfind("\n") + 1], form)
    if found is None:
        return None
    if found.lists:
        raise SourceError(f"{path}: {found.why}, such as {', '.join(found.records[0])[:80]}; {MANUAL}")
    unsure |= {name: reason for name, reason in found.unsure.items() if name not in said}
    written = _written({"encoding": known, **found.settings}, said)
    if not whole and _spans_lines(found):
        blocks = blocks[:1]
    return _read(path, blocks, written, form, whole, f"{found.why}; {why}", unsure)


def _form(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = suffixes[-2:-1] if suffixes and suffixes[-1] in PACKED else suffixes[-1:]
    return ENDINGS.get((ending or [""])[0], "csv")


def _written(guessed: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (guessed | said).items() if value is not None}


def _blocks(path: Path, said: dict[str, Any]) -> tuple[list[bytes], bool]:
    """Bytes of whole lines from beginning, middle and end; packed files have no middle that can be reached."""
    size = path.stat().st_size
    with opened(path, FileSettings(file=Path(path.name), member=said.get("member"))) as file:
        if size <= WHOLE or path.suffix.lower() in PACKED:
            head = file.read(WHOLE + 1)
            return [head], len(head) <= WHOLE
        blocks = [_lines(file.read(BLOCK), first=True)]
        for start in (size // 2, size - BLOCK):
            file.seek(start - start % 4)
            blocks.append(_lines(file.read(BLOCK), first=False))
        return blocks, False


def _lines(block: bytes, *, first: bool) -> bytes:
    """Without the pieces of lines at its ends."""
    return block[0 if first else block.find(b"\n") + 1 : block.rfind(b"\n") + 1]


def _spans_lines(found: Layout) -> bool:
    return any("\n" in cell for record in found.records for cell in record)


def _read(
    path: Path, blocks: list[bytes], written: dict[str, Any], form: str, whole: bool, why: str, unsure: dict[str, str]
) -> Sample:
    """The blocks, written into a file of their own, as the reader reads them."""
    with _folder() as folder:
        cut = not whole and form != "json" and len(blocks) == 1
        copy = folder / f"{path.name.split('.')[0] or 'file'}.{form}"
        copy.write_bytes(b"".join(_lines(block, first=True) if cut else block for block in blocks))
        settings = FileSettings.model_validate({**written, "file": copy.name, "format": form, "member": None})
        source = copy
        if form == "json" and not whole:  # an array cannot be cut
            source, settings = path, settings.model_copy(update={"file": Path(path.name)})
        try:
            frame = _collected(source.parent, settings, None if whole else _ROWS if form == "json" else None)
        except SourceError as error:  # the message is to name the person's file, not the copy
            raise SourceError(str(error).replace(str(copy), str(path))) from None
    by_ending = FileSettings.model_validate({"file": path.name, "delimiter": written.get("delimiter")})
    try:
        ending: str | None = by_ending.form
    except SourceError:
        ending = None
    stated = {} if ending == form or {ending, form} == {"json", "jsonl"} else {"format": form}
    return _sample(path, {**written, **stated}, frame, whole, why, unsure)


def _tabular(path: Path, form: str, said: dict[str, Any]) -> Sample:
    settings = FileSettings.model_validate({**said, "file": path.name, "format": form})
    if form == "xlsx":
        settings, unsure = _sheet(path, settings)
        written = {**said, **({"sheet": settings.sheet} if settings.sheet is not None else {})}
        return _sample(path, written, _collected(path.parent, settings, None), True, "a workbook", unsure)
    scan = pl.scan_parquet(path, glob=False)
    try:
        rows = int(scan.select(pl.len()).collect().item())
    except UNREADABLE as error:
        raise unreadable(path.parent, settings, error) from None
    starts = {0, max((rows - _ROWS) // 2, 0), max(rows - _ROWS, 0)}
    frame = (
        pl.concat([scan.slice(start, _ROWS).collect() for start in sorted(starts)]).unique(maintain_order=True)
        if (rows > _ROWS)
        else scan.collect()
    )
    numbered = frame.with_row_index(ROW_NUMBER, offset=1).with_columns(pl.lit(None, pl.String).alias(FAULT))
    return _sample(path, said, numbered, rows <= _ROWS, "a Parquet file", {})


def looks(path: Path) -> list[Sample]:
    """Samples of a file; of a workbook one for each sheet of other columns than those before. Raises as look does."""
    if _form(path) != "xlsx":
        return [sample] if (sample := look(path)) is not None else []
    import fastexcel

    try:
        names = fastexcel.read_excel(path).sheet_names
    except fastexcel.FastExcelError as error:
        raise unreadable(path.parent, FileSettings(file=Path(path.name), format="xlsx"), error) from None
    if len(names) == 1:
        return [_tabular(path, "xlsx", {})]
    kinds: dict[tuple[str, ...], list[Sample]] = {}
    for name in names:
        try:
            sample = _tabular(path, "xlsx", {"sheet": name})
        except SourceError:  # of a sheet without rows, which is no table
            continue
        kinds.setdefault(tuple(sample.facts), []).append(sample)
    for first, *others in kinds.values():
        alike = ", ".join(str(sample.written["sheet"]) for sample in (first, *others))
        first.unsure |= {"sheet": f"it has the sheets {alike}, of the same columns"} if others else {}
    return [samples[0] for samples in kinds.values()]


def _sheet(path: Path, settings: FileSettings) -> tuple[FileSettings, dict[str, str]]:
    import fastexcel

    names = fastexcel.read_excel(path).sheet_names
    if len(names) == 1 or settings.sheet is not None:
        return settings, {}
    return settings.model_copy(update={"sheet": names[0]}), {"sheet": f"it has the sheets {', '.join(names)}"}


def sampled(
    origin: Literal["table", "query"], asked: str, name: str, frame: pl.DataFrame, size: int, *, whole: bool
) -> Sample:
    """A sample of rows that a database gave, of about `size` bytes there."""
    numbered = frame.with_row_index(ROW_NUMBER, offset=1).with_columns(pl.lit(None, pl.String).alias(FAULT))
    found = _sample(Path(name), {}, numbered, whole, f"a {origin} of the database", {})
    return replace(found, paths=[], origin=origin, asked=asked, size=size)


def _collected(folder: Path, settings: FileSettings, first: int | None) -> pl.DataFrame:
    fault: Exception | None = None
    for raw in openings(folder, settings, first):
        try:
            return raw.rows.collect()
        except UNREADABLE as error:
            fault = error
    raise unreadable(folder, settings, fault)


def _sample(
    path: Path, written: dict[str, Any], frame: pl.DataFrame, whole: bool, why: str, unsure: dict[str, str]
) -> Sample:
    columns = {name: dtype for name, dtype in frame.schema.items() if name not in (ROW_NUMBER, FAULT)}
    inner = [each for name in columns for each in _inner(frame, name)]
    facts = {name: Facts.of(frame[name]) for name in columns} | {each.name: Facts.of(each) for each in inner}
    raw = RawFile(frame.lazy(), columns)
    return Sample(path, [path], written, raw, frame.select(*columns, *inner), whole, why, unsure, facts)


def _inner(frame: pl.DataFrame, name: str) -> list[pl.Series]:
    """Values inside the JSON objects of a column, named as the reader calls them: user.id."""
    if frame.schema[name] != pl.String or not frame[name].drop_nulls().head(100).str.contains(r"^\{.*\}$").all():
        return []
    keys = dict.fromkeys(key for text in frame[name].drop_nulls().head(100) for key in lists.literal(text) or {})
    if not keys or len(keys) > _MOST_KEYS:
        return []
    return [frame[name].str.json_path_match(f"$['{key}']").alias(f"{name}.{key}") for key in keys if "'" not in key]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="strata-init-") as folder:
        yield Path(folder)
