"""How much of full fine-tuning's gain low-rank adapters keep, and how few weights they train."""

from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import workspaces
from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.language.heads_retrieval import HALF_LIFE
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.training import FinetuneSettings, choose_weights
from strata.evaluation.metrics import JUDGED_AT, ndcg_at_k
from strata.evaluation.report import split_hash
from strata.evaluation.window import Window
from strata.models.baselines import mean_vector
from strata.models.settings import MeanVectorGrid
from strata.settings import read_settings
from strata.storage import read_array
from tasks.inputs import Inputs
from tasks.window import window_between

FULL: Final = 5e-5
"""Learning rate of full fine-tuning."""
RATES: Final = (5e-4, 2e-3)
"""Those tried for the adapters, of which validation chooses."""
SEEDS: Final = (7, 8)
"""Of the examples that are drawn: a gain of forty steps is partly chance."""


def rows(root: Path) -> tuple[list[Row], str]:
    """Rows lora-share and lora-weights: MovieLens-100K, in workspaces below `root`."""
    inputs = Inputs()
    validation, test = window_between(inputs, "validation", "backtest"), window_between(inputs, "backtest", "live")
    folders = {
        (tune, rate, seed): _tuned(root, tune, rate, seed)
        for tune, rates in (("full", (FULL,)), ("lora", RATES))
        for rate in rates
        for seed in SEEDS
    }
    zero_shot = np.asarray(read_array(folders["full", FULL, SEEDS[0]] / "zero_shot.npy"))

    def gain(window: Window, tune: str, rate: float) -> np.ndarray:
        """Of each warm user (B,), mean over the seeds."""
        warm, available = window.only(window.warm), inputs.catalogue.available(window.time, window.past)
        all_of_them = [np.asarray(read_array(folders[tune, rate, seed] / "items.npy")) for seed in SEEDS]
        values = [_ndcg(warm, vectors, available) for vectors in all_of_them]
        return np.asarray(np.mean(values, axis=0) - _ndcg(warm, zero_shot, available))

    rate = max(RATES, key=lambda each: gain(validation, "lora", each).mean())
    full, lora = gain(test, "full", FULL), gain(test, "lora", rate)
    drawn = np.random.default_rng(SEED).integers(0, len(full), (SAMPLES, len(full)))
    low, high = np.quantile(lora[drawn].mean(1) / full[drawn].mean(1), [0.025, 0.975])
    what = (
        "MovieLens-100K, warm users of the last fifth, NDCG@10 of the decayed mean of text vectors beyond the base "
        f"model's, mean of {len(SEEDS)} runs: gain with adapters ({lora.mean():.4f}, learning rate {rate:g}, chosen on "
        f"validation) over that of full fine-tuning ({full.mean():.4f})."
    )
    share = Row("lora-share", what, float(lora.mean() / full.mean()), float(low), float(high), "share", len(full))
    return [share, _weights()], split_hash(test)


def _tuned(root: Path, tune: str, rate: float, seed: int) -> Path:
    """Folder of the vectors by a language model that was tuned so."""
    overrides = {"finetune": {"tune": tune, "learning_rate": rate, "seed": seed}}
    name = f"{tune}-{rate:g}-{seed}"
    made = workspaces.workspace("movielens-100k", overrides=overrides, stages=["embed"], root=root / name)
    return made / "artifacts" / "vectors"


def _ndcg(window: Window, vectors: np.ndarray, available: np.ndarray) -> np.ndarray:
    scorer = mean_vector(vectors, MeanVectorGrid(half_life=(HALF_LIFE,))).fit(
        window.past, window.time, half_life=HALF_LIFE
    )
    return ndcg_at_k(window.rank(scorer, JUDGED_AT, available), window.relevant, JUDGED_AT)


def _weights() -> Row:
    """The share of weights that adapters train."""
    settings = read_settings(EncoderSettings, "encoder")
    counts = []
    for tune in ("lora", "full"):
        encoder = Encoder.load(settings.base, settings)
        choose_weights(encoder, read_settings(FinetuneSettings, "finetune").model_copy(update={"tune": tune}))
        counts.append(sum(each.numel() for each in encoder.model.parameters() if each.requires_grad))
    what = f"Weights that adapters train ({counts[0]:,}) over those of the model ({counts[1]:,})."
    share = counts[0] / counts[1]
    return Row("lora-weights", what, share, share, share, "share", 1)
