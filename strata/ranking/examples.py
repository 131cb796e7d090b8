"""Training examples of the ranker: candidates of earlier windows, and which of them were chosen."""

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Examples:
    """The candidates of one window's users.

    `queries` (n,): the user of each row, ascending, from 0; `features` (n, F); `chosen` (n,) bool; `n_chosen` (B,): how
    many items each user chose, including those that are not candidates. `end`: of the window, in seconds; what was
    chosen later is unknown here.
    """

    queries: np.ndarray
    features: np.ndarray
    chosen: np.ndarray
    n_chosen: np.ndarray
    end: float = math.inf

    def and_those_of(self, others: "Examples") -> "Examples":
        """These users and then the `others`."""
        return Examples(
            np.concatenate([self.queries, others.queries + len(self.n_chosen)]),
            np.concatenate([self.features, others.features]),
            np.concatenate([self.chosen, others.chosen]),
            np.concatenate([self.n_chosen, others.n_chosen]),
            max(self.end, others.end),
        )

    def fewer(self, users: int) -> "Examples":
        """Keep the rows of at most `users` users, evenly spaced; `n_chosen` still counts all users."""
        n = len(self.n_chosen)
        kept = (self.queries + 1) * users // n > self.queries * users // n
        return replace(self, queries=self.queries[kept], features=self.features[kept], chosen=self.chosen[kept])
