"""What variety costs: lists of the test window re-ranked for diversity and the user's own mix of themes and tiers."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SEED, pooled
from strata._kernels.selection import NOTHING
from strata.evaluation.beyond_accuracy import intra_list_diversity, miscalibration
from strata.evaluation.metrics import ndcg_at_k
from strata.evaluation.window import Window
from strata.interests.profiles import Profiles
from strata.interests.themes import Themes
from strata.ranking.rankers import read_ranker
from strata.ranking.settings import RankSettings, RecommendSettings
from strata.ranking.two_stage import tables
from strata.recommendation.rerank import Mix, RerankSettings, interest_mixes, rerank
from strata.settings import read_settings
from tasks import RANKER
from tasks.inputs import Inputs, folder
from tasks.models import models_at
from tasks.spaces import space_of
from tasks.window import window_between

AMONG, LISTED = 100, 10
STRENGTHS = (0.05, 0.1, 0.15, 0.2, 0.3)
"""Of diversity and of calibration, tried in all pairs."""
MOST_COST, LEAST_GAIN = 0.03, 0.15


@dataclass(frozen=True)
class Lists:
    """The best AMONG candidates of the B warm users of a window, best first, with their scores: (B, AMONG) each."""

    window: Window
    items: np.ndarray
    scores: np.ndarray
    profiles: Profiles
    themes: Themes
    vectors: np.ndarray

    @classmethod
    def between(cls, known: str, end: str) -> "Lists":
        """Made with what is known at one cut-off, judged up to another."""
        inputs, recommend = Inputs(), read_settings(RecommendSettings, "recommend")
        window, models = window_between(inputs, known, end), models_at(inputs, known)
        window = window.only(window.warm)
        ranker = read_ranker(RANKER, read_settings(RankSettings, "rank").method, models.feature_names)
        available = inputs.catalogue.available(window.time, window.past)
        items = np.full((len(window.users), AMONG), NOTHING, np.int64)
        scores = np.full(items.shape, -np.inf)
        for part, audience, table in tables(window, models, recommend, available):
            found = models.score(table, audience, ranker)
            best = table.top(found, len(audience), AMONG)
            items[part] = table.items_at(best)
            scores[part] = np.where(best == NOTHING, -np.inf, np.append(found, -np.inf)[best])
        themes, vectors = Themes.read(folder(known) / "themes"), space_of(known).vectors
        return cls(window, items, scores, models.profiles, themes, vectors)

    def mixes(self, ranked: np.ndarray) -> tuple[Mix, Mix]:
        """Themes and tiers of ranked items (B, n), and the users' own shares of them."""
        return interest_mixes(ranked, self.window.users, self.vectors, self.profiles, self.themes)

    @cached_property
    def _of_candidates(self) -> tuple[Mix, Mix]:
        return self.mixes(self.items)

    def values(self, settings: RerankSettings) -> pl.DataFrame:
        """NDCG@10, spread and divergence from the users' own mixes of the lists that settings give: (B, 3)."""
        ranked = rerank(self.items, self.scores, LISTED, settings, self.vectors, self._of_candidates)
        theme, tier = self.mixes(ranked)
        return pl.DataFrame(
            {
                "ndcg": ndcg_at_k(ranked, self.window.relevant, LISTED),
                "spread": intra_list_diversity(ranked, self.vectors),
                "mix": miscalibration(theme.groups, theme.target) + miscalibration(tier.groups, tier.target),
            }
        )


def rows() -> list[Row]:
    """Rows diversity-cost (share of NDCG@10 lost), diversity-gain (of miscalibration) and diversity-spread."""
    chosen = choose(Lists.between("validation", "backtest"))
    judged = Lists.between("backtest", "live")
    plain, varied = (judged.values(settings) for settings in (RerankSettings(), chosen))
    table = pl.concat([plain.select(pl.all().name.prefix("plain ")), varied.select(pl.all().name.prefix("varied "))],
                      how="horizontal")  # fmt: skip
    how = (
        f"Diversity {chosen.diversity:g} and calibration {chosen.calibration:g}, which on the validation window gain "
        f"most of what costs at most half of what is allowed, on MovieLens-100K's test window"
    )
    return [
        _row("diversity-cost", f"{how}: share of NDCG@10 lost, at most {MOST_COST:.0%} asked", table, "ndcg", -1),
        _row("diversity-gain", f"{how}: share of the divergence between the list's mix of themes and tiers and the "
             f"user's own that goes, {LEAST_GAIN:.0%} asked", table, "mix", -1, claim=LEAST_GAIN),
        _row("diversity-spread", f"{how}: rise of the lists' mean distance between items", table, "spread", 1),
    ]  # fmt: skip


def choose(lists: Lists) -> RerankSettings:
    """The pair of strengths that brings lists nearest to the users' own mixes for half of MOST_COST, or the mildest."""
    least = (1 - MOST_COST / 2) * lists.values(RerankSettings())["ndcg"].mean()
    tried = [RerankSettings(diversity=d, calibration=c) for d, c in product(STRENGTHS, STRENGTHS)]
    reached = [lists.values(settings).mean().row(0, named=True) for settings in tried]
    allowed = [n for n, means in enumerate(reached) if means["ndcg"] >= least]
    return tried[min(allowed, key=lambda n: reached[n]["mix"], default=0)]


def _row(name: str, what: str, values: pl.DataFrame, of: str, sign: int, claim: float | None = None) -> Row:
    """Relative change of a mean, over users."""
    columns = values.select(f"plain {of}", f"varied {of}").to_numpy()
    found = pooled(columns, lambda sums: sign * (sums[..., 1] / np.maximum(sums[..., 0], 1e-12) - 1))
    per_user = pl.DataFrame(columns, schema=["plain", "varied"])
    return Row.of(name, f"{what}.", found, "share", len(columns), claim=claim, seeds=(SEED,), per_user=per_user)
