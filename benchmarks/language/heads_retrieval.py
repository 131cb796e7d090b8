"""Whether the class heads move what the language model finds: items by the vectors before and after they learn."""

import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.item_text import item_texts
from strata.evaluation.metrics import JUDGED_AT, bootstrap, ndcg_at_k
from strata.evaluation.report import split_hash
from strata.models.baselines import mean_vector
from strata.models.settings import MeanVectorGrid
from strata.settings import read_settings
from tasks import ENCODER, TABLES, heads
from tasks.inputs import Inputs
from tasks.window import window_between

HALF_LIFE = 30.0
"""Later events of the same user after which one counts half."""


def rows() -> tuple[list[Row], str]:
    """Row heads-retrieval, in the workspace of `make demo`; the stage `heads` runs between the two readings."""
    inputs = Inputs()
    window = window_between(inputs, "backtest", "live")
    available = inputs.catalogue.available(window.time, window.past)
    before = inputs.texts
    heads.main()
    settings = read_settings(EncoderSettings, "encoder")
    after = Encoder.load(ENCODER, settings).encode(item_texts(pl.read_parquet(TABLES / "items.parquet")))
    warm = window.only(window.warm)
    found = []
    for vectors in (after, before):
        scorer = mean_vector(vectors, MeanVectorGrid(half_life=(HALF_LIFE,))).fit(
            window.past, window.time, half_life=HALF_LIFE
        )
        found.append(ndcg_at_k(warm.rank(scorer, JUDGED_AT, available), warm.relevant, JUDGED_AT))
    difference = bootstrap(found[0] - found[1], samples=SAMPLES, seed=SEED)
    row = Row.of(
        "heads-retrieval",
        "MovieLens-100K, warm users of the last fifth: NDCG@10 of the decayed mean of text vectors, read again after "
        "the class heads have learned, against before; heads learn on vectors that stay as they are.",
        difference, "NDCG@10", len(found[0]), value=float(found[0].mean()), reference=float(found[1].mean()),
        reference_name="before the heads",
    )  # fmt: skip
    return [row], split_hash(warm)
