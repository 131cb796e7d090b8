"""How much better a small decoder tells the texts of a site after it learned from the site's other texts."""

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled
from strata.embeddings.adapt_settings import AdaptSettings
from strata.embeddings.adapting import adapt
from strata.embeddings.checkpoints import fingerprint
from strata.embeddings.encoder import Encoder, EncoderSettings
from tasks.adapt import read_texts

SITE: Final = Path(".workspaces/stack-exchange")
MODEL: Final = "smollm2-135m-instruct"
SETTINGS: Final = AdaptSettings(
    enabled=True, steps=24, texts_per_step=4, max_tokens=64, learning_rate=1e-4, evaluate_every=12, held_texts=40
)
"""Short, as it runs without an accelerator."""


def rows() -> tuple[list[Row], str]:
    """Row adapt-perplexity."""
    texts = read_texts(SITE)
    encoder = Encoder.load(MODEL, EncoderSettings(base=MODEL))
    found = adapt(encoder, texts, SETTINGS, Path(".workspaces/language/adapt"), print)
    of_each = pl.DataFrame(found["of_each"])
    what = (
        f"Perplexity of {MODEL} on {found['held_texts']} held-out texts of the site falls by this share after "
        f"{found['best_step']} steps on the others: from {found['before']['perplexity']:.1f} to "
        f"{found['after']['perplexity']:.1f}."
    )
    columns = of_each.select("before", "after", "tokens").to_numpy()
    row = Row.of("adapt-perplexity", what, pooled(columns, _fall), "share", len(of_each), claim=0.0, trials=1,
                 seeds=(SEED,), per_user=of_each)  # fmt: skip
    return [row], fingerprint([SITE / "artifacts" / "tables" / f"{name}.parquet" for name in ("items", "users")])


def _fall(sums: np.ndarray) -> np.ndarray:
    """The share by which perplexity falls, of sums (…, 3) of losses before and after, and tokens."""
    return np.asarray(1 - np.exp((sums[..., 1] - sums[..., 0]) / sums[..., 2]))
