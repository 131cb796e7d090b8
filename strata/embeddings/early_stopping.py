"""Early stopping: score the encoder by ranking unseen items by closeness to what users liked lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.selection import top_k
from strata.data.history import History
from strata.embeddings.encoder import Encoder
from strata.evaluation.metrics import ndcg_at_k, recall_at_k
from strata.evaluation.split import CutOffs

HALF_LIFE = 30
"""Events after which an event of a user's history counts half."""
LONGEST = 200
"""Latest events of a user that are read."""


@dataclass(frozen=True)
class EarlyStopping:
    """Users with a history before cut_offs.finetune and new positive items in [finetune, validation).

    Over `items` (S,), the item rows that are ranked: `histories`, `seen` and `relevant` are (B, S) CSR.
    """

    items: np.ndarray
    histories: sparse.csr_matrix
    seen: sparse.csr_matrix
    relevant: sparse.csr_matrix

    def __len__(self) -> int:
        return int(self.histories.shape[0])

    @classmethod
    def of(cls, events: History, cut_offs: CutOffs, *, users: int, items: int, seed: int) -> Self:
        """Sample at most `users` users and `items` items (or as many more as histories and futures need)."""
        rng = np.random.default_rng(seed)
        past, window = events.before(cut_offs.finetune), events.between(cut_offs.finetune, cut_offs.validation)
        seen, future = past.matrix(), window.positive().matrix()
        relevant = (future - future.multiply(seen)).tocsr()
        relevant.eliminate_zeros()
        liked = past.positive()
        liked = liked.keep(liked.age_in_events() < LONGEST)
        weights = liked.weights * 0.5 ** (liked.age_in_events() / HALF_LIFE)
        histories = liked.matrix(weights.astype(np.float32))
        chosen = np.flatnonzero((np.diff(relevant.indptr) > 0) & (np.diff(histories.indptr) > 0))
        if len(chosen) > users:
            chosen = np.sort(rng.choice(chosen, users, replace=False))
        rows = np.arange(events.n_items)
        if events.n_items > items:
            needed = np.union1d(histories[chosen].indices, relevant[chosen].indices)
            others = np.setdiff1d(rows, needed)
            rows = np.union1d(needed, rng.choice(others, min(len(others), max(items - len(needed), 0)), replace=False))
        return cls(rows, *(matrix[chosen][:, rows].tocsr() for matrix in (histories, seen, relevant)))

    def judge(self, encoder: Encoder, item_texts: Sequence[str]) -> dict[str, float]:
        """Mean ndcg@10 and recall@50 over the users, six decimals; empty without users."""
        if not len(self):
            return {}
        vectors = encoder.encode([item_texts[row] for row in self.items])  # (S, d)
        profiles = self.histories @ vectors  # (B, d)
        profiles /= np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), 1e-12)
        scores = profiles @ vectors.T  # (B, S)
        scores[self.seen.nonzero()] = -np.inf
        ranked, _ = top_k(scores, 50)
        ndcg, recall = ndcg_at_k(ranked, self.relevant, 10), recall_at_k(ranked, self.relevant, 50)
        return {"ndcg@10": round(float(ndcg.mean()), 6), "recall@50": round(float(recall.mean()), 6)}
