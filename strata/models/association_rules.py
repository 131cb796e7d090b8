"""Association rules: items that follow others in users' histories."""

from typing import Self

import numpy as np
from scipy import sparse

from strata._kernels.sparse_products import top_products
from strata.data.history import History
from strata.models.item_weights import ItemWeights


class AssociationRules(ItemWeights):
    """Sequential rules (Ludewig, Jannach, UMUAI 2018): how often an item follows another, each time 1 / events apart.

    `weights` CSR (n_items, n_items): of each item the strongest that follow it, divided by the item's total.
    """

    @classmethod
    def fit(cls, history: History, *, neighbours: int, half_life: float | None, shrink: float, distance: int) -> Self:
        """Count pairs up to `distance` events apart; keep `neighbours` for each item.

        `shrink` is added to an item's total, so that rules of rare items weigh less.
        """
        history = history.choices
        n, before, after, near = history.n_items, [], [], []
        for apart in range(1, min(distance, len(history) - 1) + 1):
            same = history.users[:-apart] == history.users[apart:]
            before.append(history.items[:-apart][same])
            after.append(history.items[apart:][same])
            near.append(np.full(same.sum(), 1 / apart, np.float32))
        pairs = (np.concatenate([*before, []]).astype(np.int64), np.concatenate([*after, []]).astype(np.int64))
        follows = sparse.csr_matrix((np.concatenate([*near, []]), pairs), (n, n))
        total = np.maximum(np.asarray(follows.sum(1)).ravel() + shrink, 1e-9)
        shares = sparse.diags(1 / total) @ follows
        identity = sparse.identity(n, np.float32, "csr")
        return cls(top_products(shares.tocsr(), identity, np.zeros(n), shrink=1.0, most=neighbours), half_life)
