"""What users say of themselves, and which interest points it states: nearer than other people's texts happen to be."""

from dataclasses import dataclass, field

import numpy as np

from strata.interests.settings import TierSettings

SAMPLE, FEWEST, SEED = 200, 20, 7
"""Other people's texts with which one is compared; fewest of them that tell what is usual."""
AT_ONCE = 4_096
"""Points compared with them at a time."""


@dataclass(frozen=True)
class Statements:
    """Profile texts by clause: `users` (C,) rows, ascending, and where each clause lies in the interest space (C, d).

    `usual` (m, d): clauses of a fixed sample of all users' texts, and `starts` (B,): where each text begins in it.
    """

    users: np.ndarray
    vectors: np.ndarray
    usual: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    starts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, users: np.ndarray, vectors: np.ndarray) -> "Statements":
        """Of all users, with a sample of them to compare with."""
        users, vectors = np.asarray(users), np.asarray(vectors, np.float32)
        writers = np.unique(users)
        drawn = np.sort(np.random.default_rng(SEED).permutation(writers)[:SAMPLE])
        rows = np.flatnonzero(np.isin(users, drawn))
        return cls(users, vectors, vectors[rows], np.searchsorted(users[rows], drawn))

    def of_users(self, first: int, last: int) -> "Statements":
        """Those of users first … last − 1, renumbered from 0, to be compared with the same sample."""
        there = slice(*np.searchsorted(self.users, [first, last]))
        return Statements(self.users[there] - first, self.vectors[there], self.usual, self.starts)

    def support(self, owners: np.ndarray, centres: np.ndarray, settings: TierSettings) -> np.ndarray:
        """Whether each point, of `owners` (P,) rows and a topic with this centre (P, d), is stated by its owner: bool.

        It is judged by the topic that names it: what a few items of a user have beside that is chance. It is stated
        if a clause is nearer to it than the texts of all but `stated_chance` of other people, each by its nearest
        clause; where fewer than FEWEST people wrote anything, from a cosine of `stated_similarity` on.
        """
        stated = np.zeros(len(owners), bool)
        for at in range(0, len(stated) if len(self.users) else 0, AT_ONCE):
            part = slice(at, at + AT_ONCE)
            start, stop = (np.searchsorted(self.users, owners[part], side) for side in ("left", "right"))
            wrote = np.flatnonzero(stop > start)
            vectors = centres[part][wrote]
            said = [self.vectors[start[row] : stop[row]] for row in wrote]
            nearest = np.array([(clauses @ vector).max() for clauses, vector in zip(said, vectors, strict=True)])
            stated[at + wrote] = nearest >= self._enough(vectors, settings)
        return stated

    def _enough(self, vectors: np.ndarray, settings: TierSettings) -> np.ndarray | float:
        """The cosine from which a text states each point, by its vector (n, d): (n,)."""
        if len(self.starts) < FEWEST:
            return settings.stated_similarity
        by_text = np.maximum.reduceat(vectors @ self.usual.T, self.starts, axis=1)
        return np.asarray(np.quantile(by_text, 1 - settings.stated_chance, axis=1))


NOTHING_STATED = Statements(np.zeros(0, np.int32), np.zeros((0, 0), np.float32))
