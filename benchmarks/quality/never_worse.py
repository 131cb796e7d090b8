"""Strata against the baseline that validation named best, on the test windows of large and of small data sets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from benchmarks.quality.time_split import Judged
from strata.evaluation.metrics import bootstrap
from strata.evaluation.report import OURS
from strata.models.baselines import WINDOWED
from strata.storage import read_json

MANY = 100
"""Users below which nothing follows from a difference."""


def rows(folder: Path, name: str, what: str) -> tuple[list[Row], str]:
    """Row never-worse-NAME of users with a past, and never-worse-NAME-newcomers of those without, of a workspace.

    The first compares with the baseline that `evaluate` found best on the validation window, the second with
    popularity in a window: of users without a past no other baseline knows anything.
    """
    report, judged = read_json(folder / "artifacts" / "evaluation" / "report.json"), Judged.read(folder)
    best = report["validation"]["comparison"]["best_baseline"]
    rankers = "; ".join(f"{kind}: {one['ranker']}" for kind, one in report.get("rankers", {}).items())
    told = f"{what}; ranked by {rankers}" if rankers else what
    asked = [
        ("", f"{told}: users with a past, against the baseline that was best on validation", best, True),
        ("-newcomers", f"{told}: users without a past, against windowed popularity", WINDOWED, False),
    ]
    found = [
        row(judged, f"never-worse-{name}{suffix}", told, against, warm=warm)
        for suffix, told, against, warm in asked
        if (judged.values["warm"] == warm).any()
    ]
    return found, judged.split


def row(judged: Judged, id: str, what: str, against: str, *, warm: bool) -> Row:
    """The paired difference to one baseline, for users with a past or without."""
    values = judged.values.filter(pl.col("warm") == warm)
    gain = bootstrap((values[OURS] - values[against]).to_numpy(), samples=SAMPLES, seed=SEED)
    value, reference = (float(values[name].mean() or 0) for name in (OURS, against))
    found = Row.of(
        id, f"{what}: mean NDCG@10, full ranking.", gain, "NDCG@10", len(values), value=value, reference=reference,
        reference_name=against, trials=judged.trials, seeds=(SEED,),
        per_user=values.select("user_id", OURS, against),
    )  # fmt: skip
    return found if len(values) >= MANY else replace(found, inconclusive=f"{len(values)} users are too few.")


def together(found: Sequence[tuple[list[Row], str]]) -> tuple[list[Row], str]:
    """Rows of several workspaces, and the hashes of their splits."""
    return [row for rows, _ in found for row in rows], "-".join(split[:6] for _, split in found)
