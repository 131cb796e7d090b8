"""The table of methods on the test window: every baseline and ours, by slice, with intervals."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from strata._kernels.selection import NOTHING
from strata.evaluation.beyond_accuracy import gini, intra_list_diversity, miscalibration, serendipity
from strata.evaluation.metrics import JUDGED_AT, RANKING_METRICS, bootstrap, coverage, novelty
from strata.evaluation.window import Window
from strata.settings import Settings

OURS = "Strata"
"""Candidates and the ranker alone."""
CONFIGURED = "Strata as configured"
"""The lists that requests get: re-ranked and under the rules that are set."""
EXPECTED = "popularity"
"""The method whose items count as expected."""
BESIDE = ("coverage", "gini", "novelty", "diversity", "serendipity", "miscalibration")
"""Metrics beyond accuracy."""


class EvaluateSettings(Settings):
    """List lengths of the metrics, and bootstrap of the intervals."""

    k: tuple[int, ...] = (5, 10, 20)
    """List lengths that are evaluated."""
    bootstrap: int = 2000
    """Bootstrap samples per interval."""
    seed: int = 7
    """Of these samples."""


@dataclass(frozen=True)
class Evaluation:
    """Per-user values of each method: `values[method][metric]` (B,), aligned with `window.users`."""

    window: Window
    rankings: dict[str, np.ndarray]
    values: dict[str, dict[str, np.ndarray]]


def judge(rankings: Mapping[str, np.ndarray], window: Window, ks: Sequence[int]) -> Evaluation:
    """Evaluate rankings (B, K) of the window's users with every metric at every k."""
    values = {
        method: {
            f"{name}@{k}": metric(ranked, window.relevant, k) for k in ks for name, metric in RANKING_METRICS.items()
        }
        for method, ranked in rankings.items()
    }
    return Evaluation(window, dict(rankings), values)


def user_groups(window: Window) -> dict[str, np.ndarray]:
    """Masks (B,) of the user slices reported: nobody is dropped silently."""
    everyone = np.ones(len(window.users), bool)
    return {"warm": window.warm, "cold": ~window.warm, "all": everyone}


