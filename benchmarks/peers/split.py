"""A split in the form that the peers read: RecBole's atomic files, numbers for ids, and not one item of the test."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from benchmarks.peers.grids import LENGTH
from strata.data.schema import ITEM, TIMESTAMP, USER
from strata.errors import SourceError
from strata.storage import write_text

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Events of the three parts, in the order given, with `user` and `item`: rows of the sorted `users` and `items`."""

    parts: dict[str, pl.DataFrame]
    users: pl.Series
    items: pl.Series

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read train.parquet, validation.parquet and test.parquet: user_id, item_id and timestamp (date or seconds).

        Raises SourceError where a file or column is missing, a value is null or events are not in time order.
        """
        parts = {part: _read(folder / f"{part}.parquet") for part in PARTS}
        _check_order(pl.concat([parts["train"], parts["validation"]]), folder)
        return cls.of(parts)

    @classmethod
    def of(cls, parts: Mapping[str, pl.DataFrame]) -> Self:
        """Number what train and validation hold. A new item of the test is null, a new user of the test is left out."""
        known = pl.concat([parts[part].select(USER, ITEM) for part in PARTS[:2]])
        users, items = known[USER].unique().sort(), known[ITEM].unique().sort()
        user_rows, item_rows = (ids.to_frame().with_row_index(name) for name, ids in (("user", users), ("item", items)))
        numbered = {
            part: events.join(user_rows, on=USER, maintain_order="left")
            .join(item_rows, on=ITEM, how="left", maintain_order="left")
            .select("user", "item")
            for part, events in parts.items()
        }
        return cls(numbered, users, items)

    def write(self, folder: Path) -> None:
        """Write what the peers learn from, and whom they are asked about, below `folder`.

        pairs/ and sequences/: training events as pairs and as windows (RecBole's atomic files). queries.json:
        the number of items; users and histories for validation, with what is relevant, and for the test, whose items
        stay here. Users without an event in train are left out: no peer knows them.
        Raises SourceError where nobody is left.
        """
        train, validation, test = (self.parts[part] for part in PARTS)
        pairs = train.select("user", "item").unique(maintain_order=True)
        _write_atomic(folder, "pairs", "user_id:token\titem_id:token", pairs.iter_rows())
        windows = ((user, " ".join(map(str, items)), following) for user, items, following in self.windows())
        _write_atomic(folder, "sequences", "user_id:token\titem_id_list:token_seq\titem_id:token", windows)
        before = train.group_by("user").agg(history="item")
        known = pl.concat([train, validation]).group_by("user").agg(history="item")
        still = validation.join(train, on=["user", "item"], how="anti").unique(maintain_order=True)
        relevant = still.group_by("user").agg(relevant="item").join(before, on="user")
        asked = test.select("user").unique().join(train, on="user", how="semi").join(known, on="user")
        if relevant.is_empty() or asked.is_empty():
            part = "validation" if relevant.is_empty() else "test"
            raise SourceError(f"no user of {part}.parquet is known from train.parquet; give both parts the same users")
        queries = {
            "items": len(self.items),
            "validation": relevant.sort("user").to_dict(as_series=False),
            "test": asked.sort("user").to_dict(as_series=False),
        }
        write_text(json.dumps(queries), folder / "queries.json")

    def windows(self) -> Iterator[tuple[int, list[int], int]]:
        """User row, up to LENGTH of their training events, and the one that follows.

        Windows meet but do not overlap: every event but a user's first follows another in exactly one of them.
        """
        histories = self.parts["train"].group_by("user", maintain_order=True).agg("item")
        for user, events in histories.iter_rows():
            for end in range(len(events) - 1, 0, -LENGTH):
                yield user, events[max(end - LENGTH, 0) : end], events[end]

    def rankings(self, users: np.ndarray, ranked: np.ndarray) -> pl.DataFrame:
        """Ranked item rows (B, K) of user rows (B,), −1 for nothing, as user_id, item_id and place 1 … K."""
        rows, places = np.nonzero(ranked >= 0)
        return pl.DataFrame(
            {
                USER: self.users[users[rows]],
                ITEM: self.items[ranked[rows, places]],
                "place": pl.Series(places + 1, dtype=pl.Int32),
            }
        )


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise SourceError(f"{path} does not exist; name a folder that holds train, validation and test.parquet")
    if missing := {USER, ITEM, TIMESTAMP} - set(pl.read_parquet_schema(path)):
        raise SourceError(f"{path} has no column {', '.join(sorted(missing))}; write the split with all three")
    table = pl.read_parquet(path, columns=[USER, ITEM, TIMESTAMP])
    seconds = pl.col(TIMESTAMP).dt.epoch("us") / 1e6 if table.schema[TIMESTAMP].is_temporal() else pl.col(TIMESTAMP)
    table = table.select(pl.col(USER, ITEM).cast(pl.String), seconds.cast(pl.Float64).alias(TIMESTAMP))
    empty = table.with_row_index("row").filter(pl.any_horizontal(pl.all().is_null()))
    if len(empty):
        raise SourceError(
            f"{path}: {len(empty)} rows lack an id or a time (first: row {empty['row'][0] + 1}); drop them"
        )
    return table


def _check_order(events: pl.DataFrame, folder: Path) -> None:
    early = events.filter(pl.col(TIMESTAMP) < pl.col(TIMESTAMP).shift().over(USER))
    if len(early):
        user = early[USER][0]
        raise SourceError(
            f"{folder}: {len(early)} events of train and validation come before the event above them "
            f"(first: user {user}, item {early[ITEM][0]}); sort each user's rows by time"
        )


def _write_atomic(folder: Path, name: str, header: str, rows: Iterator[tuple[object, ...]]) -> None:
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    write_text(f"{header}\n{lines}", folder / name / f"{name}.train.inter")
