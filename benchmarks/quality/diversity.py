"""What variety costs: lists of the test window re-ranked for diversity and the user's own mix of themes and tiers."""

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled
from strata.beyond_accuracy import intra_list_diversity, miscalibration
from strata.metrics import NOTHING, ndcg_at_k
from strata.ranking import RankSettings
from strata.recommend import read_ranker, tables
from strata.recommend_settings import RecommendSettings
from strata.rerank import RerankSettings, interest_mixes, rerank
from strata.settings import read_settings
from strata.themes import Themes
from tasks import RANKER
from tasks.inputs import Inputs, folder
from tasks.window import models_at, window_between

AMONG, LISTED = 100, 10
SETTINGS = RerankSettings(diversity=0.2, calibration=0.2)
"""Chosen on the validation window."""
MOST_COST, LEAST_GAIN = 0.03, 0.15


def rows() -> list[Row]:
    """Rows diversity-cost (share of NDCG@10 lost), diversity-gain (of miscalibration) and diversity-spread."""
    inputs, recommend = Inputs(), read_settings(RecommendSettings, "recommend")
    window, models = window_between(inputs, "backtest", "live"), models_at(inputs, "backtest")
    window = window.only(window.warm)
    ranker = read_ranker(RANKER, read_settings(RankSettings, "rank").method)
    available = inputs.catalogue.available(window.time, window.past)
    items = np.full((len(window.users), AMONG), NOTHING, np.int64)
    scores = np.full(items.shape, -np.inf)
    for part, audience, table in tables(window, models, recommend, available):
        found = models.score(table, audience, ranker)
        best = table.top(found, len(audience), AMONG)
        items[part] = table.items_at(best)
        scores[part] = np.where(best == NOTHING, -np.inf, np.append(found, -np.inf)[best])
    vectors, themes = inputs.vectors, Themes.read(folder("backtest") / "themes")
    mixes = interest_mixes(items, window.users, vectors, models.profiles, themes)
    lists = {"plain": items[:, :LISTED], "varied": rerank(items, scores, LISTED, SETTINGS, vectors, mixes)}
    values = {}
    for name, ranked in lists.items():
        theme, tier = interest_mixes(ranked, window.users, vectors, models.profiles, themes)
        values[f"{name} ndcg"] = ndcg_at_k(ranked, window.relevant, LISTED)
        values[f"{name} spread"] = intra_list_diversity(ranked, vectors)
        values[f"{name} mix"] = miscalibration(theme.groups, theme.target) + miscalibration(tier.groups, tier.target)
    table = pl.DataFrame(values)
    how = f"Diversity {SETTINGS.diversity:g} and calibration {SETTINGS.calibration:g} on MovieLens-100K's test window"
    return [
        _row("diversity-cost", f"{how}: share of NDCG@10 lost, at most {MOST_COST:.0%} asked", table, "ndcg", -1),
        _row("diversity-gain", f"{how}: share of the divergence between the list's mix of themes and tiers and the "
             f"user's own that goes, {LEAST_GAIN:.0%} asked", table, "mix", -1, claim=LEAST_GAIN),
        _row("diversity-spread", f"{how}: rise of the lists' mean distance between items", table, "spread", 1),
    ]  # fmt: skip


def _row(name: str, what: str, values: pl.DataFrame, of: str, sign: int, claim: float | None = None) -> Row:
    """Relative change of a mean, over users."""
    columns = values.select(f"plain {of}", f"varied {of}").to_numpy()
    found = pooled(columns, lambda sums: sign * (sums[..., 1] / np.maximum(sums[..., 0], 1e-12) - 1))
    per_user = pl.DataFrame(columns, schema=["plain", "varied"])
    return Row.of(name, f"{what}.", found, "share", len(columns), claim=claim, seeds=(SEED,), per_user=per_user)
