"""Strata and every tuned baseline on what came after a time, as the pipeline's stage `evaluate` left it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from strata.evaluation.metrics import bootstrap
from strata.evaluation.report import CONFIGURED, OURS
from strata.storage import read_json

SLICES = ("warm", "cold", "all")
WEIGHTED = "weighted sum of generators"


@dataclass(frozen=True)
class Judged:
    """Per-user NDCG@10 of every method in a workspace, the split it was measured on and the trials of each model.

    `table`: all methods by slices and metrics, as the stage wrote it. `unjudged`: users of the window who are left out,
    and whether they are warm.
    """

    values: pl.DataFrame
    split: str
    trials: int
    cold: int
    table: str = ""
    unjudged: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"user_id": str, "warm": bool}))

    @classmethod
    def read(cls, folder: Path) -> "Judged":
        """Read what `evaluate` wrote in the workspace `folder`."""
        evaluation = folder / "artifacts" / "evaluation"
        tried = read_json(folder / "artifacts" / "models" / "backtest" / "collaborative" / "tuning.json")["tried"]
        values, report = pl.read_parquet(evaluation / "per_user.parquet"), read_json(evaluation / "report.json")
        table = (evaluation / "metrics.md").read_text(encoding="utf-8")
        return cls(values, report["split"], max(map(len, tried.values())), report["users"]["cold"], table)

    def by_likes(self, folder: Path) -> "Judged":
        """The same lists judged by likes alone, as `evaluate` left them; who liked nothing is left out."""
        values = pl.read_parquet(folder / "artifacts" / "evaluation" / "per_user_likes.parquet")
        left_out = self.values.select("user_id", "warm").join(values, on="user_id", how="anti")
        return replace(self, values=values, cold=int((~values["warm"]).sum()), unjudged=left_out)

    @property
    def baselines(self) -> list[str]:
        """Every method that is not ours."""
        return [name for name in self.values.columns if name not in ("user_id", "warm", OURS, CONFIGURED, WEIGHTED)]


def rows(judged: Judged, name: str, what: str, *, only_warm: bool) -> list[Row]:
    """Row NAME against the best baseline, NAME-ratio of the means, and NAME-BASELINE for each other one."""
    values = judged.values.filter(pl.col("warm")) if only_warm else judged.values
    best = max(judged.baselines, key=lambda method: float(values[method].mean() or 0))
    unjudged = judged.unjudged.filter(pl.col("warm") | pl.lit(not only_warm)).height
    counted = {"users without a past": judged.cold * only_warm, "users who liked nothing of it": unjudged}
    left_out = " ".join(f"{count} {who}." for who, count in counted.items() if count)
    found = []
    for other in [best, *(name for name in values.columns if name in {*judged.baselines, WEIGHTED} - {best})]:
        gain = bootstrap((values[OURS] - values[other]).to_numpy(), samples=SAMPLES, seed=SEED)
        mean, reference = float(values[OURS].mean() or 0), float(values[other].mean() or 0)
        ratio = f" {mean / reference:.3f} times it." if reference else ""
        found.append(
            Row.of(
                name if other == best else f"{name}-{_dashed(other)}",
                f"{what}: mean NDCG@10, full ranking, against {other}.{ratio}",
                gain, "NDCG@10", len(values), value=mean, reference=reference, reference_name=other,
                excluded=left_out, trials=judged.trials, seeds=(SEED,), per_user=values if other == best else None,
            )
        )  # fmt: skip
    return found


def _dashed(name: str) -> str:
    words: Sequence[str] = name.lower().replace("+", " ").replace("-", " ").split()
    return "-".join(words)
