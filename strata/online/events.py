"""What somebody does while a release serves: one event, and its form in the journal."""

import re
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter, field_validator, model_validator
from pydantic_core import PydanticCustomError

from strata.data.schema import BEHAVIOUR, DWELL, ITEM, TEXT, VALUE, WORDED, Behaviour
from strata.fields import Id, Request
from strata.online.records import Record

LATE_SECONDS: Final = 300.0
"""How far ahead of the platform's clock an event may be: clocks differ."""
BODY: Final = (ITEM, BEHAVIOUR, VALUE, DWELL, TEXT)
"""Fields that are the body of a record; the others are the record's own."""
LATEST: Final = 1e11
"""Seconds that could only be meant as milliseconds: the year 5138."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_TIME: Final[TypeAdapter[AwareDatetime]] = TypeAdapter(AwareDatetime)


def _seconds(value: Any) -> Any:
    """A time as it is written, with its zone, in seconds since 1970; a number is left alone."""
    if not isinstance(value, str):
        return value
    if not _DATE.match(value):
        raise PydanticCustomError("time", "write a time with its zone, such as 2026-01-31T12:00:00Z")
    return _TIME.validate_python(value).timestamp()


class LiveEvent(Request):
    """Something that a user did. `timestamp`: seconds since 1970, given so or by RFC 3339; None: now.

    `value`: of a rating, on the scale of the data; a quantity; a price. `dwell_s`: seconds that it took. `text`: what
    came with it. `event_id`: the same id sent again changes nothing.
    """

    user_id: Id
    behaviour: Behaviour
    item_id: Id | None = None
    timestamp: Annotated[float, Field(ge=0, lt=LATEST), BeforeValidator(_seconds)] | None = None
    value: float | None = None
    dwell_s: float | None = Field(None, ge=0)
    text: str | None = Field(None, min_length=1, max_length=2_000)
    event_id: Id | None = None

    @field_validator("user_id", "item_id", "text", "event_id")
    @classmethod
    def _is_text(cls, value: str | None) -> str | None:
        """Refuse halves of characters, which JSON can write and no store can keep."""
        if value is not None and not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
            raise PydanticCustomError("text", "half of a character (a lone surrogate) is no text")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.item_id is None and not (self.text and self.behaviour in WORDED):
            names = ", ".join(WORDED)
            raise PydanticCustomError("event", "name an item_id, or give the text of one of {names}", {"names": names})
        return self

    def to_record(self, now: float, without_id: str) -> Record:
        """As the journal keeps it; `without_id` is its id where it has none. What is yet to come happens now."""
        at = now if self.timestamp is None or self.timestamp > now + LATE_SECONDS else self.timestamp
        body = self.model_dump(include=set(BODY), exclude_none=True)
        return Record("event", self.event_id or without_id, self.user_id, at, body)

    @classmethod
    def of_record(cls, record: Record) -> Self:
        """The event that a record of the journal tells of."""
        body = {name: record.body[name] for name in BODY if name in record.body}
        return cls.model_construct(user_id=record.user_id, event_id=record.id, timestamp=record.at, **body)
