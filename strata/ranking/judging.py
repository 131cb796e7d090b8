"""How well rankers do for the users of one window, from candidates that are proposed once for all of them."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from strata.evaluation.metrics import JUDGED_AT, ndcg_at_k
from strata.evaluation.window import Window
from strata.ranking.candidates import Table
from strata.ranking.ranker import Ranker
from strata.ranking.settings import RecommendSettings
from strata.ranking.two_stage import Models, tables


@dataclass(frozen=True)
class Judged:
    """The candidates of a window's users (B), numbered in the window's order, and a ranker's score of each (n,).

    `scores`: None without a ranker. Features are not kept: of many users they fill the memory.
    """

    window: Window
    table: Table
    scores: np.ndarray | None

    @classmethod
    def of(
        cls, window: Window, models: Models, settings: RecommendSettings, available: np.ndarray, ranker: Ranker | None
    ) -> Self:
        """Propose for the users of a window, of the items `available` (n_items,) bool, and score by `ranker`."""
        blocks, scores = [], []
        for part, batch, table in tables(window, models, settings, available):
            blocks.append((part.start, table))
            if ranker is not None:
                scores.append(models.score(table, batch, ranker))
        return cls(window, Table.stacked(blocks), None if ranker is None else np.concatenate(scores))

    @property
    def n_choices(self) -> np.ndarray:
        """How much each user had chosen before the window: (B,)."""
        return np.asarray(np.diff(self.window.past.choices.offsets)[self.window.users])

    def ndcg(self, scores: np.ndarray) -> np.ndarray:
        """NDCG@10 of each user (B,) by scores of the candidates (n,)."""
        ranked = self.table.items_at(self.table.top(scores, len(self.window.users), JUDGED_AT))
        return ndcg_at_k(ranked, self.window.relevant, JUDGED_AT)
