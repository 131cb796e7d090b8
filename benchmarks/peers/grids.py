"""What is tried for each peer: RecBole's model, what is fixed, and the same number of settings for all that learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

LENGTH: Final = 50
"""Latest items of a user, at most, that a sequential model reads."""
PLACES: Final = 100
"""Places of every ranking."""
EPOCHS: Final = 50
"""Epochs, at most, of any peer in any setting."""
PATIENCE: Final = 10
"""Epochs without a better NDCG@10 on validation after which training stops."""
SEEDS: Final = (1, 2, 3)
"""Settings are tried with the first; the chosen one is trained with each."""


@dataclass(frozen=True)
class Peer:
    """A model of RecBole and the values tried; `fixed` differs from RecBole's defaults, all else is as it ships."""

    tried: Mapping[str, tuple[float, ...]]
    fixed: Mapping[str, Any]
    sequential: bool = False

    def settings(self) -> list[dict[str, float]]:
        """Every combination of the values tried."""
        return [dict(zip(self.tried, values, strict=True)) for values in product(*self.tried.values())]


PEERS: Final = {
    "SASRec": Peer(
        {"learning_rate": (0.001, 0.002), "hidden_dropout_prob": (0.2, 0.5)},
        {"train_neg_sample_args": None, "train_batch_size": 64},
        sequential=True,
    ),
    "LightGCN": Peer({"learning_rate": (0.01, 0.02), "n_layers": (2, 3)}, {}),
    "BPR": Peer({"learning_rate": (0.002, 0.005), "embedding_size": (64, 128)}, {}),
    "Pop": Peer({}, {"train_batch_size": 1, "epochs": 1}),
}
"""RecBole's Pop counts an item once per batch, so only batches of one count right."""
