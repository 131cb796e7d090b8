"""/interests: somebody's interests on three levels, with the numbers behind them."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Self, TypeVar

import numpy as np
import polars as pl
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.endpoints.base import Answer, Whose, examples_of_one, nothing_found, seconds, standing
from services.fields import Time
from services.writing import summary_of
from strata.data.schema import LEVELS, Tier
from strata.interests.query_users import QueryUser
from strata.interests.themes import Themes
from strata.interests.understanding import Meaning
from strata.recommendation.recommender import Recommender

Row = TypeVar("Row", bound=BaseModel)


class Numbers(BaseModel):
    """The numbers behind a tier; null where they need a history and there is none."""

    strength: float = Field(description="Weights of its events, halved with each half-life of their age.")
    share: float = Field(description="Share of the person's strength.")
    persistence: float | None = Field(None, description="Share of the active weeks in which it occurs.")
    periods: int | None = Field(None, description="Active weeks in which it occurs, of `of_periods`.")
    of_periods: int | None = None
    absent: int | None = Field(None, description="Active weeks since it last occurred.")
    recency: float | None = Field(None, description="1 at its latest event, halved with each half-life since.")
    span: float | None = Field(None, description="Share of the person's lifetime from its first to its latest event.")
    recent: int | None = Field(None, description="Events of the person's recent days.")
    quiet: float | None = Field(None, description="Days from its latest event to the person's latest.")
    events: int | None = None
    items: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None


class Interest(Numbers):
    """A content point: what it is about, its tier and the numbers behind that."""

    name: str
    topic_id: str = Field(description="Stable id of its main topic, by which points of two times can be compared.")
    topic_ids: list[str] = Field(description="Of all its topics.")
    tier: Tier
    because: str = Field(description="The numbers that caused the tier.")
    worded: str | None = Field(None, description="Its main topic as a language model words it; the phrases stay.")
    stated: bool = Field(False, description="Whether the person's profile text states it.")
    phrases: list[str]
    evidence: list[str] = Field(description="Item ids.")


class Preference(Numbers):
    """A lasting theme behind several points."""

    id: str = Field(description="Stable id of the theme.")
    name: str
    tier: Tier
    because: str
    phrases: list[str]
    points: list[str] = Field(description="Names of the points under it.")
    topic_ids: list[str] = Field(description="Their main topics.")


class Dislike(BaseModel):
    """What the person spoke against: never an interest, it lowers scores. Of words alone there are no events."""

    name: str
    topic_id: str
    topic_ids: list[str]
    because: str
    phrases: list[str]
    strength: float
    share: float = Field(description="Share of what the person spoke against.")
    events: int | None = None
    items: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    evidence: list[str] = Field(description="Item ids.")


class Heard(BaseModel):
    """A clause of what was said, and the topic it was taken to be of."""

    text: str = Field(description="The clause as it was written.")
    about: str = Field(description="The words of it that say what it is about.")
    topic_id: str
    topic: str = Field(description="Name of the nearest topic, whether near or not.")
    confidence: float = Field(description="The share of everyday sentences that lie less near to any topic.")


class Category(BaseModel):
    """A category the person moves in."""

    name: str
    share: float = Field(description="Share of the strength in items of it; an item of several counts in each.")
    items: int
    learned: bool = Field(description="Whether the items have no category of their own and this one is learned.")


class Interests(Answer):
    """A profile on three levels, with what counts most first in each; nothing from the fallback."""

    summary: str | None = Field(
        None, description="The profile in a sentence or two, checked against what it rests on; where it was asked for."
    )
    categories: list[Category] = []
    preferences: list[Preference] = []
    interests: list[Interest] = Field([], description="Content points: core first, then stable, then momentary.")
    dislikes: list[Dislike] = []
    titles: dict[str, str] = Field({}, description="Item id → title of all evidence.")
    for_: list[Heard] = Field([], alias="for", description="Of a text or bio: clauses that make interests.")
    against: list[Heard] = Field([], description="Clauses that make dislikes and keep items out.")
    unsure: list[Heard] = Field(
        [], description="Clauses that are of nothing here, or speak neither for nor against, and so count for nothing."
    )
    nothing_found: bool = Field(False, description="Whether the words name nothing that the catalogue has.")
    stated: dict[str, str] = Field({}, description="What the person says of themselves: occupation, region, bio.")
    lost_corrections: list[str] = Field(
        [], description="Corrections that no longer find their interest and so apply to nothing; each says what it was."
    )


class InterestsRequest(Whose):
    """Somebody's interest points by tier, and the levels above them."""

    model_config = examples_of_one(
        {"user_id": "10"},
        {"user_id": "10", "at": "1998-01-01T00:00:00Z"},
        {"user_id": "10", "summary": True},
        {"text": ["I love westerns", "anything with dinosaurs"]},
        {"text": "不要恐怖片，想看喜剧"},
        {"bio": "Student of film, writes about silent comedies"},
    )

    empty: ClassVar = Interests

    summary: bool = Field(False, description="Whether to say the profile in a sentence or two.")
    at: Time | None = Field(
        None, description="As of then: nothing later counts. With time zone (RFC 3339); clamped to 1970–2100."
    )

    @model_validator(mode="after")
    def _words_are_of_now(self) -> Self:
        if self.at is not None and self.words:
            raise PydanticCustomError("at", "at goes with user_id or history: what is said, is said now")
        return self

    def reads(self, release: Recommender) -> list[str]:
        """What was said lately was not said as of a time before."""
        return super().reads(release) if self.at is None else []

    def answer(self, release: Recommender, vectors: np.ndarray) -> Interests:
        """The profile, now or as of a time."""
        whose = self.whose(release, vectors)
        levels = release.levels(whose, None if self.at is None else seconds(self.at))
        heard = (whose.heard or whose.lately) if isinstance(whose, QueryUser) else ()
        interests = [
            each.model_copy(update={"worded": release.wording.names.get(each.topic_id)})
            for each in _each(Interest, levels.points)
        ]
        dislikes = _each(Dislike, levels.dislikes)
        return Interests(
            release=release.manifest.id,
            titles={id: release.catalogue.title_of(id) for each in (*interests, *dislikes) for id in each.evidence},
            summary=summary_of(levels, release) if self.summary else None,
            categories=_each(Category, levels.categories),
            preferences=_each(Preference, levels.preferences),
            interests=interests,
            dislikes=dislikes,
            **{
                "for": _heard([each for each in heard if each.wanted], release.themes),
                "against": _heard([each for each in heard if each.refused], release.themes),
                "unsure": _heard([each for each in heard if not each.wanted | each.refused], release.themes),
            },
            nothing_found=nothing_found(whose),
            **standing(whose),
            stated=dict(levels.stated),
            lost_corrections=release.lost_corrections(whose),
        )


def _heard(meanings: Sequence[Meaning], themes: Themes) -> list[Heard]:
    topics = themes.at(LEVELS[0])
    ids, names = topics["id"].to_list(), topics["name"].to_list()
    return [
        Heard(
            text=each.opinion.text,
            about=each.opinion.about,
            topic_id=ids[each.topic],
            topic=names[each.topic],
            confidence=each.confidence,
        )
        for each in meanings
    ]


def _each(model: type[Row], table: pl.DataFrame) -> list[Row]:
    return [model.model_validate(row) for row in table.iter_rows(named=True)]
