"""Ranks each kind of user by the ranker that was chosen for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from strata.errors import ReleaseError
from strata.ranking.candidates import Table
from strata.ranking.choosing import POPULAR, Choice, kinds_of
from strata.ranking.ranker import Ranker

EVENTS: Final = "events"
"""The feature that says how much a user has chosen."""


class Part(NamedTuple):
    """Rows (n,) bool of a table that one ranker ranks, as a table of their own with their features."""

    ranker: Ranker
    rows: np.ndarray
    table: Table
    features: Callable[[], np.ndarray]


@dataclass(frozen=True)
class ByKind:
    """A ranker for each kind of user; all scores of one user come from one of them.

    `rankers`: by the names that `choice` has; `column`: of the feature EVENTS.
    """

    choice: Choice
    rankers: Mapping[str, Ranker]
    column: int

    @classmethod
    def of(cls, choice: Choice, rankers: Mapping[str, Ranker], names: Sequence[str]) -> "ByKind":
        """From the rankers that `choice` names; `names` (F,): of the features. Raises ReleaseError as `check` does."""
        _find(names)
        return cls(choice, {name: rankers[name] for name in sorted(set(choice.rankers))}, list(names).index(EVENTS))

    def scores(self, table: Table, features: Callable[[], np.ndarray]) -> np.ndarray:
        """Score of each row (n,), comparable within a user."""
        found = np.zeros(len(table))
        for ranker, rows, part, of_part in self._parts(table, features):
            found[rows] = ranker.scores(part, of_part)
        return found

    def contributions(self, table: Table, features: Callable[[], np.ndarray], credits: np.ndarray) -> np.ndarray:
        """What each generator adds to the score of each row: (n, G)."""
        found = np.zeros((len(table), len(table.generators)))
        for ranker, rows, part, of_part in self._parts(table, features):
            found[rows] = ranker.contributions(part, of_part, credits)
        return found

    def check(self, names: Sequence[str]) -> None:
        """Raises ReleaseError unless all rankers fit features of these `names` (F,)."""
        _find(names)
        for ranker in self.rankers.values():
            ranker.check(names)

    def write(self, folder: Path) -> None:
        """Write the choice and the rankers; popularity is a sum that needs no file."""
        self.choice.write(folder)
        for name, ranker in self.rankers.items():
            if name != POPULAR:
                ranker.write(folder)

    def _parts(self, table: Table, features: Callable[[], np.ndarray]) -> Iterator[Part]:
        """Each ranker that is needed, with the rows that it ranks."""
        features = cache(features)
        names = np.array(self.choice.rankers)[kinds_of(features()[:, self.column], self.choice.long)]
        for name, ranker in self.rankers.items():
            rows = names == name
            if rows.any() and rows.all():  # as for every single user: nothing is copied
                yield Part(ranker, rows, table, features)
            elif rows.any():
                yield Part(ranker, rows, table.only(rows), partial(_taken, features, rows))


def _taken(features: Callable[[], np.ndarray], rows: np.ndarray) -> np.ndarray:
    return np.asarray(features()[rows])


def _find(names: Sequence[str]) -> None:
    if EVENTS not in names:
        raise ReleaseError(f"no feature '{EVENTS}', which tells kinds of users apart; run dvc repro")
