"""/recommend and /rank: items for somebody, each with its reason."""

import operator
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from services.endpoints.base import NO_VECTORS, Answer, Cause, Whose, admitted, examples_of_one, nothing_found, standing
from services.errors import ApiError, naming
from services.fields import UNIQUE, EachOnce
from strata.data.filters import rows_of
from strata.data.inferred import ClassField
from strata.data.schema import Tier
from strata.fields import Id
from strata.online.records import Record
from strata.recommendation.business_rules import Boosts, BusinessRules
from strata.recommendation.lists import Recommendation
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest, TierMix

PLACES = 30
"""Places with reasons that cost as much as a list of ten; measured on MovieLens-100K."""


class Reason(BaseModel):
    """Why an item is recommended."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    generator: str = Field(
        description="What contributed most to the score: interests, ease, item-knn, association-rules, als, user-knn, "
        "popular, popular in topics, again or arrivals; of a search title, words, text or likeness."
    )
    share: float = Field(description="Its share of the score.")
    interest: str | None = Field(description="The interest point that added most to the score, or the nearest one.")
    moved: bool = Field(description="Whether that interest point added to the score.")
    tier: Tier | None
    similarity: float | None = Field(description="Cosine between that point and the item.")
    evidence: tuple[str, ...] = Field(description="Item ids of the history that led here.")


class InferredClass(BaseModel):
    """A category or tag that a model filled in, as the item has none."""

    model_config = ConfigDict(from_attributes=True)

    field: ClassField
    name: str
    confidence: float = Field(description="Of many with this confidence, so large a share is right.")


class Item(BaseModel):
    """An item of the release."""

    model_config = ConfigDict(from_attributes=True)

    item_id: str
    title: str
    score: float = Field(description="Comparable within one answer only.")
    reason: Reason | None = Field(None, description="Present where it was asked for.")
    inferred: tuple[InferredClass, ...] = Field(
        (), exclude_if=operator.not_, description="Categories and tags that a model filled in; left out where none are."
    )
    predicted: float | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="The rating to be expected, on the platform's scale; left out unless it was asked for.",
    )
    propensity: float = Field(
        1.0,
        exclude_if=lambda value: value == 1,
        description="The chance that this item stood at its place; left out where it was certain, as nothing explored.",
    )


class Items(Answer):
    """Items, best first."""

    items: list[Item]
    list_id: str | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="Of a list that was kept with its places; send it with what /feedback tells of it.",
    )
    nothing_found: bool = Field(
        False, description="Whether the words name nothing that the catalogue has, so that what is popular comes."
    )

    @classmethod
    def of(cls, release: Recommender, found: Sequence[Recommendation], **stated: object) -> Self:
        """The answer of a release; `stated`: what else it says, such as why it is the fallback's."""
        return cls(release=release.manifest.id, items=[Item.model_validate(each) for each in found], **stated)


def popular(release: Recommender, request: ListRequest, admitted: np.ndarray, cause: Cause) -> Items:
    """The stated fallback: what is popular in the window, admitted (n_items,) and under the rules of the request."""
    with naming("rules.must_include"):
        found = release.list_builder.popular(request, admitted)
    return Items.of(release, found, fallback=True, fallback_cause=cause)


def may_predict(release: Recommender, *, predict: bool) -> None:
    """Refuse to predict ratings where the release cannot."""
    if predict and release.ratings is None:
        why = f"this release predicts no ratings: {release.no_ratings}"
        raise ApiError(422, why, code="no_ratings", field="predict", remedy="ask without predict")


