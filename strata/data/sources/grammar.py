"""How a file is written: what stands between its columns, its header, its characters, what is packed around it."""

import codecs
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from strata.data.sources.origin import Origin
from strata.errors import SourceError

Format = Literal["csv", "tsv", "parquet", "jsonl", "json", "xlsx"]
ENDINGS: Final[dict[str, Format]] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".xlsx": "xlsx",
}  # fmt: skip
PACKED: Final = (".gz", ".zst", ".zip", ".bz2")
DELIMITED: Final = ("csv", "tsv")


class FileSettings(Origin):
    """One file, or several of one kind, and how it is written; or what is asked of a database."""

    format: Format | None = None
    """Left out: by the file's ending, before .gz, .zst, .bz2 or .zip."""
    delimiter: str | None = None
    """Between the columns of a text file, of any length; left out: a comma, in TSV a tab."""
    header: bool | list[str] | None = None
    """Whether the first line names the columns. False: there is none, columns are called 1, 2, 3; names: there is none,
    and they are called so; true: there is one, even if it looks like data. Left out: there is one."""
    encoding: str | None = None
    """Of the characters, such as latin-1, cp1252, gbk, utf-16; left out: UTF-8."""
    skip_lines: int = Field(default=0, ge=0)
    """Lines above the header that are not part of the table."""
    comment: str | None = None
    """Lines that begin with it are left out."""
    quoted: bool = True
    """Whether " encloses fields of a CSV or TSV file."""
    escape: str | None = None
    """What stands before a " that belongs to the text, where it is not doubled: usually a backslash."""
    sheet: str | int | None = None
    """Of a workbook: its name, or its number from 1; left out: the only one."""
    member: str | None = None
    """Of a .zip: name or pattern of its files; left out: the only one."""
    records: str | None = None
    """Of one JSON object that holds the rows: the key of their array, dots leading into objects."""
    damaged_at_most: int | None = Field(default=None, ge=0)
    """Values of a column with bytes that are not valid text; above it the run stops. Left out: 3, or 0.1 % if more."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for name in ("delimiter", "comment", "escape", "encoding", "records"):
            if getattr(self, name) == "":
                raise ValueError(f"{name} is empty; give characters, or leave it out")
        if self.escape is not None and len(self.escape) != 1:
            raise ValueError("escape is one character")
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            raise ValueError(f"encoding {self.encoding!r} is unknown; latin-1, cp1252, gbk, utf-16 are some") from None
        return self

    @property
    def between(self) -> str:
        """What stands between columns."""
        return self.delimiter or ("\t" if self.form == "tsv" else ",")

    @property
    def form(self) -> Format:
        """The stated format, else the one of the ending. Raises SourceError for an unknown ending."""
        suffixes = [suffix.lower() for suffix in self.file.suffixes]
        packed = bool(suffixes) and suffixes[-1] in PACKED
        ending = (suffixes[-2:-1] if packed else suffixes[-1:]) or [Path(self.member or "").suffix.lower()]
        found = self.format or ENDINGS.get(ending[0]) or ("csv" if self.delimiter else None)
        if found is None:
            raise SourceError(
                f"{self.file}: the ending '{ending[0]}' names no format; set `format` to csv, tsv, parquet, jsonl, "
                "json or xlsx, or for other text files the `delimiter` between columns"
            )
        return found


def files(folder: Path, settings: FileSettings) -> list[Path]:
    """The file, or all of its pattern by name. Raises SourceError where there is none, or one is empty."""
    path = folder / settings.file
    found = [path]
    if any(mark in str(settings.file) for mark in "*?[") and not path.exists():
        found = sorted(each for each in folder.glob(str(settings.file)) if each.is_file())
        if not found:
            raise SourceError(f"{path}: no file of this name pattern; {_there(folder)}")
    for each in found:
        if not each.is_file():
            what = "is a folder, not a file" if each.is_dir() else "does not exist"
            raise SourceError(f"{each} {what}; correct `file` in params.yaml: {_there(each.parent)}")
        if not each.stat().st_size:
            raise SourceError(f"{each} is empty (0 bytes); give a file with at least one row")
    return found


def listed(names: list[str]) -> str:
    """Names in quotes, the first twenty of them."""
    known = [repr(name) for name in names]
    return ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "") or "nothing"


def _there(folder: Path) -> str:
    there = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    return f"the folder holds {listed(there)}"
