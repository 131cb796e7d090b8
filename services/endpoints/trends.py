"""/hot_topics and /brands: what is on the rise among somebody's interests, and whom to follow."""

from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from services.endpoints.base import Answer, Whose, examples_of_one, standing
from services.errors import naming
from strata.data.filters import Filters
from strata.data.schema import Tier
from strata.fields import K
from strata.recommendation.recommender import Recommender


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


class HotTopicsRequest(Whose):
    """What is on the rise among somebody's interests."""

    model_config = examples_of_one({"user_id": "10", "k": 3}, {"history": ["1", "50", "172"], "k": 3})

    empty: ClassVar = HotTopics

    k: K = 10
    filters: Filters = Filters()

    def answer(self, release: Recommender, vectors: np.ndarray) -> HotTopics:
        """Topics, hottest first."""
        whose = self.whose(release, vectors)
        with naming("filters.exclude_items"):
            topics = release.hot_topics(whose, self.k, filters=self.filters)
        return HotTopics.model_validate(
            {"release": release.manifest.id, "topics": topics, **standing(whose)}, from_attributes=True
        )


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


class BrandsRequest(Whose):
    """Brands, creators or shops that somebody may want to follow."""

    model_config = examples_of_one({"user_id": "10", "k": 3}, {"text": "slow films about space", "k": 3})

    empty: ClassVar = Brands

    k: K = 10
    filters: Filters = Filters()

    def answer(self, release: Recommender, vectors: np.ndarray) -> Brands:
        """Brands, nearest first."""
        whose = self.whose(release, vectors)
        with naming("filters.exclude_items"):
            brands = release.brands_to_follow(whose, self.k, filters=self.filters)
        return Brands.model_validate(
            {"release": release.manifest.id, "brands": brands, **standing(whose)}, from_attributes=True
        )
