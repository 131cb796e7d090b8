"""/recommend/batch: the lists of many users in one answer."""

from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, PrivateAttr

from services.endpoints.base import Answer, Cause, Question, examples
from services.endpoints.lists import Item, Items, RecommendRequest
from services.fields import UNIQUE, EachOnce, UserId
from strata.online.records import Record
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest

MOST = 100
"""Users of one request."""


class ListOf(BaseModel):
    """The list of one user, as /recommend would give it."""

    user_id: str
    known: bool = Field(description="False where nobody knows the user_id: what is popular comes.")
    items: list[Item]
    list_id: str | None = Field(description="Of a list that was kept; send it with what /feedback tells of it.")


class ManyItems(Answer):
    """Lists in the order of the user ids; `fallback` is about all of them."""

    lists: list[ListOf]


class ManyRequest(ListRequest, Question):
    """Items for each of some users, with the same options."""

    model_config = examples({"user_ids": ["10", "13", "22"], "k": 3}, {"user_ids": ["10"], "k": 3, "explain": False})

    user_ids: Annotated[list[UserId], EachOnce] = Field(
        min_length=1, max_length=MOST, description="Each once.", json_schema_extra=UNIQUE
    )

    _ends: np.ndarray = PrivateAttr()

    @property
    def cost(self) -> float:
        """As that of its lists."""
        return sum(each.cost for each in self._each)

    def reads(self, release: Recommender) -> list[str]:
        """What each of them searched for or wrote lately."""
        texts = [each.reads(release) for each in self._each]
        self._ends = np.cumsum([len(each) for each in texts])
        return [text for each in texts for text in each]

    @property
    def must_read(self) -> bool:
        """Users are known without what they wrote lately."""
        return False

    def answer(self, release: Recommender, vectors: np.ndarray) -> ManyItems:
        """A list for each."""
        parts = np.split(vectors, self._ends[:-1]) if len(vectors) else [vectors] * len(self._each)
        return self._of(release, [each.answer(release, part) for each, part in zip(self._each, parts, strict=True)])

    def fallback(self, release: Recommender, cause: Cause) -> ManyItems:
        """What is popular, for each."""
        found = self._of(release, [each.fallback(release, cause) for each in self._each])
        return found.model_copy(update={"fallback": True, "fallback_cause": cause})

    def to_log(self, answer: ManyItems, now: float) -> list[Record]:
        """Each list that is a known user's."""
        records: list[Record] = []
        for each, one in zip(self._each, answer.lists, strict=True):
            shown = Items(release=answer.release, items=one.items, list_id=one.list_id)
            records += each.to_log(shown, now)
        return records

    @cached_property
    def _each(self) -> list[RecommendRequest]:
        options = {name: getattr(self, name) for name in ListRequest.model_fields}
        return [RecommendRequest.model_construct(**options, user_id=user) for user in self.user_ids]

    def _of(self, release: Recommender, found: list[Items]) -> ManyItems:
        lists = [
            ListOf(user_id=user, known=each.known, items=each.items, list_id=each.list_id)
            for user, each in zip(self.user_ids, found, strict=True)
        ]
        return ManyItems(release=release.manifest.id, lists=lists)
