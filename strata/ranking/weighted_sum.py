"""The weighted-sum ranker: a readable weight for each generator, tuned on a validation window."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from strata.evaluation.metrics import JUDGED_AT, ndcg_at_k
from strata.evaluation.window import Window
from strata.ranking.candidates import Table
from strata.ranking.settings import RankSettings
from strata.storage import read_json, write_json

SUM = "weighted_sum.json"


@dataclass(frozen=True)
class WeightedSum:
    """score = Σ_g weight_g · scaled_g, with one weight per generator and a report of their tuning."""

    weights: dict[str, float]
    report: dict[str, Any] = field(default_factory=dict)

    def scores(self, table: Table, features: Callable[[], np.ndarray] | None = None) -> np.ndarray:  # noqa: ARG002
        """Score of each row of the table (n,), from the generators' scaled scores only."""
        return np.asarray(table.scaled @ self.vector(table.generators))

    def contributions(
        self, table: Table, features: Callable[[], np.ndarray] | None = None, credits: np.ndarray | None = None
    ) -> np.ndarray:  # noqa: ARG002
        """What each generator adds to the score of each row: (n, G)."""
        return np.asarray(table.scaled * self.vector(table.generators))

    @classmethod
    def in_proportion(cls, weights: Mapping[str, float]) -> Self:
        """A sum with these generator weights, scaled to add up to 1."""
        total = sum(weights.values())
        return cls({name: weight / total for name, weight in weights.items()})

    def check(self, names: Sequence[str]) -> None:
        """Fits all features: generators that were not weighed count nothing."""

    def vector(self, generators: Sequence[str]) -> np.ndarray:
        """Weights (G,) in the order of `generators`; 0 for generators without a weight."""
        return np.array([self.weights.get(name, 0.0) for name in generators], np.float32)

    @classmethod
    def tune(cls, table: Table, window: Window, settings: RankSettings) -> Self:
        """Random search over weightings on the simplex, and each generator alone, by NDCG@10 on the window.

        Takes the mean of the best ones, as the single best weighting on a small window is largely chance. `table`: the
        candidates of the window's users, numbered in the window's order.
        """
        names, n_users = table.generators, len(window.users)
        tried, values = _tried(table, window, settings)
        scores = values.mean(1) if n_users else np.zeros(len(tried))
        weights = _best_of(tried, scores, settings)
        alone = {name: round(float(score), 6) for name, score in zip(names, scores[1 : len(names) + 1], strict=True)}
        reached = round(float(_judge(table, weights, window).mean()), 6) if n_users else 0.0
        report = {"ndcg@10": reached, "alone": alone, "trials": len(tried), "users": n_users}
        return cls({name: round(float(w), 6) for name, w in zip(names, weights, strict=True)}, report)

    def write(self, folder: Path) -> None:
        """Write as JSON."""
        write_json({"weights": self.weights, "chosen_on_validation": self.report}, folder / SUM)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        content = read_json(folder / SUM)
        return cls(content["weights"], content["chosen_on_validation"])


BY_POPULARITY: Final = WeightedSum({"popular": 1.0})
"""Ranks by popularity in the window that did best before, as the generator of that name proposes."""


def tuned_apart(table: Table, window: Window, settings: RankSettings) -> np.ndarray:
    """NDCG@10 of each user (B,) by weights tuned, as in `tune`, on the users of other `choose.parts`."""
    n_users, parts = len(window.users), settings.choose.parts
    tried, values = _tried(table, window, settings)
    part_of = np.random.default_rng(settings.seed).permutation(n_users) % parts
    found = np.zeros(n_users)
    for part in np.unique(part_of):
        mine = part_of == part
        scores = values[:, ~mine].mean(1) if not mine.all() else np.zeros(len(tried))
        found[mine] = _judge(table, _best_of(tried, scores, settings), window)[mine]
    return found


def _judge(table: Table, weights: np.ndarray, window: Window) -> np.ndarray:
    """NDCG@10 of each user of the window (B,) by a weighting of the table's generators (G,)."""
    scores = table.scaled @ weights.astype(np.float32)
    ranked = table.items_at(table.top(scores, len(window.users), JUDGED_AT))
    return ndcg_at_k(ranked, window.relevant, JUDGED_AT)


def _tried(table: Table, window: Window, settings: RankSettings) -> tuple[np.ndarray, np.ndarray]:
    """The weightings to try (trials, G): equal ones, each alone, and random ones; NDCG@10 of users (trials, B)."""
    n, rng = len(table.generators), np.random.default_rng(settings.seed)
    draws = rng.dirichlet(np.full(n, settings.sum.concentration), max(settings.trials - n - 1, 0))
    tried = np.concatenate([np.full((1, n), 1 / n), np.eye(n), draws])
    return tried, np.stack([_judge(table, weights, window) for weights in tried])


def _best_of(tried: np.ndarray, scores: np.ndarray, settings: RankSettings) -> np.ndarray:
    """The mean of the weightings with the best scores (trials,), the first where nothing scores."""
    best = np.argsort(-scores, kind="stable")[: max(1, int(settings.sum.best_share * len(tried)))]
    return np.asarray(tried[best].mean(0) if scores.any() else tried[0])
