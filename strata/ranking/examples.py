"""Examples that trees learn from: candidates of earlier windows, and which of them were chosen."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Examples:
    """The candidates of one slice's users.

    `queries` (n,): the user of each row, ascending, from 0; `features` (n, F); `chosen` (n,) bool; `n_chosen` (B,): how
    many items each user chose, those that are no candidates among them.
    """

    queries: np.ndarray
    features: np.ndarray
    chosen: np.ndarray
    n_chosen: np.ndarray

    def and_those_of(self, others: "Examples") -> "Examples":
        """These users and then the `others`."""
        return Examples(
            np.concatenate([self.queries, others.queries + len(self.n_chosen)]),
            np.concatenate([self.features, others.features]),
            np.concatenate([self.chosen, others.chosen]),
            np.concatenate([self.n_chosen, others.n_chosen]),
        )

    def fewer(self, users: int) -> "Examples":
        """So many of the users where there are more, evenly drawn; the others have no rows then."""
        n = len(self.n_chosen)
        kept = (self.queries + 1) * users // n > self.queries * users // n
        return replace(self, queries=self.queries[kept], features=self.features[kept], chosen=self.chosen[kept])
