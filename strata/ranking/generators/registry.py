"""Registry of all generators, in the order of a table's columns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from strata.data.catalogue import Catalogue
from strata.data.history import History
from strata.embeddings.index import ItemIndex
from strata.models.fitted import CollaborativeModels
from strata.ranking.candidates import Generator
from strata.ranking.generators.again import BoughtBefore
from strata.ranking.generators.interests import NearestToInterests
from strata.ranking.generators.item_models import FromHistory
from strata.ranking.generators.new_items import Arrivals
from strata.ranking.generators.popular import Popular, PopularInTopics
from strata.ranking.generators.user_knn import FromUserKnn
from strata.ranking.settings import RecommendSettings


@dataclass(frozen=True)
class GeneratorInputs:
    """Inputs of generators at one cut-off: `topics` (n_items,), topic of each item; `past`, all events before it."""

    catalogue: Catalogue
    index: ItemIndex
    collaborative: CollaborativeModels
    topics: np.ndarray
    past: History
    settings: RecommendSettings


GENERATORS: Final[tuple[Callable[[GeneratorInputs], Iterable[Generator]], ...]] = (
    lambda known: [NearestToInterests(known.index, known.settings.generators.least_quota)],
    lambda known: [FromHistory(model, name) for name, model in known.collaborative.item_models.items()],
    lambda known: [FromUserKnn(known.collaborative.user_knn)],
    lambda known: [Popular(known.collaborative.counts)],
    lambda known: [
        PopularInTopics(known.collaborative.counts, known.topics, known.settings.generators.topic_half_life_days)
    ],
    lambda known: [BoughtBefore(known.collaborative.counts, days) for days in known.collaborative.own_half_lives],
    lambda known: [Arrivals.of(known.catalogue, known.topics, known.past, known.settings.generators.arrivals)],
)
"""Each function makes none, one or, for several models, many generators from the inputs."""


def generators_of(known: GeneratorInputs) -> tuple[Generator, ...]:
    """All generators of a cut-off."""
    return tuple(generator for made in GENERATORS for generator in made(known))
