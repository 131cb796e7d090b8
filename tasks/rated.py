"""Shared by rate and evaluate: the ratings of the data, and what else is known of the items."""

from strata.data.ratings import Ratings
from strata.data.weights import RatingSettings
from strata.embeddings.class_labels import item_classes
from strata.models.rating_signs import ItemFacts
from strata.settings import read_settings
from tasks import HISTORY
from tasks.inputs import Inputs


def scale() -> RatingSettings:
    """The platform's scale."""
    return read_settings(RatingSettings, "cleaning.rating")


def ratings_of(inputs: Inputs) -> Ratings:
    """All ratings."""
    path = HISTORY / "interactions.parquet"
    return Ratings.read(path, scale(), n_users=len(inputs.user_ids), n_items=len(inputs.catalogue))


def item_facts(inputs: Inputs) -> ItemFacts:
    """Vectors of the items' texts, and their classes."""
    return ItemFacts(inputs.texts, item_classes(inputs.catalogue.items))
