"""Which ranker ranks for which kind of user: the usual one, unless another is clearly better on a window apart.

Trees are usual for users with a history, as they gain most from data; where few users can judge there is little to
learn from either, so a sum of a few weights is. Users without a history get what is popular: nothing tells them apart.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from strata.errors import ReleaseError
from strata.ranking.settings import ChooseSettings
from strata.storage import read_json, write_json

CHOICE: Final = "choice.json"
KINDS: Final = ("no history", "short history", "long history")
TREES, SUM, POPULAR = "lambdamart", "weighted-sum", "popular"


def kinds_of(n_choices: np.ndarray, long: int) -> np.ndarray:
    """The kind of each user, an index in KINDS: (B,), by how much they chose; `long`: from which a history is long."""
    return (n_choices > 0).astype(np.int64) + (n_choices >= long)


@dataclass(frozen=True)
class Chosen:
    """The ranker of one kind of user, why it was chosen, and how all did.

    `users`: of this kind that were judged; `judged`: those that decided, more where these are few. `ndcg`: mean NDCG@10
    of each ranker over the latter; `ahead`: how far each is ahead of the usual one, and a standard error of that.
    """

    ranker: str
    why: str
    users: int
    judged: int
    ndcg: dict[str, float]
    ahead: dict[str, tuple[float, float]]

    @classmethod
    def among(cls, values: Mapping[str, np.ndarray], usual: str, users: int, settings: ChooseSettings) -> Self:
        """The `usual` one, unless another is ahead by more than `settings.errors` standard errors, paired by user.

        `values`: NDCG@10 of the same users by each ranker (B,). With fewer than `settings.enough` it is the usual one.
        """
        n, chosen = len(values[usual]), usual
        ahead = {name: _difference(each - values[usual]) for name, each in values.items()}
        why = f"usual where few can judge: {n} users of validation"
        if n >= settings.enough:
            chosen = max(ahead, key=lambda name: (ahead[name][0] - settings.errors * ahead[name][1], name == usual))
            mean, error = ahead[chosen]
            gain = f"{mean:.4f} ± {error:.4f} ahead of {usual}"
            why = f"{'usual, no other is clearly ahead' if chosen == usual else gain}; {n:,} users of validation"
        rounded = {name: (round(mean, 6), round(error, 6)) for name, (mean, error) in ahead.items()}
        ndcg = {name: round(float(each.mean()), 6) if n else 0.0 for name, each in values.items()}
        return cls(chosen, why, users, n, ndcg, rounded)


@dataclass(frozen=True)
class Choice:
    """The ranker of each of KINDS; a history of `long` choices or more is long."""

    long: int
    kinds: dict[str, Chosen]

    @classmethod
    def of(cls, values: Mapping[str, np.ndarray], n_choices: np.ndarray, settings: ChooseSettings) -> Self:
        """Choose by NDCG@10 (B,) of the users of a window by each ranker, none of which learned from these users.

        `values`: of POPULAR, SUM and, where they can be judged, TREES; `n_choices` (B,): how much each user had chosen
        before. Where a kind with a history has too few users, all users with one decide.
        """
        kinds, found = kinds_of(n_choices, settings.long), {}
        for kind, name in enumerate(KINDS):
            mine = kinds == kind
            judges = (kinds > 0) if kind and mine.sum() < settings.enough else mine
            learned = TREES if TREES in values and judges.sum() >= settings.enough else SUM
            by_judges = {ranker: each[judges] for ranker, each in values.items()}
            found[name] = Chosen.among(by_judges, learned if kind else POPULAR, int(mine.sum()), settings)
        return cls(settings.long, found)

    @property
    def rankers(self) -> tuple[str, ...]:
        """The ranker of each of KINDS."""
        return tuple(self.kinds[kind].ranker for kind in KINDS)

    def __str__(self) -> str:
        return "; ".join(f"{kind}: {one.ranker} ({one.why})" for kind, one in self.kinds.items())

    def write(self, folder: Path) -> None:
        """Write as JSON."""
        write_json(self.facts(), folder / CHOICE)

    def facts(self) -> dict[str, Any]:
        """All that was found, as plain JSON."""
        return asdict(self)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote. Raises ReleaseError where nothing was chosen."""
        if not (folder / CHOICE).exists():
            raise ReleaseError(f"{folder / CHOICE} is missing: no ranker was chosen there; run dvc repro rank")
        content = read_json(folder / CHOICE)
        return cls(content["long"], {kind: Chosen(**one) for kind, one in content["kinds"].items()})


def _difference(values: np.ndarray) -> tuple[float, float]:
    """Mean of paired differences (B,), and its standard error."""
    if len(values) < 2:
        return (float(values.mean()) if len(values) else 0.0), 0.0
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
