"""All models of behaviour alone that one cut-off has: fitted with the settings that tuning chose, written, read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from strata.data.history import History
from strata.models.als import Factors
from strata.models.baselines import DECAYED_ALS, DECAYED_EASE, DECAYED_NEIGHBOURS, OWN, PEERS, TRANSITIONS, WINDOWED
from strata.models.ease import Ease
from strata.models.files import load_model, save_model
from strata.models.item_knn import ItemNeighbours
from strata.models.popularity import popularity
from strata.models.settings import FixedSettings
from strata.models.user_knn import UserNeighbours
from strata.storage import read_array, read_json, write_array, write_json

ItemModels = Ease | ItemNeighbours | Factors
ITEM_MODELS: Final[Mapping[str, type[ItemModels]]] = {
    "ease": Ease, "neighbours": ItemNeighbours, "transitions": ItemNeighbours, "factors": Factors
}  # fmt: skip
PEER_MODEL = "peers"
COUNTS, TUNING = "popularity.npy", "tuning.json"


@dataclass(frozen=True)
class Behaviour:
    """Item models by name, people with the same history, popularity (n_items,), and how fast own history fades (days).

    `own_half_life` is None where nothing comes back.
    """

    items: Mapping[str, ItemModels]
    peers: UserNeighbours
    counts: np.ndarray
    own_half_life: float | None

    @property
    def own_half_lives(self) -> tuple[float, ...]:
        """`own_half_life`, or none."""
        return () if self.own_half_life is None else (self.own_half_life,)

    @classmethod
    def fit(cls, past: History, time: float, chosen: Mapping[str, Mapping[str, Any]], fixed: FixedSettings) -> Self:
        """Fit on all events before `time`; `chosen`: settings of each baseline by its name, `fixed`: untuned ones."""
        return cls(
            {
                "ease": Ease.fit(past, **chosen[DECAYED_EASE]),
                "neighbours": ItemNeighbours.fit(past, **chosen[DECAYED_NEIGHBOURS]),
                "transitions": ItemNeighbours.following(past, **chosen[TRANSITIONS], distance=fixed.rule_distance),
                "factors": Factors.fit(past, **chosen[DECAYED_ALS], rounds=fixed.als_rounds, seed=fixed.als_seed),
            },
            UserNeighbours.fit(past, time, **chosen[PEERS], least_rarity=fixed.least_rarity),
            popularity(past, time, chosen[WINDOWED]["window_days"]).astype(np.float32),
            chosen[OWN]["half_life_days"] if OWN in chosen else None,
        )

    def write(self, folder: Path, tuning: Mapping[str, Any]) -> None:
        """Write the models, and beside them what tuning tried and chose."""
        for name, model in self.items.items():
            save_model(model, folder / f"{name}.safetensors")
        save_model(self.peers, folder / f"{PEER_MODEL}.safetensors")
        write_array(self.counts, folder / COUNTS)
        write_json({**tuning, "own_half_life": self.own_half_life}, folder / TUNING)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        items = {name: load_model(kind, folder / f"{name}.safetensors") for name, kind in ITEM_MODELS.items()}
        peers = load_model(UserNeighbours, folder / f"{PEER_MODEL}.safetensors")
        return cls(items, peers, np.asarray(read_array(folder / COUNTS)), read_json(folder / TUNING)["own_half_life"])
