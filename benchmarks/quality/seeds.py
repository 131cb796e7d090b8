"""What of a figure is the luck of a seed: trees learned again from the same windows, judged on the same window."""

from collections.abc import Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.quality import time_split
from benchmarks.quality.time_split import Judged
from strata.evaluation.metrics import ndcg_at_k
from strata.evaluation.report import OURS
from strata.ranking.by_kind import ByKind
from strata.ranking.choosing import TREES
from strata.ranking.lambdamart import REPORT, LambdaMart, boost, dataset
from strata.ranking.ranker import Ranker
from strata.ranking.rankers import read_ranker
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.two_stage import rank
from strata.settings import read_settings
from strata.storage import read_json
from tasks import RANKER
from tasks.inputs import Inputs
from tasks.models import models_at
from tasks.rank import examples
from tasks.window import window_between

SEEDS, LISTED = (7, 17, 27), 10


def rows(folder: Path, asked: Sequence[tuple[str, str, bool]]) -> list[Row]:
    """For each (NAME, what is judged, only warm users) row NAME-seeds, in the workspace `folder`.

    Its value is the mean over SEEDS of trees of the size that the workspace's own have.
    """
    judged = Judged.read(folder)
    with chdir(folder):
        seeds = _values()
    mean = replace(judged, values=judged.values.with_columns(seeds.mean_horizontal().alias(OURS)))
    found = []
    for name, what, only_warm in asked:
        of_seeds = seeds.filter(judged.values["warm"]) if only_warm else seeds
        each = ", ".join(f"{value:.4f}" for value in of_seeds.mean().row(0))
        told = f"{what}, mean of {len(SEEDS)} seeds of the trees ({each})"
        row = time_split.rows(mean, f"{name}-seeds", told, only_warm=only_warm)[0]
        values = mean.values.filter("warm") if only_warm else mean.values
        per_user = pl.concat([values.select("user_id", row.reference_name), of_seeds], how="horizontal")
        found.append(replace(row, seeds=SEEDS, per_user=per_user))
    return found


def _values() -> pl.DataFrame:
    """NDCG@10 of each user of the test window, a column per seed: (B, seeds)."""
    inputs, recommend = Inputs(), read_settings(RecommendSettings, "recommend")
    ranking = read_settings(RankSettings, "rank")
    learned, names = examples(inputs, ranking, recommend)
    size, data = read_json(RANKER / REPORT)["chosen"], dataset(learned, ranking.trees)
    window, models = window_between(inputs, "backtest", "live"), models_at(inputs, "backtest")
    available = inputs.catalogue.available(window.time, window.past)
    ours = read_ranker(RANKER, ranking.method, models.feature_names)
    values = {}
    for seed in SEEDS:
        seeds = range(seed, seed + ranking.models)
        boosters = tuple(boost(data, size["leaves"], size["rounds"], each, ranking.trees) for each in seeds)
        trees = LambdaMart(boosters, tuple(names), {})
        ranked = rank(window, models, _with(trees, ours), recommend, available, LISTED)
        values[f"seed {seed}"] = ndcg_at_k(ranked, window.relevant, LISTED)
    return pl.DataFrame(values)


def _with(trees: LambdaMart, ours: Ranker) -> Ranker:
    """The workspace's ranker with these trees for those who are ranked by trees."""
    if isinstance(ours, ByKind) and TREES in ours.rankers:
        return replace(ours, rankers={**ours.rankers, TREES: trees})
    return trees if isinstance(ours, LambdaMart) else ours
