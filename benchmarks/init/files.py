"""Writes small files in the true formats of public data sets, their values invented."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 600
_WORDS = [
    "Night",
    "River",
    "Golden",
    "Garden",
    "Winter",
    "Paper",
    "Silent",
    "Ocean",
    "Blue",
    "Stone",
    "Summer",
    "Wolf",
    "Lantern",
    "Mirror",
    "Harbour",
    "Secret",
]
GENRES = ["Action", "Comedy", "Drama", "Horror", "Romance", "Thriller", "Children's", "Sci-Fi"]
_BEGIN = datetime(2017, 3, 1, 8, 0, tzinfo=UTC)
Rows = Iterable[Sequence[Any]]


class Log:
    """Draws users, items and times that look as those of a log do."""

    def __init__(self, seed: int = 7, users: int = 60, items: int = 120) -> None:
        self.rng = np.random.default_rng(seed)
        self.users, self.items = users, items

    def pairs(self, rows: int = ROWS) -> list[tuple[int, int]]:
        """Different pairs of a user and an item, popular items more often."""
        codes: dict[tuple[int, int], None] = {}
        while len(codes) < rows:
            codes[int(self.rng.integers(1, self.users + 1)), int(self.items * self.rng.random() ** 2) + 1] = None
        return list(codes)

    def times(self, rows: int = ROWS, days: float = 240, begin: datetime = _BEGIN) -> list[datetime]:
        """Times in order, to the second."""
        seconds = np.sort(self.rng.integers(0, int(days * 86_400), rows))
        return [begin + timedelta(seconds=int(each)) for each in seconds]

    def title(self) -> str:
        """Two or three words."""
        return " ".join(self.rng.choice(_WORDS, size=int(self.rng.integers(2, 4)), replace=False))

    def text(self, words: int = 30) -> str:
        """Some words."""
        return " ".join(self.rng.choice(_WORDS, size=words)).lower() + "."

    def pick(self, choices: Sequence[Any], shares: Sequence[float] | None = None) -> Any:
        """One of some values."""
        return choices[int(self.rng.choice(len(choices), p=shares))]

    def some(self, choices: Sequence[str], most: int = 3) -> list[str]:
        """One to `most` different values."""
        return [str(each) for each in self.rng.choice(choices, size=int(self.rng.integers(1, most + 1)), replace=False)]


def lines(path: Path, rows: Rows, between: str = ",", encoding: str = "utf-8") -> None:
    """Cells as they are, between marks of any length."""
    path.write_text("".join(between.join(map(str, row)) + "\n" for row in rows), encoding=encoding)


def table(path: Path, rows: Rows, encoding: str = "utf-8", **dialect: Any) -> None:
    """Cells as the csv module quotes them."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def json_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """An object a line, packed where the name says so."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def workbook(path: Path, header: Sequence[str], rows: Rows, dates: Sequence[int]) -> None:
    """A workbook of one sheet, as small as Excel opens it; columns `dates` are shown as dates."""

    def cell(row: int, place: int, value: Any) -> str:
        at = f"{chr(65 + place)}{row}"
        if value is None:
            return ""
        if isinstance(value, int | float):
            return (
                f'<c r="{at}"{" s=" + chr(34) + "1" + chr(34) if place in dates and row > 1 else ""}><v>{value}</v></c>'
            )
        plain = str(value).replace("&", "&amp;").replace("<", "&lt;")
        return f'<c r="{at}" t="inlineStr"><is><t>{plain}</t></is></c>'

    all_rows = [header, *rows]
    body = "".join(
        f'<row r="{at}">{"".join(cell(at, place, value) for place, value in enumerate(row))}</row>'
        for at, row in enumerate(all_rows, start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    of = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    types = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{kind}.{what}+xml"/>'
        for part, what in (("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"), ("styles", "styles"))
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{of}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{of}"><sheets><sheet name="Online Retail" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{of}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{of}/styles" '
        'Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{content}')


Writer = Callable[[Path], None]
