"""Reads a sheet of an .xlsx workbook as text."""

from pathlib import Path

import fastexcel
import polars as pl

from strata.data.sources.grammar import FileSettings, listed
from strata.data.sources.headers import LOOKED_AT, column_names
from strata.errors import SourceError


def read(path: Path, settings: FileSettings, first: int | None = None) -> pl.DataFrame:
    """The cells of the sheet as strings, dates as ISO writes them; rows that are empty are left out.

    Raises SourceError for a file that is no workbook, and for several sheets none of which is named.
    """
    try:
        book = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        raise SourceError(
            f"{path} is not a readable workbook ({str(error).splitlines()[0]}); save it as .xlsx"
        ) from None
    rows = None if first is None else first + settings.skip_lines + 1
    table = book.load_sheet(_sheet(path, book.sheet_names, settings), header_row=None, n_rows=rows, dtypes="string")
    cells = table.to_polars().slice(settings.skip_lines)
    cells = cells.filter(~pl.all_horizontal(pl.all().is_null()))
    records = [[cell or "" for cell in row] for row in cells.head(LOOKED_AT + 1).rows()]
    names = column_names(path, records, settings)
    cells.columns = names[: cells.width]
    return cells.slice(1 if settings.header in (None, True) else 0)


def _sheet(path: Path, names: list[str], settings: FileSettings) -> int:
    """Position of the sheet from 0."""
    if isinstance(settings.sheet, int) and 1 <= settings.sheet <= len(names):
        return settings.sheet - 1
    if settings.sheet in names:
        return names.index(str(settings.sheet))
    if settings.sheet is None and len(names) == 1:
        return 0
    problem = f"no sheet {settings.sheet!r}" if settings.sheet is not None else f"{len(names)} sheets"
    raise SourceError(f"{path}: {problem}; set `sheet` to one of {listed(names)}")
