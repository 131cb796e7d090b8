"""What the API answers: items with reasons, profiles, topics on the rise, and other people."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from strata.data.schema import Tier

Cause = Literal["time_out", "encoder_unavailable"]


class Reason(BaseModel):
    """Why an item is recommended."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    generator: str = Field(
        description="What contributed most to the score: interests, ease, neighbours, transitions, factors, peers, "
        "popular, popular in topics, again or arrivals."
    )
    share: float = Field(description="Its share of the score.")
    interest: str | None = Field(description="The interest point that added most to the score, or the nearest one.")
    moved: bool = Field(description="Whether that interest point added to the score.")
    tier: Tier | None
    similarity: float | None = Field(description="Cosine between that point and the item.")
    evidence: tuple[str, ...] = Field(description="Item ids of the history that led here.")


class Item(BaseModel):
    """An item of the release."""

    model_config = ConfigDict(from_attributes=True)

    item_id: str
    title: str
    score: float = Field(description="Comparable within one answer only.")
    reason: Reason | None = Field(None, description="Present where it was asked for.")


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
    quiet: float | None = Field(None, description="Days since its latest event.")
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
    """What the person spoke against: never an interest, it lowers scores."""

    name: str
    topic_id: str
    topic_ids: list[str]
    because: str
    phrases: list[str]
    strength: float
    share: float = Field(description="Share of what the person spoke against.")
    events: int
    items: int
    first_seen: datetime
    last_seen: datetime
    evidence: list[str] = Field(description="Item ids.")


class Category(BaseModel):
    """A category the person moves in."""

    name: str
    share: float = Field(description="Share of the strength in items of it; an item of several counts in each.")
    items: int
    learned: bool = Field(description="Whether the items have no category of their own and this one is learned.")


class Answer(BaseModel):
    """What all answers say."""

    release: str = Field(description="Id of the release that answered; the whole answer is of this one.")
    fallback: bool = Field(False, description="Whether the stated fallback answers: windowed popularity.")
    fallback_cause: Cause | None = None


class Items(Answer):
    """Items, best first."""

    items: list[Item]


class Interests(Answer):
    """A profile on three levels, with what counts most first in each; nothing from the fallback."""

    categories: list[Category] = []
    preferences: list[Preference] = []
    interests: list[Interest] = Field([], description="Content points: core first, then stable, then momentary.")
    dislikes: list[Dislike] = []
    stated: dict[str, str] = Field({}, description="What the person says of themselves: occupation, region, bio.")


class HotTopic(BaseModel):
    """A topic on the rise in the theme of an interest."""

    model_config = ConfigDict(from_attributes=True)

    topic_id: str
    name: str
    lift: float = Field(description="How many times as many users chose it as its past lets expect.")
    score: float = Field(description="Comparable within one answer only.")
    items: tuple[str, ...] = Field(description="Item ids that lead it.")
    interest: str
    tier: Tier
    text: str


class HotTopics(Answer):
    """Topics, hottest first; none from the fallback."""

    topics: list[HotTopic] = []


class Brand(BaseModel):
    """A brand, creator or shop that is new to somebody."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    score: float = Field(description="Comparable within one answer only.")
    items: tuple[str, ...] = Field(description="Item ids of it that are nearest to the interest.")
    interest: str
    tier: Tier
    text: str


class Brands(Answer):
    """Brands, nearest first; none from the fallback."""

    brands: list[Brand] = []


class SharedInterest(BaseModel):
    """An interest of somebody and the one of another user that it is nearest to."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    tier: Tier
    their_name: str
    their_tier: Tier
    similarity: float = Field(description="Cosine of the two.")


class SimilarUser(BaseModel):
    """Another user."""

    model_config = ConfigDict(from_attributes=True)

    user_id: str
    similarity: float = Field(description="1 for the same interests of the same weight.")
    shared: tuple[SharedInterest, ...] = Field(description="The weightiest of what is shared.")
    text: str


class SimilarUsers(Answer):
    """Users, likest first; none from the fallback."""

    users: list[SimilarUser] = []


class Member(BaseModel):
    """A user of an audience, and the interest that speaks most for it."""

    model_config = ConfigDict(from_attributes=True)

    user_id: str
    score: float = Field(description="Comparable within one answer only.")
    interest: str
    tier: Tier
    similarity: float = Field(description="Cosine between that interest and the item or text.")
    evidence: tuple[str, ...] = Field(description="Item ids that the interest was read from.")
    text: str


class Audience(Answer):
    """Users, those first whom it concerns most; none from the fallback."""

    users: list[Member] = []
