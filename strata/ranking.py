"""One ranking from many generators: a weighted sum that one can read, its weights chosen on a past window."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from strata.candidates import Candidates
from strata.metrics import NOTHING, ndcg_at_k
from strata.settings import Settings
from strata.storage import read_json, write_json
from strata.tuning import JUDGED_AT, Window


class RankSettings(Settings):
    """How the weights of the generators are found."""

    trials: int = 200
    seed: int = 7


@dataclass(frozen=True)
class Table:
    """All candidates of a call: one row per (user, item), one feature column per generator.

    `features` (n, G) in [0, 1]: a generator's score scaled between its worst and best candidate of that user,
    0 where it did not propose the item. Rows are sorted by user and item.
    """

    users: np.ndarray
    items: np.ndarray
    features: np.ndarray
    generators: tuple[str, ...]

    @classmethod
    def join(cls, proposals: dict[str, Candidates], *, n_items: int) -> Self:
        """Put the proposals of several generators side by side."""
        keys = [c.users.astype(np.int64) * n_items + c.items for c in proposals.values()]
        pairs = np.unique(np.concatenate(keys)) if keys else np.zeros(0, np.int64)
        features = np.zeros((len(pairs), len(proposals)), np.float32)
        for column, (key, proposed) in enumerate(zip(keys, proposals.values(), strict=True)):
            features[np.searchsorted(pairs, key), column] = _scaled(proposed)
        return cls(pairs // n_items, pairs % n_items, features, tuple(proposals))

    def top(self, scores: np.ndarray, n_users: int, k: int) -> np.ndarray:
        """Positions in this table of each user's best k rows (n_users, k), ties by item; NOTHING pads."""
        order = np.lexsort((self.items, -scores, self.users))
        users = self.users[order]
        place = np.arange(len(users)) - np.searchsorted(users, users)
        ranked = np.full((n_users, k), NOTHING, np.int64)
        kept = place < k
        ranked[users[kept], place[kept]] = order[kept]
        return ranked

    def items_at(self, positions: np.ndarray) -> np.ndarray:
        """Item rows at table positions, padding kept."""
        return np.asarray(np.append(self.items, NOTHING)[positions])  # NOTHING, −1, picks the last


def _scaled(proposed: Candidates) -> np.ndarray:
    """Scores from 0 (a user's last proposal) to 1 (the first)."""
    if not len(proposed.users):
        return proposed.scores
    users, scores = proposed.users, proposed.scores
    low, high = np.full(users.max() + 1, np.inf), np.full(users.max() + 1, -np.inf)
    np.minimum.at(low, users, scores)
    np.maximum.at(high, users, scores)
    extent = high[users] - low[users]
    scaled = np.divide(scores - low[users], extent, out=np.ones(len(scores)), where=extent > 0)
    return np.asarray(scaled, np.float32)


@dataclass(frozen=True)
class Ranker:
    """score = Σ_g weight_g · feature_g: how much each generator counts, and how that was found."""

    weights: dict[str, float]
    report: dict[str, Any] = field(default_factory=dict)

    def scores(self, table: Table) -> np.ndarray:
        """Score of each row of the table (n,)."""
        return np.asarray(table.features @ self.vector(table.generators))

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
