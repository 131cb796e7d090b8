"""What keeping events costs: appends to the journal beside one insert that waits for the disk, in turn, in one run.

python -m benchmarks.journal
"""

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from strata.cli.terminal import console
from strata.online.opening import open_journal
from strata.online.records import Record

BATCH: Final = 1_000
INSERT: Final = "one insert, SQLite"
"""That waits for the disk: what nothing that keeps an event can do without."""


def records(user_count: int) -> Iterator[Record]:
    """Clicks with ids like those of real services, without end."""
    for n in count():
        body = {"item_id": f"item-{n * 7919 % 20_011}", "behaviour": "click", "dwell_s": 3.5}
        yield Record(
            "event", f"{n * 2_654_435_761 % 2**32:08x}-{n:012x}", f"user-{n * 31 % user_count}", 1.7e9 + n, body
        )


def plain(file: Path) -> sqlite3.Connection:
    """A table of texts by id whose commits wait for the disk."""
    store = sqlite3.connect(file, isolation_level=None)
    store.execute("pragma journal_mode = wal")
    store.execute("pragma synchronous = full")
    store.execute("create table events (id text primary key, content text) without rowid")
    return store


def seconds(act: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def main(
    journals: Annotated[
        list[str] | None, typer.Argument(help="Addresses of new journals; by default a file in a temporary folder.")
    ] = None,
    filled: Annotated[int, typer.Option(help="Records that each journal has before anything is timed.")] = 100_000,
    singles: Annotated[int, typer.Option(help="Appends of one record.")] = 300,
    batches: Annotated[int, typer.Option(help=f"Appends of {BATCH:,} records.")] = 30,
    users: Annotated[int, typer.Option(help="Users that the records are of.")] = 10_000,
    folder: Annotated[Path | None, typer.Option(help="Where the files are: the disk that is measured.")] = None,
    output: Annotated[Path | None, typer.Option(help="File for the figures, as JSON.")] = None,
) -> None:
    """Time each way in turn, and print a table."""
    with tempfile.TemporaryDirectory(dir=folder) as made, closing(plain(Path(made) / "plain.sqlite")) as beside:
        opened = [open_journal(address) for address in journals or [str(Path(made) / "journal.sqlite")]]
        ways = {type(journal).__name__: journal for journal in opened}
        source = records(users)
        took: dict[str, list[float]] = {INSERT: []} | {name: [] for name in ways}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        reads: dict[str, list[float]] = {name: [] for name in ways}
        for journal in ways.values():
            for _ in range(0, filled, BATCH):
                journal.append(list(islice(source, BATCH)))
        for record in islice(source, singles):
            row = (record.id, record.text)
            took[INSERT].append(seconds(lambda row=row: beside.execute("insert into events values (?, ?)", row)))
            for name, journal in ways.items():
                took[name].append(seconds(lambda journal=journal, record=record: journal.append([record])))
                reads[name].append(seconds(lambda journal=journal, record=record: journal.last(record.user_id or "")))
        for _ in range(batches):
            part = list(islice(source, BATCH))
            for name, journal in ways.items():
                rates[name].append(BATCH / seconds(lambda journal=journal, part=part: journal.append(part)))
        for journal in ways.values():
            journal.close()
    figures = [
        _figures(name, each, took[INSERT], rates.get(name, []), reads.get(name, [])) for name, each in took.items()
    ]
    console.print(_table(figures, filled))
    if output is not None:
        output.write_text(json.dumps({"filled": filled, "ways": figures}, indent=2) + "\n", encoding="utf-8")


def _figures(
    name: str, took: Sequence[float], insert: Sequence[float], rates: Sequence[float], reads: Sequence[float]
) -> dict[str, str | float | None]:
    """Medians; `cost` is the median of what one append costs more than the insert beside it."""
    return {
        "way": name,
        "append_ms": 1e3 * statistics.median(took),
        "cost": statistics.median(took) / statistics.median(insert),
        "batched_per_s": statistics.median(rates) if rates else None,
        "last_us": 1e6 * statistics.median(reads) if reads else None,
    }


def _table(figures: Sequence[dict[str, str | float | None]], filled: int) -> Table:
    title = f"Appends to journals of {filled:,} records; batches of {BATCH:,}; medians"
    table = Table("way", "one append, ms", "× the insert", "records/s in batches", "last of a user, µs", title=title)
    for each in figures:
        shown = [
            f"{value:,.{digits}f}" if (value := each[name]) is not None else "" for name, digits in _DIGITS.items()
        ]
        table.add_row(str(each["way"]), *shown)
    return table


_DIGITS: Final = {"append_ms": 2, "cost": 2, "batched_per_s": 0, "last_us": 0}


if __name__ == "__main__":
    typer.run(main)
