"""The generators there are, and what each is made from."""
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
import numpy as np
from scipy import sparse
from strata._kernels.compiled import compiled
from strata._kernels.selection import NOTHING, best_of_groups, largest
from strata.data.history import DAY
from strata.embeddings.index import ItemIndex
from strata.models.fitted import Behaviour
from strata.models.item_model import ItemModel, weigh
from strata.models.user_knn import UserNeighbours
from strata.ranking.candidates import Candidates, Found, Generator
from strata.ranking.query import Audience
from strata.ranking.generators.item_models import FromHistory
from strata.ranking.generators.user_knn import FromPeers
from strata.ranking.generators.popular import Popular, PopularInTopics
from strata.ranking.generators.again import BoughtBefore




def of_behaviour(behaviour: Behaviour, topics: np.ndarray) -> tuple[Generator, ...]:
    """A generator of each model of behaviour; `topics` (n_items,): the topic of each item."""
    found: list[Generator] = [FromHistory(model, name) for name, model in behaviour.items.items()]
    found += [FromPeers(behaviour.peers), Popular(behaviour.counts), PopularInTopics(behaviour.counts, topics)]
    if behaviour.own_half_life is not None:
        found.append(BoughtBefore(behaviour.counts, behaviour.own_half_life))
    return tuple(found)
