"""A message of a stream as a record of the journal: the JSON of one event."""

from typing import Final

from pydantic import ValidationError

from strata.online.events import LiveEvent
from strata.online.records import Record

MOST_BYTES: Final = 1 << 16
"""Of a message: an event with the longest text there is takes some 10 KB."""
TOLD: Final = 3
"""Faults of a message that its refusal names."""
LONGEST: Final = 300
"""Characters of such a reason."""


class Unreadable(Exception):  # noqa: N818
    """A message is no event; says why, without its content."""


def parse(message: bytes, entry: str, now: float) -> Record:
    """The record of a message; `entry`, its id in the stream, is the event's where it has none. Raises Unreadable."""
    if not message:
        raise Unreadable("no message: it was trimmed from its stream before it was read, or has no field 'event'")
    if len(message) > MOST_BYTES:
        raise Unreadable(f"a message of {len(message):,} bytes; at most {MOST_BYTES:,} are an event")
    try:
        return LiveEvent.model_validate_json(message).to_record(now, entry)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        told = "; ".join(": ".join([*map(str, fault["loc"][:1]), fault["msg"]]) for fault in faults[:TOLD])
        raise Unreadable(told[:LONGEST]) from None