def summarise(
    evaluation: Evaluation,
    settings: EvaluateSettings,
    vectors: np.ndarray,
    themes: np.ndarray,
    validation: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Means by slice, method and metric, and the paired difference of ours to the best baseline on warm users.

    `vectors` (n_items, d) and `themes` (n_items,) are for the metrics beyond accuracy. `validation`: what baselines
    reached on the window before; with the one that was best there ours is compared too.
    """
    window = evaluation.window
    report: dict[str, Any] = {"split": split_hash(window), "users": {}, "ndcg@10": {}, "metrics": {}}
    for name, mask in user_groups(window).items():
        report["users"][name] = int(mask.sum())
        report["ndcg@10"][name] = {m: _mean(v[f"ndcg@{JUDGED_AT}"][mask]) for m, v in evaluation.values.items()}
    warm = window.only(window.warm)
    lists = {method: ranked[window.warm][:, :JUDGED_AT] for method, ranked in evaluation.rankings.items()}
    popularity = np.bincount(window.past.choices.matrix().indices, minlength=window.past.n_items)
    own = _own_themes(warm, themes)
    for method, values in evaluation.values.items():
        beside = _beyond(lists[method], lists[EXPECTED], warm, popularity, own, vectors, themes)
        report["metrics"][method] = {
            **{metric: _mean(per_user[window.warm]) for metric, per_user in values.items()},
            **{f"{name}@{JUDGED_AT}": value for name, value in beside.items()},
        }
    others = {m: v[f"ndcg@{JUDGED_AT}"][window.warm] for m, v in evaluation.values.items()}
    means = {m: values.mean() if len(values) else 0.0 for m, values in others.items() if m not in (OURS, CONFIGURED)}
    report["comparison"] = _compare(evaluation, settings, max(means, key=lambda method: means[method]))
    if validation:
        named = max(validation, key=lambda method: validation[method])
        report["validation"] = {"ndcg@10": dict(validation), "comparison": _compare(evaluation, settings, named)}
    return report


def _beyond(
    ranked: np.ndarray,
    expected: np.ndarray,
    window: Window,
    popularity: np.ndarray,
    own: np.ndarray,
    vectors: np.ndarray,
    themes: np.ndarray,
) -> dict[str, float]:
    """Metrics beyond accuracy of lists (B, k); `expected` (B, k): popularity's, `own` (B, t): users' theme shares."""
    return {
        "coverage": round(coverage(ranked, window.past.n_items), 6),
        "gini": round(gini(ranked, window.past.n_items), 6),
        "novelty": round(novelty(ranked, popularity), 6),
        "diversity": _mean(intra_list_diversity(ranked, vectors)),
        "serendipity": _mean(serendipity(ranked, window.relevant, expected)),
        "miscalibration": _mean(miscalibration(np.where(ranked == NOTHING, NOTHING, themes[ranked]), own)),
    }


def _own_themes(window: Window, themes: np.ndarray) -> np.ndarray:
    """Share of each theme in what each user of a window liked before: (B, t)."""
    n_themes = int(themes.max(initial=0)) + 1
    of_theme = sparse.csr_matrix((np.ones(len(themes)), (np.arange(len(themes)), themes)), (len(themes), n_themes))
    chosen = np.asarray((window.past.positive().matrix()[window.users] @ of_theme).todense())
    return np.asarray(chosen / np.maximum(chosen.sum(1, keepdims=True), 1))


def _compare(evaluation: Evaluation, settings: EvaluateSettings, baseline: str) -> dict[str, Any]:
    """Ours minus a baseline on warm users, with an interval."""
    metric, warm = f"ndcg@{JUDGED_AT}", evaluation.window.warm
    difference = (evaluation.values[OURS][metric] - evaluation.values[baseline][metric])[warm]
    interval = bootstrap(difference, samples=settings.bootstrap, seed=settings.seed)
    return {
        "best_baseline": baseline,
        "difference": round(interval.mean, 6),
        "low": round(interval.low, 6),
        "high": round(interval.high, 6),
        "n": int(warm.sum()),
    }


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown: NDCG@10 by slice, and metrics beyond accuracy for warm users."""
    users, metrics, by_slice = report["users"], report["metrics"], report["ndcg@10"]
    lines = [
        f"NDCG@10 with full ranking on the test window (warm users {users['warm']}, cold {users['cold']}).",
        "Everything was tuned before it; split " + report["split"] + ".",
        "",
        "| method | warm | cold | all | recall@20 | MRR@10 |",
        "|---|---|---|---|---|---|",
    ]
    for method, values in metrics.items():
        ndcg = " | ".join(f"{by_slice[s][method]:.4f}" for s in ("warm", "cold", "all"))
        recall = values.get("recall@20", float("nan"))
        lines.append(f"| {_emphasised(method)} | {ndcg} | {recall:.4f} | {values.get('mrr@10', float('nan')):.4f} |")
    if CONFIGURED not in metrics and "configured" in report:
        lines.append(f"| {_emphasised(CONFIGURED)} | {report['configured']} | | | | |")
    compared = {"best baseline": report["comparison"]}
    if "validation" in report:
        compared["best baseline on validation"] = report["validation"]["comparison"]
    lines += [
        "",
        *(
            f"Strata − {c['best_baseline']} ({how}), warm users: {c['difference']:+.4f} "
            f"(95 % interval {c['low']:+.4f} … {c['high']:+.4f}, n = {c['n']}).  "
            for how, c in compared.items()
        ),
        *(f"Ranked by {one['ranker']}: users with {kind} ({one['why']}).  " for kind, one in _rankers(report)),
        "",
        "What the ten places of warm users have beside hits: share of the catalogue shown to anybody; inequality of",
        "that exposure (Gini); bits of self-information; mean cosine distance within a list; share of the hits that",
        "popularity would not have had; divergence of the themes from the user's own (KL in nats, less is nearer).",
        "",
        "| method | " + " | ".join(BESIDE) + " |",
        "|---|" + "---|" * len(BESIDE),
    ]
    for method, values in metrics.items():
        beside = " | ".join(f"{values[f'{name}@{JUDGED_AT}']:.3f}" for name in BESIDE)
        lines.append(f"| {_emphasised(method)} | {beside} |")
    return "\n".join(lines) + "\n"


def _emphasised(method: str) -> str:
    return f"**{method}**" if method in (OURS, CONFIGURED) else method


def _rankers(report: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Kinds of users, and what ranks for them, where that was chosen."""
    return list(report.get("rankers", {}).items())


def split_hash(window: Window) -> str:
    """Short hash of users, relevant items and past: equal hashes, comparable reports."""
    digest = hashlib.sha256()
    for part in (window.users, window.relevant.indptr, window.relevant.indices):
        digest.update(np.ascontiguousarray(part, np.int64).tobytes())
    digest.update(np.ascontiguousarray(window.past.items, np.int64).tobytes())
    return digest.hexdigest()[:12]


def _mean(values: np.ndarray) -> float:
    return round(float(values.mean()), 6) if len(values) else 0.0
