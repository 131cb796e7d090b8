"""The collaborative models of one cut-off: fitted with the settings that tuning chose, written, read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from strata.data.history import History
from strata.models.als import Als
from strata.models.association_rules import AssociationRules
from strata.models.baselines import (
    ASSOCIATION_RULES,
    DECAYED_ALS,
    DECAYED_EASE,
    DECAYED_ITEM_KNN,
    OWN,
    USER_KNN,
    WINDOWED,
)
from strata.models.ease import Ease
from strata.models.files import load_model, save_model
from strata.models.item_knn import ItemKnn
from strata.models.item_model import ItemModel
from strata.models.popularity import popularity
from strata.models.user_knn import UserKnn
from strata.storage import read_array, read_json, write_array, write_json

ITEM_MODELS: Final[Mapping[str, tuple[type[ItemModel], str]]] = {
    "ease": (Ease, DECAYED_EASE),
    "item-knn": (ItemKnn, DECAYED_ITEM_KNN),
    "association-rules": (AssociationRules, ASSOCIATION_RULES),
    "als": (Als, DECAYED_ALS),
}
"""Item models by name (of their file and their generator), each with the baseline whose tuned settings it takes."""
USER_KNN_FILE = "user-knn.safetensors"
COUNTS, TUNING = "popularity.npy", "tuning.json"


@dataclass(frozen=True)
class CollaborativeModels:
    """Item models by name, user-kNN, popularity `counts` (n_items,), half-life of a user's own history (days).

    `own_half_life` is None where repeats are not recommended.
    """

    item_models: Mapping[str, ItemModel]
    user_knn: UserKnn
    counts: np.ndarray
    own_half_life: float | None

    @property
    def own_half_lives(self) -> tuple[float, ...]:
        """`own_half_life`, or an empty tuple."""
        return () if self.own_half_life is None else (self.own_half_life,)

    @classmethod
    def fit(cls, past: History, time: float, chosen: Mapping[str, Mapping[str, Any]]) -> Self:
        """Fit on all events before `time`; `chosen`: tuned settings of each baseline by its name."""
        return cls(
            {name: model.fit(past, **chosen[tuned]) for name, (model, tuned) in ITEM_MODELS.items()},
            UserKnn.fit(past, time, **chosen[USER_KNN]),
            popularity(past, time, chosen[WINDOWED]["window_days"]).astype(np.float32),
            chosen[OWN]["half_life_days"] if OWN in chosen else None,
        )

    def write(self, folder: Path, tuning: Mapping[str, Any]) -> None:
        """Write the models, and the trials and choices of tuning."""
        for name, model in self.item_models.items():
            save_model(model, folder / f"{name}.safetensors")
        save_model(self.user_knn, folder / USER_KNN_FILE)
        write_array(self.counts, folder / COUNTS)
        write_json({**tuning, "own_half_life": self.own_half_life}, folder / TUNING)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        items = {name: load_model(model, folder / f"{name}.safetensors") for name, (model, _) in ITEM_MODELS.items()}
        user_knn, counts = load_model(UserKnn, folder / USER_KNN_FILE), np.asarray(read_array(folder / COUNTS))
        return cls(items, user_knn, counts, read_json(folder / TUNING)["own_half_life"])