class RecommendRequest(ListRequest, Whose):
    """Items for somebody."""

    model_config = examples_of_one(
        {"user_id": "10", "k": 3},
        {"history": ["1", "50", "172"], "k": 3},
        {"text": "slow films about space and loneliness", "k": 3},
        {"text": "I hate horror, show me comedies", "k": 3},
        {"bio": "Retired engineer, two grandchildren, loves the sea", "k": 3},
        {"user_id": "10", "k": 3, "tier_mix": {"momentary": 3}, "exclude_seen": False, "explain": False},
        {"user_id": "10", "k": 10, "offset": 10},
        {"user_id": "10", "k": 5, "diversity": 0.3, "calibration": 0.2},
        {"user_id": "10", "k": 3, "predict": True},
        {
            "user_id": "10",
            "k": 5,
            "rules": {
                "boosts": [{"newer_than_days": 365, "times": 1.5}],
                "caps": {"theme": 2},
                "must_include": {"1": {"worst": 3}},
            },
        },
    )

    def answer(self, release: Recommender, vectors: np.ndarray) -> Items:
        """Items, best first."""
        with naming("filters.exclude_items"):
            rows_of(self.filters.exclude_items, release.catalogue)
        whose = self.whose(release, vectors)
        may_predict(release, predict=self.predict)
        with naming("rules.must_include"):
            found = release.recommend(whose, self)
        told = standing(whose)
        answer = Items.of(release, found, nothing_found=nothing_found(whose), **told)
        if self.user_id is None or told:  # of strangers nothing is kept
            return answer
        return answer.model_copy(update={"list_id": self._list_id(answer)})

    def _list_id(self, answer: Items) -> str:
        """The same for the same list of the same user with the same tiers: showing it again is no other list."""
        places = [(item.item_id, item.propensity, item.reason and item.reason.tier) for item in answer.items]
        content = f"{self.user_id}\n{answer.release}\n{self.offset}\n{places}"
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    @property
    def cost(self) -> float:
        """Beside the history, each place costs."""
        return super().cost + self.k / PLACES

    def to_log(self, answer: Items, now: float) -> list[Record]:
        """The list of a user as the journal keeps it."""
        if answer.list_id is None:
            return []
        places = enumerate(answer.items, self.offset + 1)
        listed = [[item.item_id, place, item.propensity, item.reason and item.reason.tier] for place, item in places]
        body = {"list_id": answer.list_id, "release": answer.release, "items": listed, "fallback": answer.fallback}
        return [Record("shown", str(answer.list_id), self.user_id, now, body)]

    def fallback(self, release: Recommender, cause: Cause) -> Items:
        """What is popular, without what a known person rejected or, where that is asked for, had."""
        allowed, filled = admitted(release, self.filters), release.filled(self)
        if not self.words:
            whose = self.whose(release, NO_VECTORS)
            person = release.person(whose)
            allowed[person.rejected] = False
            if filled.exclude_seen:
                allowed[person.seen] = False
        return popular(release, filled, allowed, cause)


class RankRequest(Whose):
    """The caller's items in the order of somebody's interests."""

    model_config = examples_of_one(
        {"user_id": "10", "item_ids": ["1", "50", "2"]},
        {"user_id": "10", "item_ids": ["1", "50", "2"], "rules": {"boosts": [{"chosen_by_at_most": 50, "plus": 0.5}]}},
    )

    item_ids: Annotated[list[Id], EachOnce] = Field(
        min_length=1, max_length=1_000, description="All of them are ranked, each once.", json_schema_extra=UNIQUE
    )
    tier_mix: TierMix | None = None
    rules: Boosts | None = Field(None, description="Of the rules only boosts: all items named are there.")
    explain: bool = Field(True, description="Whether each item comes with its reason.")
    predict: bool = Field(False, description="Whether each item comes with the rating to be expected.")

    @property
    def cost(self) -> float:
        """Beside the history, each item costs."""
        return super().cost + len(self.item_ids) / PLACES

    @property
    def options(self) -> ListRequest:
        """As the library takes them."""
        named = {} if self.rules is None else {name: getattr(self.rules, name) for name in self.rules.model_fields_set}
        return ListRequest(
            tier_mix=self.tier_mix, rules=BusinessRules(**named), explain=self.explain, predict=self.predict
        )

    def answer(self, release: Recommender, vectors: np.ndarray) -> Items:
        """All of the items, best first."""
        whose = self.whose(release, vectors)
        may_predict(release, predict=self.predict)
        with naming("item_ids"):
            found = release.rank(whose, self.item_ids, self.options)
        return Items.of(release, found, nothing_found=nothing_found(whose), **standing(whose))

    def fallback(self, release: Recommender, cause: Cause) -> Items:
        """The same items by popularity."""
        named = np.zeros(len(release.catalogue), bool)
        with naming("item_ids"):
            named[rows_of(self.item_ids, release.catalogue)] = True
        boosts = BusinessRules(boosts=release.rules.but(self.rules).boosts)
        return popular(release, ListRequest(k=len(self.item_ids), rules=boosts), named, cause)
