"""What the ranker reads of items, for more of them: nothing is known yet of how they are chosen."""

from dataclasses import dataclass, replace

import numpy as np

from strata.data.catalogue import Catalogue
from strata.ranking.features import Features, stated
from strata.ranking.trends import Trends


@dataclass(frozen=True)
class WidenedTrends(Trends):
    """Trends of items of which only the first `plain` has events."""

    plain: Trends

    @classmethod
    def of_more(cls, trends: Trends, n_items: int) -> "WidenedTrends":
        """Trends, widened already or not, of `n_items`."""
        plain = trends.plain if isinstance(trends, WidenedTrends) else trends
        more = n_items - len(plain.first)
        return cls(
            plain.keys,
            plain.times,
            plain.start,
            plain.span,
            np.append(plain.first, np.full(more, np.inf)),
            np.append(plain.weight, np.zeros(more)),
            np.append(plain.again, np.zeros(more)),
            plain.settings,
            plain,
        )

    def _of_each(self, time: float) -> np.ndarray:
        """What is known of the items that have events is kept with them."""
        more = np.arange(len(self.plain.first), len(self.first))
        return np.concatenate([self.plain._of_all(time), self._at(more, np.full(len(more), time))])


def widened_features(features: Features, catalogue: Catalogue, vectors: np.ndarray, topics: np.ndarray) -> Features:
    """The features of a catalogue with more items or others, with their vectors (n_items, d) and topics (n_items,)."""
    trends = WidenedTrends.of_more(features.trends, len(catalogue))
    kinds, created, price = stated(catalogue)
    return replace(features, vectors=vectors, topics=topics, kinds=kinds, created=created, price=price, trends=trends)
