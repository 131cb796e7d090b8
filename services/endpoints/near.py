"""/similar_items and /search: the items nearest to an item, and those found for a text."""

import numpy as np

from services.endpoints.base import Cause, Question, admitted, examples
from services.endpoints.lists import Items, popular
from services.errors import naming
from services.fields import Text
from strata.data.filters import Filters, rows_of
from strata.fields import Id, K
from strata.recommendation.recommender import Recommender
from strata.recommendation.request import ListRequest


class SimilarItemsRequest(Question):
    """Items like an item."""

    model_config = examples({"item_id": "50", "k": 3})

    item_id: Id
    k: K = 10
    filters: Filters = Filters()

    def answer(self, release: Recommender, vectors: np.ndarray) -> Items:  # noqa: ARG002
        """Items, nearest first."""
        with naming("filters.exclude_items"):
            rows_of(self.filters.exclude_items, release.catalogue)
        with naming("item_id"):
            return Items.of(release, release.similar_items(self.item_id, self.k, filters=self.filters))

    def fallback(self, release: Recommender, cause: Cause) -> Items:
        """What is popular, without the item."""
        allowed = admitted(release, self.filters)
        with naming("item_id"):
            allowed[release.catalogue.row(self.item_id)] = False
        return popular(release, ListRequest(k=self.k), allowed, cause)


class SearchRequest(Question):
    """Items for a text."""

    model_config = examples({"text": "space opera", "k": 3}, {"text": "like Toy Story, from the nineties", "k": 3})

    text: Text
    k: K = 10
    filters: Filters = Filters()

    @property
    def texts(self) -> list[str]:
        """What is to be read by the language model."""
        return [self.text]

    def answer(self, release: Recommender, vectors: np.ndarray) -> Items:
        """Items, best first, each with what found it."""
        with naming("filters.exclude_items"):
            return Items.of(release, release.search(self.text, vectors[0], self.k, filters=self.filters))

    def fallback(self, release: Recommender, cause: Cause) -> Items:
        """What is popular."""
        return popular(release, ListRequest(k=self.k), admitted(release, self.filters), cause)
