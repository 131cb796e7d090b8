"""One ranking from many generators: a weighted sum that one can read, or trees that learned from earlier slices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from strata.candidates import Table
from strata.metrics import ndcg_at_k
from strata.settings import Settings
from strata.storage import read_json, write_json
from strata.tuning import JUDGED_AT, Window

SUM = "weighted_sum.json"


class RankSettings(Settings):
    """How candidates are ranked and how that is learned."""

    method: Literal["lambdamart", "weighted-sum"] = "lambdamart"
    trials: int = 200
    """Weightings tried for the weighted sum."""
    users: int = Field(1_000, ge=1)
    """Users, at most, on whom they are tried."""
    slices: int = Field(4, ge=1)
    """Earlier times from which the trees learn what was chosen next."""
    slice_share: float = Field(0.05, gt=0)
    """Share of all interactions between one slice and the next."""
    horizon: int = Field(2, ge=1)
    """Slices ahead that count as next."""
    learners: int = Field(5_000, ge=1)
    """Users of a slice, at most, from whom the trees learn, where the data holds `learners_from` users or more."""
    learners_from: int = Field(20_000, ge=1)
    """Below so many users, all of them teach."""
    negatives: int = Field(150, ge=1)
    """Candidates of a user, at most, that were not chosen and are learned from."""
    seed: int = 7
    models: int = Field(2, ge=1)
    """How often the trees are learned, each time with the next seed; their scores are added up."""

    def most_learners(self, n_users: int) -> int:
        """How many users of a slice may teach where the data holds `n_users`."""
        return n_users if n_users < self.learners_from else self.learners

    @property
    def seeds(self) -> range:
        """A seed for each time."""
        return range(self.seed, self.seed + self.models)


@dataclass(frozen=True)
class WeightedSum:
    """score = Σ_g weight_g · feature_g: how much each generator counts, and how that was found."""

    weights: dict[str, float]
    report: dict[str, Any] = field(default_factory=dict)

    def scores(self, table: Table) -> np.ndarray:
        """Score of each row of the table (n,)."""
        return np.asarray(table.features @ self.vector(table.generators))

    def contributions(self, table: Table) -> np.ndarray:
        """What each generator adds to the score of each row: (n, G)."""
        return np.asarray(table.features * self.vector(table.generators))

    def vector(self, generators: Sequence[str]) -> np.ndarray:
        """Weights (G,) in the order of the table's columns; generators that were not weighed count nothing."""
        return np.array([self.weights.get(name, 0.0) for name in generators], np.float32)

    @classmethod
    def tune(cls, table: Table, window: Window, settings: RankSettings) -> Self:
        """Random weightings on the simplex, each generator alone among them; judged by NDCG@10 on the window.

        The mean of the best twentieth is taken: validation windows are small, and the single best weighting
        owes much to chance. `table` holds the candidates of the window's users, numbered in the window's order.
        """
        names, n_users = table.generators, len(window.users)
        rng = np.random.default_rng(settings.seed)
        draws = rng.dirichlet(np.full(len(names), 0.7), max(settings.trials - len(names) - 1, 0))
        tried = np.concatenate([np.full((1, len(names)), 1 / len(names)), np.eye(len(names)), draws])
        scores = np.array([_judge(table, weights, window) for weights in tried])
        best = np.argsort(-scores, kind="stable")[: max(1, len(tried) // 20)]
        weights = tried[best].mean(0) if n_users else tried[0]
        alone = {name: round(score, 6) for name, score in zip(names, scores[1 : len(names) + 1], strict=True)}
        reached = round(_judge(table, weights, window), 6)
        report = {"ndcg@10": reached, "alone": alone, "trials": len(tried), "users": n_users}
        return cls({name: round(float(w), 6) for name, w in zip(names, weights, strict=True)}, report)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        write_json({"weights": self.weights, "chosen_on_validation": self.report}, path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        content = read_json(path)
        return cls(content["weights"], content["chosen_on_validation"])


def _judge(table: Table, weights: np.ndarray, window: Window) -> float:
    """Mean NDCG@10 of a weighting on the window."""
    if not len(window.users):
        return 0.0
    scores = table.features @ weights.astype(np.float32)
    ranked = table.items_at(table.top(scores, len(window.users), JUDGED_AT))
    return float(ndcg_at_k(ranked, window.relevant, JUDGED_AT).mean())
