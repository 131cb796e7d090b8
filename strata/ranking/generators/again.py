"""Items that the user chose before, for re-consumption."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from strata.data.history import DAY
from strata.ranking.candidates import ByNothing, Candidates
from strata.ranking.query import QueryBatch


@dataclass(frozen=True)
class BoughtBefore(ByNothing):
    """Items of the history by the number of weeks with the item, weighted 2^(−age / half-life); ties by popularity.

    `counts` (n_items,): popularity. `half_life_days`: half-life of a week's weight.
    """

    counts: np.ndarray
    half_life_days: float
    name: str = "again"
    credited = ("own", "kind")

    def says(self, led_by: str) -> str:  # noqa: ARG002
        """Says that the user keeps choosing it."""
        return "you keep coming back to it"

    def propose(self, batch: QueryBatch, n: int) -> Candidates:
        """The `n` best items chosen before; none where seen items are excluded."""
        history = batch.choices
        if batch.exclude_seen or not len(history):
            return Candidates.none()
        week = np.maximum((batch.times[history.users] - history.times) // (7 * DAY), 0).astype(np.int64)
        pairs = history.users * np.int64(history.n_items) + history.items
        _, kept = np.unique(pairs * (week.max() + 1) + week, return_index=True)
        weights = np.exp2(-7 * week[kept] / self.half_life_days).astype(np.float32)
        shape = (len(batch), history.n_items)
        again = sparse.csr_matrix((weights, (history.users[kept], history.items[kept])), shape).toarray()
        ties = 1e-4 * self.counts / max(float(self.counts.max(initial=0)), 1e-12)
        return Candidates.best(np.where(again > 0, again + ties, 0), batch, n, least=0.0)
