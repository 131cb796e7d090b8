"""Corrections of profiles (pin, rename, reject, block, undo), applied to every new profile of any release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Final, Self

import numpy as np
import polars as pl

from strata.data.catalogue import Catalogue
from strata.data.schema import LEVELS, TIERS, USER, USER_ROW
from strata.embeddings.space import InterestSpace
from strata.interests.correction_file import Correction, parsed
from strata.interests.profiles import Profiles
from strata.interests.refinding import Meant, items_left, refind
from strata.interests.themes import Themes
from strata.release.layout import Part

ROUNDED: Final = 1e-4
"""How far shares that are rounded may add up to more or less than 1."""
HELD: Final = pl.Schema(
    {USER: pl.String(), "id": pl.String(), "place": pl.Int64(), "action": pl.String(), "value": pl.String(),
     "on": pl.Date()}
)  # fmt: skip


@dataclass(frozen=True)
class Corrections:
    """All corrections in the order in which they were made.

    A correction applies to the point that contains its topic. For each topic the latest of pin, reject and block holds,
    and also the latest name; undo ends both. For a point with several corrected topics, the latest correction holds.

    `topics`: the topic that each line is of in one release, as `found` sees it; None: that of the same id. `barred`:
    item rows, by user, of what a line once blocked and what is no topic any more.
    """

    lines: tuple[Correction, ...] = ()
    topics: tuple[str, ...] | None = None
    barred: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of corrections; a missing file holds none. Raises SourceError naming the first invalid line."""
        return cls(tuple(correction for _, correction in parsed(path)))

    def found(self, themes: Themes, catalogue: Catalogue, space: InterestSpace) -> Self:
        """The same corrections among a release's topics, each where `refind` finds what it meant.

        A line that was made before lines said what they meant stays with its id. One that is found nowhere applies to
        nothing (see `lost`), except that a block goes on barring the items it is known to mean.
        """
        meaning = [(line.topic, line.meant) for line in self.lines if line.meant is not None]
        if not meaning:
            return self
        places = iter(refind(meaning, themes, catalogue, space))
        topics = tuple(line.topic if line.meant is None else next(places) or _lost(line) for line in self.lines)
        placed = replace(self, topics=topics)
        gone = [line for line in placed.lost(themes) if line.action == "block" and line.meant is not None]
        rows = items_left([line.meant for line in gone if line.meant is not None], catalogue)
        barred: dict[str, np.ndarray] = {}
        for line, items in zip(gone, rows, strict=True):
            barred[line.user_id] = np.union1d(barred.get(line.user_id, items), items)
        return replace(placed, barred=barred)

    def lost(self, themes: Themes) -> list[Correction]:
        """The lines that hold but whose topic is none of these themes: they apply to nothing."""
        there = themes.at(LEVELS[0])["id"].to_list()
        gone = self._held.filter(~pl.col("id").is_in(there)).sort("place")
        return [self.lines[place] for place in gone["place"]]

    def about(self, user_id: str, topic: str) -> list[tuple[str, Meant | None]]:
        """What the lines that hold for a user and a topic say that they are of: each id, and what it meant, once.

        `topic`: an id in this release or, for lines that are lost, what `said_lost` calls it.
        """
        said: list[tuple[str, Meant | None]] = []
        for line, now in zip(self.lines, self._topics, strict=True):
            if line.user_id == user_id and now == topic:
                of = (line.topic, line.meant)
                said = [] if line.action == "undo" else said if of in said else [*said, of]
        return said

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
        found = np.isin(themes.of_item[:, 0], topics.to_numpy())
        found[self.barred.get(user_id, np.zeros(0, np.int64))] = True
        return found

    def refused_topics(self, user_id: str, themes: Themes) -> set[int]:
        """Numbers of the topics that a user rejected or blocked."""
        if user_id not in self:
            return set()
        refused = pl.col("action").is_in(["reject", "block"])
        ids = self._held.filter((pl.col(USER) == user_id) & refused)["id"]
        return set(themes.at(LEVELS[0]).filter(pl.col("id").is_in(ids.to_list()))["group"])

    @cached_property
    def _users(self) -> frozenset[str]:
        return frozenset(line.user_id for line in self.lines)

    @property
    def _topics(self) -> Sequence[str]:
        return [line.topic for line in self.lines] if self.topics is None else self.topics

    @cached_property
    def _held(self) -> pl.DataFrame:
        """What holds for each user and topic: a row for pin, reject or block, and one for a name; `place`: line."""
        held: dict[tuple[str, str, bool], dict[str, Any]] = {}
        for place, (line, topic) in enumerate(zip(self.lines, self._topics, strict=True)):
            for renaming in (False, True):
                if line.action == "undo":
                    held.pop((line.user_id, topic, renaming), None)
                elif renaming == (line.action == "rename"):
                    held[line.user_id, topic, renaming] = {
                        USER: line.user_id, "id": topic, "place": place, "action": line.action,
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


NOTHING_CORRECTED: Final = Corrections()


def said_lost(line: Correction) -> str:
    """One sentence on a correction that no longer finds its interest, and how to mend that."""
    was = "its name was not kept then" if line.meant is None else f"was {line.meant}"
    ends = f"strata correct {quote(line.user_id)} undo {quote(_lost(line))} --by NAME"
    kept = "; its items stay blocked" if line.action == "block" and line.meant is not None else ""
    return (
        f"the correction {line.action} {line.topic} of user {line.user_id} no longer finds its interest ({was}){kept}; "
        f"correct what is there now, and end this one by {ends}"
    )


def lost_in(release: Path) -> list[str]:
    """What to say of the corrections of a release folder that find their interest in none of its topics."""
    corrections = Corrections.read(release / Part.CORRECTIONS)
    if not corrections.lines:
        return []
    themes, catalogue = Themes.read(release / Part.THEMES), Catalogue.read(release / Part.ITEMS)
    found = corrections.found(themes, catalogue, InterestSpace.read(release / Part.SPACE))
    return [said_lost(line) for line in found.lost(themes)]


def _lost(line: Correction) -> str:
    """What stands in place of a topic's id for a line whose topic is found nowhere: no id, and one for all it meant."""
    return f"{line.topic} ({line.meant.name})" if line.meant is not None else line.topic


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
