"""/similar_users and /audience: other people, so for analysts alone."""

from typing import ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.endpoints.base import Answer, Question, Whose, examples, examples_of_one, one_given, standing
from services.errors import naming
from services.fields import Text
from strata.data.schema import Tier
from strata.fields import Id, K, absent, one_of
from strata.recommendation.recommender import Recommender

WHAT = ("item_id", "text")


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


class SimilarUsersRequest(Whose):
    """Users like somebody."""

    model_config = examples_of_one({"user_id": "10", "k": 3}, {"text": "slow films about space", "k": 3})

    empty: ClassVar = SimilarUsers

    k: K = 10

    def answer(self, release: Recommender, vectors: np.ndarray) -> SimilarUsers:
        """Users, likest first."""
        whose = self.whose(release, vectors)
        users = release.similar_users(whose, self.k)
        content = {"release": release.manifest.id, "users": users, **standing(whose)}
        return SimilarUsers.model_validate(content, from_attributes=True)


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


class AudienceRequest(Question):
    """Users whom an item or a text concerns: exactly one of the two."""

    model_config = examples(
        {"item_id": "50", "k": 3},
        {"text": "a festival of silent films", "k": 3},
        **one_of(("item_id", absent("text")), ("text", {})),
    )

    empty: ClassVar = Audience

    item_id: Id | None = Field(
        None, description="An item of the release; who had it, or blocked its topic, is left out."
    )
    text: Text | None = Field(None, description="What it is about: an advert, an event, an item to come.")
    k: K = 10

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        one_given(self, WHAT)
        return self

    def reads(self, release: Recommender) -> list[str]:  # noqa: ARG002
        """The text, if it is one."""
        return [] if self.text is None else [self.text]

    def answer(self, release: Recommender, vectors: np.ndarray) -> Audience:
        """Users, those first whom it concerns most."""
        with naming("item_id"):
            members = release.audience(self.item_id if self.text is None else vectors[0], self.k)
        return Audience.model_validate({"release": release.manifest.id, "users": members}, from_attributes=True)
