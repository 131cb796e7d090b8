"""POST /corrections: what people say of a profile, which holds from the next request on."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from services.endpoints.base import examples
from services.endpoints.events import EventId
from services.errors import ApiError
from services.fields import UserId
from strata.errors import UnknownId
from strata.fields import Id, Request, absent, given
from strata.interests.correcting import new_lines
from strata.interests.correction_file import Action
from strata.online.records import Record
from strata.recommendation.recommender import Recommender

RENAMING = {"if": {"properties": {"action": {"const": "rename"}}}, "then": given("value"), "else": absent("value")}


class Corrected(BaseModel):
    """What was kept."""

    new: int = Field(description="Corrections that are new.")
    known: int = Field(description="Corrections that were there already, by their ids.")
    topic: str | None = Field(description="Name of the topic in this release; null where it is none of its topics.")


class CorrectionRequest(Request):
    """A correction of a user's profile."""

    model_config = examples(
        {"user_id": "10", "action": "pin", "topic_id": "topic-12", "by": "the user"},
        {"user_id": "10", "action": "rename", "topic_id": "topic-12", "value": "Space operas", "by": "an editor"},
        **RENAMING,
    )

    user_id: UserId
    action: Action = Field(description="pin: core; reject: no interest; block: nothing of it; undo: as it was.")
    topic_id: Id = Field(description="As /interests says it.")
    by: UserId = Field(description="Who says so: kept with it, as a pseudonym where users are.")
    value: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(None, description="The new name.")
    note: str = Field("", max_length=2_000, description="Why.")
    correction_id: EventId | None = None

    def records(self, release: Recommender, now: float) -> list[Record]:
        """As the journal keeps them. Raises ApiError."""
        profiler, whose = release.new_users.profiler, release.person(release.whose(self.user_id))
        if whose.unknown and not release.lately(self.user_id).said:
            raise ApiError(
                404, "nobody knows this user", code="unknown_id", field="user_id",
                remedy="send an event of theirs first, or correct the id",
            )  # fmt: skip
        try:
            lines = new_lines(
                self.user_id, self.action, self.topic_id, who=self.by, time=datetime.fromtimestamp(int(now), UTC),
                value=self.value, note=self.note, before=whose.corrections,
                release=(profiler.themes, profiler.catalogue, profiler.space),
            )  # fmt: skip
        except UnknownId as error:
            remedy = "use a topic_id of /interests"
            raise ApiError(404, str(error), code="unknown_id", field="topic_id", remedy=remedy) from None
        except ValidationError as error:
            fault = error.errors()[0]
            field = ".".join(map(str, fault["loc"])) or "value"
            raise ApiError(422, fault["msg"], code=fault["type"], field=field) from None
        id = self.correction_id or secrets.token_hex(12)
        return [
            Record("correction", f"{id}/{number}" if number else id, self.user_id, now, line.model_dump(mode="json"))
            for number, line in enumerate(lines)
        ]

    def topic_name(self, release: Recommender) -> str | None:
        """The name of the topic in the release."""
        names = dict(release.themes.at("topic").select("id", "name").iter_rows())
        return names.get(self.topic_id)
