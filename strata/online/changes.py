"""Items as the service was told of them: a row for each change, in the columns of the items table."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from strata.data.journal_folder import AT, PLACE, WITHDRAWN
from strata.data.schema import ATTRIBUTES, CATEGORIES, CREATED, ITEM, ITEMS, REMOVED, TAGS
from strata.online.records import Kept


def as_change(kept: Kept) -> dict[str, Any]:
    """A record of kind "item" as a row: what it says of the item, or that it is withdrawn."""
    body = kept.record.body
    said = {name: body.get(name) for name in ITEMS.names()}
    said |= {name: body.get(name) or [] for name in (CATEGORIES, TAGS)}
    said |= {name: _time(body.get(name)) for name in (CREATED, REMOVED)}
    withdrawn = bool(body.get("removed"))
    at = datetime.fromtimestamp(kept.record.at, UTC)
    return {**said, ITEM: str(body[ITEM]), ATTRIBUTES: _pairs(body.get(ATTRIBUTES)), WITHDRAWN: withdrawn, AT: at,
            PLACE: kept.place}  # fmt: skip


def _time(given: Any) -> datetime | None:
    """A time as the service keeps it: RFC 3339 (without a zone UTC), or seconds since 1970."""
    if given is None:
        return None
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC)
    time = datetime.fromisoformat(given)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _pairs(given: Any) -> list[dict[str, str]]:
    """Attributes, given as a map or as pairs, as pairs with sorted keys."""
    pairs = given.items() if isinstance(given, Mapping) else ((pair["key"], pair["value"]) for pair in given or ())
    return [{"key": str(key), "value": str(value)} for key, value in sorted(pairs)]
