"""GET and DELETE /users/{id}: all that is known of a user, and forgetting it."""

from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from services.endpoints.profiles import Interests, InterestsRequest
from services.errors import ApiError
from strata.data.history import as_date
from strata.data.schema import ATTRIBUTES, PROFILE_TEXT
from strata.online.journal import Journal
from strata.recommendation.recommender import Recommender


class PastEvent(BaseModel):
    """An event that the release was made from."""

    item_id: str
    date: str | None = Field(description="Null where the data has no times.")
    weight: float = Field(description="Below 0 where it speaks against the item.")


class OwnData(BaseModel):
    """All that is known of a user."""

    user_id: str
    profile_text: str | None
    attributes: dict[str, str] = Field(description="As the data has them.")
    events: list[PastEvent] = Field(description="Of the release.")
    since: list[dict[str, Any]] = Field(description="All that the journal has: events, lists shown, corrections.")
    interests: Interests


class Forgotten(BaseModel):
    """What forgetting did."""

    records: int = Field(description="Records that are gone from the journal.")
    in_release: bool = Field(description="Whether the release has the user: hidden from now on, gone with the next.")


def own_data(release: Recommender, journal: Journal, asked: InterestsRequest, vectors: np.ndarray) -> OwnData:
    """All that is known of a user; `vectors` (n, d) of what `asked` reads. Raises ApiError where nobody knows them."""
    user_id = str(asked.user_id)
    person = release.person(asked.whose(release, vectors))
    records = journal.of_user(user_id)
    if person.unknown and not records:
        raise ApiError(404, "nobody knows this user", code="unknown_id", field="user_id", remedy="correct the id")
    mine = person.history.of(person.row)
    row = None if person.unknown else release.users.get(user_id)
    account = {} if row is None else release.accounts.row(row, named=True)
    times = [as_date(time) if release.timed else None for time in person.history.times[mine].tolist()]
    ids = release.catalogue.ids[person.history.items[mine]].tolist()
    weights = person.history.weights[mine].round(4).tolist()
    events = [
        PastEvent(item_id=item, date=date, weight=weight)
        for item, date, weight in zip(ids, times, weights, strict=True)
    ]
    return OwnData(
        user_id=user_id,
        profile_text=account.get(PROFILE_TEXT),
        attributes={pair["key"]: pair["value"] for pair in account.get(ATTRIBUTES) or []},
        events=events,
        since=[
            {"kind": kept.record.kind, "id": kept.record.id, "at": kept.record.at, **kept.record.body}
            for kept in records
        ],
        interests=asked.answer(release, vectors),
    )
