"""What of a figure is the luck of a seed: trees learned again from the same slices, judged on the same window."""

from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.quality.time_split import Judged
from strata.lambdamart import REPORT, LambdaMart, boost
from strata.metrics import bootstrap, ndcg_at_k
from strata.ranking import RankSettings
from strata.recommend import rank
from strata.recommend_settings import RecommendSettings
from strata.settings import read_settings
from strata.storage import read_json
from tasks import RANKER
from tasks.inputs import Inputs
from tasks.rank import examples
from tasks.window import models_at, window_between

SEEDS, LISTED = (7, 17, 27), 10


def rows(folder: Path, asked: Sequence[tuple[str, str, bool]]) -> list[Row]:
    """For each (NAME, what is judged, only warm users) row NAME-seeds, in the workspace `folder`.

    Its value is the mean over SEEDS of trees of the size that the workspace's own have.
    """
    judged = Judged.read(folder)
    with chdir(folder):
        values, warm = _values()
    everybody = judged.values.with_columns(pl.Series(f"seed {seed}", each) for seed, each in values.items())
    columns, found = [f"seed {seed}" for seed in SEEDS], []
    for name, what, only_warm in asked:
        table = everybody.filter(pl.Series(warm)) if only_warm else everybody
        best = max(judged.baselines, key=lambda method: float(table[method].mean() or 0))
        ours, reference = table.select(columns).to_numpy().mean(1), table[best].to_numpy()
        each = ", ".join(f"{float(table[column].mean() or 0):.4f}" for column in columns)
        found.append(
            Row.of(
                f"{name}-seeds",
                f"{what}: mean NDCG@10 over {len(SEEDS)} seeds of the trees ({each}) against {best}. "
                f"{ours.mean() / reference.mean():.3f} times it.",
                bootstrap(ours - reference, samples=SAMPLES, seed=SEED), "NDCG@10", len(table),
                value=float(ours.mean()), reference=float(reference.mean()), reference_name=best,
                trials=judged.trials, seeds=SEEDS,
                per_user=table.select("user_id", best, *columns),
            )
        )  # fmt: skip
    return found


def _values() -> tuple[dict[int, np.ndarray], np.ndarray]:
    """NDCG@10 of each user of the test window (B,) by seed, and which users are warm."""
    inputs, recommend = Inputs(), read_settings(RecommendSettings, "recommend")
    ranking = read_settings(RankSettings, "rank")
    learned, names = examples(inputs, ranking, recommend)
    size = read_json(RANKER / REPORT)["chosen"]
    window, models = window_between(inputs, "backtest", "live"), models_at(inputs, "backtest")
    available = inputs.catalogue.available(window.time, window.past)
    values = {}
    for seed in SEEDS:
        seeds = range(seed, seed + ranking.models)
        boosters = tuple(boost(learned, names, size["leaves"], size["rounds"], each) for each in seeds)
        trees = LambdaMart(boosters, tuple(names), {})
        ranked = rank(window, models, trees, recommend, available, LISTED)
        values[seed] = ndcg_at_k(ranked, window.relevant, LISTED)
    return values, window.warm
