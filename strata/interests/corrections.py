"""Corrections of profiles (pin, rename, reject, block, undo), in one file that is applied to every new profile."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import numpy as np
import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from strata.data.schema import LEVELS, TIERS, USER, USER_ROW
from strata.errors import SourceError
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.storage import replacing

Action = Literal["pin", "rename", "reject", "block", "undo"]
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
Word = Annotated[str, Field(min_length=1, max_length=256)]
ROUNDED: Final = 1e-4
"""How far shares that are rounded may add up to more or less than 1."""
HELD: Final = pl.Schema(
    {USER: pl.String(), "id": pl.String(), "place": pl.Int64(), "action": pl.String(), "value": pl.String(),
     "on": pl.Date()}
)  # fmt: skip


class Correction(BaseModel):
    """One line of the file: at `time`, `who` said this of a topic in the profile of `user_id`.

    `topic` is the stable id of a catalogue topic. `value` is the new name, for "rename" alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    time: AwareDatetime
    who: Word
    user_id: Word
    topic: Word
    action: Action
    value: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    note: str = Field("", max_length=2_000)

    @model_validator(mode="after")
    def _names_are_for_renaming(self) -> Self:
        if (self.value is not None) != (self.action == "rename"):
            raise PydanticCustomError("value", "a value, the new name, goes with the action rename and no other")
        if self.value is not None and (not self.value.strip() or not self.value.isprintable()):
            raise PydanticCustomError("value", "a name is one line of visible characters")
        return self


