"""/similar_items and /search: the items nearest to an item, and those found for a text."""

import numpy as np

from services.endpoints.base import Cause, Question, admitted, examples
from services.endpoints.lists import Items, popular
from services.errors import naming
from services.fields import Text
from strata.data.filters import Filters, rows_of
from strata.fields import Id, K
from strata.language.opinions import Opinion, things
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

    model_config = examples(
        {"text": "space opera", "k": 3},
        {"text": "space opera, nothing with robots", "k": 3},
        {"text": "like Toy Story, from the nineties", "k": 3},
    )

    text: Text
    k: K = 10
    filters: Filters = Filters()

    @property
    def parts(self) -> tuple[str, list[Opinion]]:
        """What is searched for and what is refused: the text as it is, unless it refuses something."""
        said = things([self.text])
        refused = [each for each in said if each.polarity == "against"]
        wanted = [each.about for each in said if each.polarity != "against"]
        return (", ".join(wanted) if refused else self.text), refused

    def reads(self, release: Recommender) -> list[str]:
        """What is searched for, if anything, then what each refusal is about."""
        wanted, refused = self.parts
        whole = [Opinion(wanted, "neutral", wanted)] if wanted else []
        return release.new_users.to_read([*whole, *refused])

    def answer(self, release: Recommender, vectors: np.ndarray) -> Items:
        """Items, best first, each with what found it; where the text only refuses something, what else is popular."""
        wanted, refused = self.parts
        if not refused:
            with naming("filters.exclude_items"):
                return Items.of(release, release.search(self.text, vectors[0], self.k, filters=self.filters))
        out = release.new_users.from_opinions(refused, vectors[len(vectors) - len(refused) :]).rejected
        allowed = admitted(release, self.filters)
        allowed[out] = False
        if not wanted:
            return Items.of(release, release.list_builder.popular(ListRequest(k=self.k), allowed))
        return Items.of(release, release.search(wanted, vectors[0], self.k, filters=self.filters, refused=out))

    def fallback(self, release: Recommender, cause: Cause) -> Items:
        """What is popular."""
        return popular(release, ListRequest(k=self.k), admitted(release, self.filters), cause)
