"""The latest records of a journal as tables: events, what was shown, and how satisfied people were."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from strata.data.journal_folder import LIST, PLACE
from strata.data.schema import BEHAVIOUR, EVENT, ITEM, TIME, TIMESTAMP, USER, VALUE
from strata.online.draining import records
from strata.online.journal import Journal
from strata.online.records import Kept, Kind

WATCHED: Final[tuple[Kind, ...]] = ("event", "shown", "satisfied")
MOST: Final = 500_000
"""Records of a window: of more the latest are taken."""
EVENTS: Final = pl.Schema(
    {
        USER: pl.String(), ITEM: pl.String(), BEHAVIOUR: pl.String(), TIMESTAMP: TIME, EVENT: pl.String(),
        LIST: pl.String(), PLACE: pl.Int64(),
    }
)  # fmt: skip
SHOWN: Final = pl.Schema(
    {
        LIST: pl.String(), "release": pl.String(), TIMESTAMP: TIME, "fallback": pl.Boolean(), ITEM: pl.String(),
        "rank": pl.Int64(), "propensity": pl.Float64(),
    }
)  # fmt: skip
SATISFIED: Final = pl.Schema({LIST: pl.String(), USER: pl.String(), TIMESTAMP: TIME, VALUE: pl.Float64()})


@dataclass(frozen=True)
class Window:
    """What a journal has of a time: tables in the schemas EVENTS, SHOWN (a row for each item) and SATISFIED.

    `since`: its beginning; `until`: its end, in seconds since 1970 of the platform's time.
    """

    events: pl.DataFrame
    shown: pl.DataFrame
    satisfied: pl.DataFrame
    since: float
    until: float


def window(journal: Journal, since: float, until: float) -> Window:
    """The records from `since` on, in the order of acceptance. Raises StoreUnavailable."""
    position = journal.position()
    first = max(_place_at(journal, since, position), position - MOST)
    events, shown, satisfied = [], list[dict[str, Any]](), []
    for kept in records(journal, WATCHED, first, position):
        if kept.record.at < since:
            continue
        match kept.record.kind:
            case "event":
                events.append(_event(kept))
            case "shown":
                shown += _items(kept)
            case _:
                satisfied.append(_judged(kept))
    return Window(
        pl.DataFrame(events, EVENTS), pl.DataFrame(shown, SHOWN), pl.DataFrame(satisfied, SATISFIED), since, until
    )


def _place_at(journal: Journal, since: float, position: int) -> int:
    """A place after which the records from a time on lie, but for those of before that came late: by bisection."""
    low, high = 0, position
    while low < high:
        middle = (low + high) // 2
        found = journal.of_kind(WATCHED, middle, 1)
        if not found or found[0].record.at >= since:
            high = middle
        else:
            low = found[0].place
    return low


def _event(kept: Kept) -> dict[str, Any]:
    record = kept.record
    said = {name: record.body.get(name) for name in (ITEM, BEHAVIOUR, LIST)}
    return {USER: record.user_id, TIMESTAMP: _time(record.at), EVENT: record.id, PLACE: kept.place, **said}


def _items(kept: Kept) -> list[dict[str, Any]]:
    """Of a list that the service gave; what others say they showed is of no release, and left out."""
    body = kept.record.body
    head = {LIST: body.get(LIST), "release": body.get("release"), TIMESTAMP: _time(kept.record.at)}
    listed = body.get("items") or [] if head["release"] else []
    return [
        {**head, "fallback": bool(body.get("fallback")), ITEM: item, "rank": rank, "propensity": propensity}
        for item, rank, propensity, *_ in listed
    ]


def _judged(kept: Kept) -> dict[str, Any]:
    record = kept.record
    return {LIST: record.body.get(LIST), USER: record.user_id, TIMESTAMP: _time(record.at), VALUE: record.body[VALUE]}


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