@dataclass(frozen=True)
class Corrections:
    """All corrections in the order in which they were made.

    A correction applies to the point that contains its topic. For each topic the latest of pin, reject and block holds,
    and also the latest name; undo ends both. For a point with several corrected topics, the latest correction holds.
    """

    lines: tuple[Correction, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of corrections; a missing file holds none. Raises SourceError naming the first invalid line."""
        return cls(tuple(correction for _, correction in _parsed(path)))

    def __contains__(self, user_id: str) -> bool:
        """Whether the file has any correction for a user."""
        return user_id in self._users

    def apply(
        self, profiles: Profiles, user_ids: Sequence[str] | np.ndarray, themes: Themes, item_ids: np.ndarray
    ) -> Profiles:
        """The profiles of users (n_users,) with their corrections; dislikes stay as they are.

        Pinned points are core; a pinned topic without a point becomes one, without events, and counts as much as the
        owner's points do on average. Rejected and blocked points are left out; shares sum to 1 again. Applying twice
        changes nothing more.
        """
        held = self._in(user_ids, themes)
        if held.is_empty():
            return profiles
        table, vectors = _with_all_pinned(profiles, held, themes, item_ids)
        said = table.select("row", USER_ROW, topic="topics").explode("topic").join(held, on=[USER_ROW, "topic"])
        standing, names = (
            said.filter((pl.col("action") == "rename") == renaming).sort("place").unique("row", keep="last")
            for renaming in (False, True)
        )
        pinned = pl.col("action") == "pin"
        table = (
            table.join(standing.select("row", "action", "on"), on="row", how="left")
            .join(names.select("row", "value"), on="row", how="left")
            .with_columns(
                name=pl.coalesce("value", "name"),
                tier=pl.when(pinned).then(pl.lit("core")).otherwise("tier"),
                because=pl.when(pinned).then(pl.format("pinned on {}", "on")).otherwise("because"),
            )
        )
        return _sorted(table, vectors, profiles)

    def blocked_items(self, user_id: str, themes: Themes) -> np.ndarray:
        """Items that must never be recommended to a user: bool (n_items,)."""
        if user_id not in self:
            return np.zeros(len(themes.of_item), bool)
        blocked = self._held.filter((pl.col(USER) == user_id) & (pl.col("action") == "block"))["id"]
        topics = themes.at(LEVELS[0]).filter(pl.col("id").is_in(blocked.to_list()))["group"]
        return np.isin(themes.of_item[:, 0], topics.to_numpy())

    @cached_property
    def _users(self) -> frozenset[str]:
        return frozenset(line.user_id for line in self.lines)

    @cached_property
    def _held(self) -> pl.DataFrame:
        """What holds for each user and topic: a row for pin, reject or block, and one for a name; `place`: line."""
        held: dict[tuple[str, str, bool], dict[str, Any]] = {}
        for place, line in enumerate(self.lines):
            for renaming in (False, True):
                if line.action == "undo":
                    held.pop((line.user_id, line.topic, renaming), None)
                elif renaming == (line.action == "rename"):
                    held[line.user_id, line.topic, renaming] = {
                        USER: line.user_id, "id": line.topic, "place": place, "action": line.action,
                        "value": line.value, "on": line.time.date(),
                    }  # fmt: skip
        return pl.DataFrame(list(held.values()), schema=HELD)

    def _in(self, user_ids: Sequence[str] | np.ndarray, themes: Themes) -> pl.DataFrame:
        """The part of `_held` for these users and themes, with user rows and topic numbers."""
        if self._held.is_empty():
            return self._held
        users = pl.DataFrame({USER: pl.Series(list(user_ids), dtype=pl.String)}).with_row_index(USER_ROW)
        topics = themes.at(LEVELS[0]).select("id", topic="group")
        return self._held.join(users.cast({USER_ROW: pl.Int32}), on=USER).join(topics, on="id")


def append(correction: Correction, path: Path) -> None:
    """Append a line and return once it is on disk. Raises SourceError where the file is damaged."""
    with _alone(path):
        parsed = _parsed(path)
        mended = b"\n" if parsed and not parsed[-1][0].endswith(b"\n") else b""
        with path.open("ab") as file:
            file.write(mended + correction.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def forget(user_id: str, path: Path) -> int:
    """Remove a user's lines, leaving all others byte for byte; returns how many. Raises SourceError."""
    with _alone(path):
        parsed = _parsed(path)
        kept = [line for line, correction in parsed if correction.user_id != user_id]
        if len(kept) < len(parsed):
            with replacing(path) as temporary:
                temporary.write_bytes(b"".join(kept))
    return len(parsed) - len(kept)


def _parsed(path: Path) -> list[tuple[bytes, Correction]]:
    """The raw lines of a file, each with its parsed correction."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [(line, _parse(line, path, number)) for number, line in enumerate(lines, 1)]


def _parse(line: bytes, path: Path, number: int) -> Correction:
    try:
        return Correction.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        what = f"{field}: {first['msg']}" if field else first["msg"]
        raise SourceError(
            f"{path}, line {number} is no correction: {what}; mend or remove this line. It says time, who, user_id, "
            f"topic and action, one of {', '.join(ACTIONS)}"
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Lock the folder so that one process changes the file at a time, and sync the folder afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
        os.fsync(folder)
    finally:
        os.close(folder)


def _with_all_pinned(
    profiles: Profiles, held: pl.DataFrame, themes: Themes, item_ids: np.ndarray
) -> tuple[pl.DataFrame, np.ndarray]:
    """The table (with a `row` number) and vectors, with a point added for each pinned topic that has none."""
    table = profiles.table
    there = table.select(USER_ROW, topic="topics").explode("topic")
    alone = held.filter(pl.col("action") == "pin").join(there, on=[USER_ROW, "topic"], how="anti")
    alone = alone.sort("place").join(themes.at(LEVELS[0]).rename({"group": "topic"}), on="topic", maintain_order="left")
    topics = alone["topic"].to_numpy()
    medoids = alone["typical"].list.first().to_numpy()
    n = alone.height
    points = alone.select(USER_ROW, USER, "name", "phrases", "topic").with_columns(
        pl.lit(0).alias(count) for count in ("periods", "recent", "events", "items")
    )
    points = points.with_columns(
        *(pl.lit(0.0).alias(number) for number in ("strength", "persistence", "recency", "span")),
        share=1 / alone.join(table.group_by(USER_ROW).len("own"), on=USER_ROW, how="left")["own"].fill_null(1),
        stated=False,
        medoid=pl.Series(item_ids[medoids].tolist(), dtype=pl.String),
        evidence=pl.Series([[]] * n, dtype=pl.List(pl.String)),
        topics=pl.concat_list("topic"),
        category=pl.Series(themes.of_item[medoids, 1]),
        theme=pl.Series(themes.of_item[medoids, 2]),
    )
    points = points.select(pl.col(name).cast(table.schema[name]) for name in points.columns)
    vectors = np.concatenate([profiles.vectors, themes.centres(LEVELS[0])[topics]])
    return pl.concat([table, points], how="diagonal").with_row_index("row"), vectors


def _sorted(table: pl.DataFrame, vectors: np.ndarray, profiles: Profiles) -> Profiles:
    """Profiles of the remaining points, each user's core ones first; `table` has the columns `row` and `action`."""
    gone = pl.col("action").is_in(["reject", "block"]).fill_null(value=False)
    changed = table.filter(gone | (pl.col("events") == 0))[USER_ROW].unique().to_list()
    place = pl.col("tier").replace_strict(dict(zip(TIERS, range(len(TIERS)), strict=True)))
    table = table.filter(~gone).sort(USER_ROW, place, "strength", "row", descending=[False, True, True, False])
    total = pl.col("share").sum().over(USER_ROW)
    changed_now = pl.col(USER_ROW).is_in(changed) & ((total - 1).abs() > ROUNDED)
    share = pl.when(changed_now).then((pl.col("share") / total).round(6)).otherwise("share")
    number = pl.int_range(pl.len(), dtype=pl.Int32).over(USER_ROW)
    left = table.with_columns(share=share, point=number).select(profiles.table.columns)
    return replace(profiles, table=left, vectors=np.asarray(vectors[table["row"].to_numpy()]))
