"""Streams the attributes of <row> elements from files of a Stack Exchange dump, of any size."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

import polars as pl

from strata.errors import SourceError

BLOCK = 1 << 20
BATCH = 50_000
"""Rows held as Python objects at once."""


class DumpRows(NamedTuple):
    """`frame`: one row for each <row> kept, its attributes as text; `left_out`: how many others the file has."""

    frame: pl.DataFrame
    left_out: int


def read_rows(path: Path, names: Sequence[str], only: Mapping[str, Collection[str]] | None = None) -> DumpRows:
    """Read the attributes `names` of every row, or only of rows whose attributes have a value listed in `only`.

    Raises SourceError for a file that is missing, is not well-formed, or declares a document type: dumps have none, and
    entities declared there could grow without bound.
    """
    wanted = (only or {}).items()
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    kept = left_out = 0
    for attributes in _rows(path):
        if any(attributes.get(name) not in values for name, values in wanted):
            left_out += 1
            continue
        for name, column in columns.items():
            column.append(attributes.get(name))
        kept += 1
        if kept % BATCH == 0:
            frames.append(pl.DataFrame(columns, schema=frames[0].schema))
            columns = {name: [] for name in names}
    frames.append(pl.DataFrame(columns, schema=frames[0].schema))
    return DumpRows(pl.concat(frames, rechunk=True), left_out)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    found: list[dict[str, str]] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        if element == "row":
            found.append(attributes)

    def refuse(*_: object) -> None:
        raise SourceError(f"{path} declares a document type, which no dump does; do not trust this file")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                parser.Parse(block, False)
                yield from found
                found.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise SourceError(f"{path} is not the XML of a dump ({error}); unpack the dump again") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); every dump has it, unpack it again") from None
