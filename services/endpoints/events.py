"""POST /events and /feedback: what people do, kept before it is acknowledged."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.endpoints.base import examples, seconds
from services.fields import Text, Time, UserId
from strata.data.schema import VALUE, WORDED, Behaviour
from strata.fields import Id, Request, absent, given, whole
from strata.online.records import Accepted, Kind, Record
from strata.recommendation.recommender import Recommender

LATE_SECONDS = 300.0
"""How far ahead of the platform's clock an event may be: clocks differ."""
MOST = 1_000
Reaction = Literal["shown", "clicked", "liked", "disliked", "hidden", "satisfied"]
BEHAVIOUR_OF: dict[str, Behaviour] = {"clicked": "click", "liked": "like", "disliked": "dislike", "hidden": "hide"}
EventId = Annotated[
    Id, Field(description="Of the caller: the same id sent again changes nothing. Without one, a retry counts twice.")
]


def new_id() -> str:
    """An id for what came without one."""
    return secrets.token_hex(12)


def when(timestamp: datetime | None, now: float) -> float:
    """When something happened, in seconds: now where nobody says so, or where it is yet to come."""
    at = now if timestamp is None else seconds(timestamp)
    return at if at <= now + LATE_SECONDS else now


class Kept(BaseModel):
    """What was kept; it is on disk, and the next request goes by it."""

    new: int = Field(description="Records that are new.")
    known: int = Field(description="Records that were there already, by their ids.")
    unknown_items: int = Field(0, description="Of them on items that the release lacks: they count from a refresh on.")
    future: int = Field(0, description="Of them from a time to come, which count as of now.")

    @classmethod
    def of(cls, accepted: Sequence[Accepted], **told: int) -> Self:
        """The answer to what the journal accepted."""
        new = sum(each.new for each in accepted)
        return cls(new=new, known=len(accepted) - new, **told)


WITH_TEXT = {**given("text"), "properties": {**given("text")["properties"], "behaviour": {"enum": list(WORDED)}}}


class SentEvent(Request):
    """Something that a user did."""

    model_config = ConfigDict(json_schema_extra={"if": given("item_id"), "then": {}, "else": WITH_TEXT})

    user_id: UserId = Field(description="Anybody: a new id is a new user.")
    behaviour: Behaviour
    item_id: Id | None = Field(None, description="May be missing where a text tells, as of a search.")
    timestamp: Time | None = Field(None, description="When, with time zone (RFC 3339); null: now.")
    value: float | None = Field(None, description="Of a rating, on the scale of the data; a quantity; a price.")
    dwell_s: float | None = Field(None, ge=0, description="Seconds that it took.")
    text: Text | None = Field(None, description="What came with it: a query, a comment, a review.")
    event_id: EventId | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.item_id is None and not (self.text and self.behaviour in WORDED):
            names = ", ".join(WORDED)
            raise PydanticCustomError("event", "name an item_id, or give the text of one of {names}", {"names": names})
        return self

    def record(self, now: float) -> Record:
        """As the journal keeps it."""
        body = self.model_dump(include={"item_id", "behaviour", VALUE, "dwell_s", "text"}, exclude_none=True)
        return Record("event", self.event_id or new_id(), self.user_id, when(self.timestamp, now), body)


class EventsRequest(Request):
    """Events, of one user or many, in any order."""

    model_config = examples(
        {"events": [{"user_id": "10", "item_id": "50", "behaviour": "view", "event_id": "a1"}]},
        {"events": [{"user_id": "new", "behaviour": "search", "text": "space opera"}]},
    )

    events: list[SentEvent] = Field(min_length=1, max_length=MOST)

    def records(self, now: float) -> list[Record]:
        """As the journal keeps them."""
        return [event.record(now) for event in self.events]

    def told(self, release: Recommender, now: float) -> dict[str, int]:
        """How many are on items that the release lacks, and how many from a time to come."""
        items = [event.item_id for event in self.events if event.item_id is not None]
        times = [seconds(event.timestamp) for event in self.events if event.timestamp is not None]
        return {
            "unknown_items": sum(item not in release.catalogue for item in items),
            "future": sum(time > now + LATE_SECONDS for time in times),
        }


SATISFIED = {"properties": {"reaction": {"const": "satisfied"}}}
OF_AN_ITEM = {**given("item_id"), "properties": {**given("item_id")["properties"], **absent("value")["properties"]}}


class SentFeedback(Request):
    """How somebody took what was shown to them."""

    model_config = ConfigDict(json_schema_extra={"if": SATISFIED, "then": given("value"), "else": OF_AN_ITEM})

    user_id: UserId
    reaction: Reaction
    item_id: Id | None = Field(None, description="Which item; null only for satisfied, with a list as a whole.")
    list_id: Id | None = Field(None, description="Of the list that it was in, as its answer says.")
    value: Annotated[int, Field(ge=1, le=5), BeforeValidator(whole)] | None = Field(
        None, description="For satisfied, from 1 to 5."
    )
    timestamp: Time | None = None
    feedback_id: EventId | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.value is not None) != (self.reaction == "satisfied"):
            raise PydanticCustomError("value", "a value, from 1 to 5, goes with satisfied and with nothing else")
        if self.item_id is None and self.reaction != "satisfied":
            raise PydanticCustomError("item_id", "name the item_id: only satisfied may be with a list as a whole")
        return self

    def record(self, now: float) -> Record:
        """As the journal keeps it: what says something of an item is an event."""
        body = self.model_dump(include={"item_id", "list_id", VALUE}, exclude_none=True)
        kind: Kind = "event"
        if self.reaction in BEHAVIOUR_OF:
            body["behaviour"] = BEHAVIOUR_OF[self.reaction]
        else:
            kind = "satisfied" if self.reaction == "satisfied" else "shown"
        return Record(kind, self.feedback_id or new_id(), self.user_id, when(self.timestamp, now), body)


class FeedbackRequest(Request):
    """Reactions, of one user or many."""

    model_config = examples(
        {"feedback": [{"user_id": "10", "reaction": "hidden", "item_id": "50"}]},
        {"feedback": [{"user_id": "10", "reaction": "satisfied", "value": 4, "list_id": "b2"}]},
    )

    feedback: list[SentFeedback] = Field(min_length=1, max_length=MOST)

    def records(self, now: float) -> list[Record]:
        """As the journal keeps them."""
        return [each.record(now) for each in self.feedback]

    def told(self, release: Recommender) -> dict[str, int]:
        """How many are on items that the release lacks."""
        items = [each.item_id for each in self.feedback if each.item_id is not None]
        return {"unknown_items": sum(item not in release.catalogue for item in items)}
