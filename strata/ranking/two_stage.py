"""Two-stage ranking for the users of a window: query batch, candidates, scores, best k items."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Self

import numpy as np

from strata._kernels.threads import cores, side_by_side
from strata.embeddings.index import ItemIndex
from strata.errors import SettingsError
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.ranking.candidates import Generator, Table, propose
from strata.ranking.features import Features
from strata.ranking.generators.new_items import new_items
from strata.ranking.generators.registry import GeneratorInputs, generators_of
from strata.ranking.query import QueryBatch, query_batch
from strata.ranking.ranker import Ranker
from strata.ranking.settings import RecommendSettings


@dataclass(frozen=True)
class Models:
    """Everything learned up to one cut-off that recommending needs.

    `popularity` (n_items,): windowed; `new_items` (m,): rows of new items, which few users have chosen.
    """

    profiles: Profiles
    generators: tuple[Generator, ...]
    features: Features
    index: ItemIndex
    popularity: np.ndarray
    new_items: np.ndarray

    @classmethod
    def of(cls, profiles: Profiles, known: GeneratorInputs, vectors: np.ndarray) -> Self:
        """Build all models of one cut-off; `vectors` (n_items, d). Raises SettingsError for unknown generators."""
        settings, vectors = known.settings, np.asarray(vectors)  # a plain array: memory maps are slow to index
        features = Features.before(known.catalogue, vectors, known.topics, known.past, settings.features)
        new = new_items(known.catalogue, known.past, settings.generators.arrivals)
        generators = generators_of(known)
        names = [generator.name for generator in generators]
        if unknown := sorted({*settings.of_words, *settings.of_bio} - set(names)):
            raise SettingsError(
                f"recommend.of_words and of_bio name {', '.join(unknown)}; there are {', '.join(names)}"
            )
        return cls(profiles, generators, features, known.index, known.collaborative.counts, new)

    @property
    def names(self) -> tuple[str, ...]:
        """The generators' names, in order."""
        return tuple(generator.name for generator in self.generators)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of all features (F,), in order."""
        return self.features.names(self.names)

    @cached_property
    def credits(self) -> np.ndarray:
        """The generator that each feature is credited to: (F,), see `Features.credits`."""
        return self.features.credits(self.generators)

    def score(self, table: Table, batch: QueryBatch, ranker: Ranker) -> np.ndarray:
        """Score of each row of a table of candidates (n,), comparable within a user."""
        return ranker.scores(table, lambda: self.features.of(table, batch))


SCORES_AT_ONCE = 4_000_000
"""Most users × items whose scores one generator holds in memory."""
USERS_AT_ONCE = 256
"""Most users in a block: data of more does not stay in the processor's cache."""


def blocks(n_users: int, n_items: int) -> list[slice]:
    """Equal blocks of users that fit in memory, a multiple of the cores; one empty block without users."""
    most = min(max(1, SCORES_AT_ONCE // max(n_items, 1)), USERS_AT_ONCE)
    n_blocks = max(-(-n_users // most), 1)
    if n_users > n_blocks > 1:
        n_blocks = min(-(-n_blocks // cores()) * cores(), n_users)
    bounds = np.arange(n_blocks + 1) * n_users // n_blocks
    return [slice(int(start), int(stop)) for start, stop in pairwise(bounds)]


def tables(
    window: Window, models: Models, settings: RecommendSettings, available: np.ndarray
) -> Iterator[tuple[slice, QueryBatch, Table]]:
    """Candidates for the users of a window, by block: (which users, query batch, table)."""
    asked = partial(_asked, window=window, models=models, settings=settings, available=available)
    return side_by_side(asked, blocks(len(window.users), window.past.n_items))


def rank(
    window: Window, models: Models, ranker: Ranker, settings: RecommendSettings, available: np.ndarray, k: int
) -> np.ndarray:
    """Best k item rows of each user of the window: (B, k), NOTHING pads."""

    def best(part: slice) -> np.ndarray:
        _, batch, table = _asked(part, window, models, settings, available)
        return table.items_at(table.top(models.score(table, batch, ranker), len(batch), k))

    return np.concatenate(list(side_by_side(best, blocks(len(window.users), window.past.n_items))))


def _asked(
    part: slice, window: Window, models: Models, settings: RecommendSettings, available: np.ndarray
) -> tuple[slice, QueryBatch, Table]:
    batch = query_batch(
        window.users[part],
        window.past,
        models.profiles,
        settings.tier_weights,
        window.time if window.asked is None else window.asked[part],
        allowed=available & window.items,
        exclude_seen=not window.repeats,
        dislike=settings.dislike,
        index=models.index,
    )
    return part, batch, propose(batch, models.generators, settings.candidates)
