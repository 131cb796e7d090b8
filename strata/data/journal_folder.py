"""The folder of a data set in which records of journals lie: files by their places, tombstones, how far they go."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal, Self

import polars as pl

from strata.data.schema import BEHAVIOUR, DWELL, EVENT, ITEM, ITEMS, TEXT, TIME, TIMESTAMP, USER, VALUE
from strata.errors import SourceError
from strata.storage import read_json, write_json, write_text

FOLDER: Final = "events"
"""Its name in the folder of a data set."""
MARK: Final = "journal.json"
"""Holds, by a journal's name, the place up to which the folder has its records; written last, so that it is true."""
ERASED: Final = "erased.jsonl"
"""Tombstones, a line each: journal, keyed hash of the user, place and time of the erasure."""
PLACE, WITHDRAWN, AT, LIST = "place", "withdrawn", "at", "list_id"

Kept = Literal["events", "items", "lists"]
EVENTS: Final = pl.Schema(
    {
        USER: pl.String(),
        ITEM: pl.String(),
        BEHAVIOUR: pl.String(),
        TIMESTAMP: TIME,
        VALUE: pl.Float64(),
        DWELL: pl.Float64(),
        TEXT: pl.String(),
        EVENT: pl.String(),
        LIST: pl.String(),
        PLACE: pl.Int64(),
    }
)
"""Events in the columns of interactions, with the shown list that an item was in, and the place in the journal."""
CHANGES: Final = pl.Schema({**ITEMS, WITHDRAWN: pl.Boolean(), AT: TIME, PLACE: pl.Int64()})
"""Items as they were sent; of a withdrawn one the id alone says something."""
LISTS: Final = pl.Schema(
    {"kind": pl.String(), "id": pl.String(), USER: pl.String(), AT: TIME, "body": pl.String(), PLACE: pl.Int64()}
)
"""Lists that were shown, and how satisfied people were: bodies are JSON."""
SCHEMAS: Final[Mapping[Kept, pl.Schema]] = {"events": EVENTS, "items": CHANGES, "lists": LISTS}
_NAME: Final = re.compile(r"(events|items|lists)-([0-9a-f]{8})-(\d{12})-(\d{12})\.parquet")


@dataclass(frozen=True)
class DrainedFile:
    """A Parquet file of the records of one kind that a journal kept from place `first` to `last`."""

    path: Path
    kind: Kept
    tag: str
    first: int
    last: int


@dataclass(frozen=True)
class Erasure:
    """A user who was forgotten: `user` is the hash that `strata.online.erasures` makes with the journal's name."""

    journal: str
    user: str
    place: int
    at: float


@dataclass(frozen=True)
class JournalFolder:
    """The folder at `path`; `places`: by a journal's name, up to where it has the records."""

    path: Path
    places: Mapping[str, int]

    @classmethod
    def read(cls, source: Path) -> Self | None:
        """The journal's folder of a data set, None where it has none. Raises SourceError for an unreadable one."""
        mark = source / FOLDER / MARK
        if not mark.exists():
            return None
        try:
            places = {str(name): int(place) for name, place in read_json(mark).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise SourceError(f"{mark} is not a map of places ({error}); restore it: dvc checkout") from None
        return cls(mark.parent, places)

    @classmethod
    def made(cls, source: Path, journal: str) -> Self:
        """The same, made where there is none. Raises SourceError where other files lie in its place."""
        folder = source / FOLDER
        if not (folder / MARK).exists() and folder.is_dir() and any(folder.iterdir()):
            raise SourceError(
                f"{folder} holds other files than a journal's, and events of the service need that place; give them "
                "another folder, and name it in the section source of params.yaml"
            )
        found = cls.read(source) or cls(folder, {})
        if journal not in found.places:
            found = cls(folder, {**found.places, journal: 0})
            found.settle()
        return found

    def settle(self) -> None:
        """Write the places: what lies beyond them is not part of the data."""
        write_json(dict(sorted(self.places.items())), self.path / MARK)

    def file(self, kind: Kept, journal: str, first: int, last: int) -> Path:
        """Where records of some places belong."""
        return self.path / f"{kind}-{tag(journal)}-{first:012}-{last:012}.parquet"

    def files(self, kind: Kept | None = None, *, settled: bool = True) -> list[DrainedFile]:
        """The files within the places, or else those that an interrupted drain left beyond them, by name."""
        of_tag = {tag(name): place for name, place in self.places.items()}
        found = []
        for path in sorted(self.path.iterdir()):
            named = _NAME.fullmatch(path.name)
            if named and kind in (None, named[1]) and (int(named[4]) <= of_tag.get(named[2], -1)) == settled:
                found.append(DrainedFile(path, named[1], named[2], int(named[3]), int(named[4])))  # type: ignore[arg-type]
        return found

    def erasures(self) -> list[Erasure]:
        """All tombstones, of each journal and user the last one. Raises SourceError for a damaged line."""
        path, found = self.path / ERASED, dict[tuple[str, str], Erasure]()
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                each = Erasure(**json.loads(line))
            except (ValueError, TypeError):
                raise SourceError(f"{path}, line {number} is no erasure; restore the file: dvc checkout") from None
            former = found.get((each.journal, each.user))
            found[each.journal, each.user] = each if former is None or former.place < each.place else former
        return sorted(found.values(), key=lambda each: (each.journal, each.place))

    def bury(self, erasures: Iterable[Erasure]) -> bool:
        """Add tombstones to those that are there; whether any is new."""
        there = self.erasures()
        new = [each for each in erasures if each not in there]
        if new:
            lines = sorted(json.dumps(asdict(each)) for each in (*there, *new))
            write_text("\n".join(lines) + "\n", self.path / ERASED)
        return bool(new)


def tag(journal: str) -> str:
    """What stands for a journal's name in the names of files."""
    return blake2b(journal.encode(), digest_size=4).hexdigest()


def journal_files(source: Path) -> list[Path]:
    """All files in the journal's folder of a data set: none of them is the source's own."""
    folder = source / FOLDER
    return [path for path in folder.rglob("*") if path.is_file()] if (folder / MARK).exists() else []
