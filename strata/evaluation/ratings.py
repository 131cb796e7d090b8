"""How near predicted ratings come: errors, likes told apart, and slices, beside baselines."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from strata.data.ratings import Ratings
from strata.data.weights import RatingSettings

OURS, FACTORISED = "Strata", "biased matrix factorisation"
FEW: Final = 20
"""Ratings up to which a history is short."""
HEAD: Final = 0.2
"""Share of the rated items that are the head: those with most ratings."""


def like_from(scale: RatingSettings) -> float:
    """The rating from which an item is liked: half-way between neutral and the best."""
    return (scale.neutral + scale.highest) / 2


def simple_predictions(past: Ratings, users: np.ndarray, items: np.ndarray) -> dict[str, np.ndarray]:
    """The global mean, and the means of the user and of the item where they have ratings, for pairs (n,)."""
    mean = float(past.values.mean())
    found = {"global mean": np.full(len(users), mean)}
    for name, rows, asked, n in (
        ("user mean", past.users, users, past.n_users), ("item mean", past.items, items, past.n_items),
    ):  # fmt: skip
        counts = np.bincount(rows, minlength=n)
        means = np.bincount(rows, past.values, minlength=n) / np.maximum(counts, 1)
        found[name] = np.where(counts > 0, means, mean)[asked]
    return found


def slices(past: Ratings, seen: Ratings) -> dict[str, np.ndarray]:
    """Masks (n,) of the ratings `seen`, by how much was known of their users and items."""
    of_user, of_item = (
        np.bincount(rows, minlength=n) for rows, n in ((past.users, past.n_users), (past.items, past.n_items))
    )
    rated = of_item[of_item > 0]
    head = of_item >= np.quantile(rated, 1 - HEAD) if len(rated) else np.zeros(past.n_items, bool)
    before = of_user[seen.users]
    return {
        "all": np.ones(len(seen), bool),
        "users without ratings before": before == 0,
        f"users with 1 to {FEW}": (before > 0) & (before <= FEW),
        f"users with more than {FEW}": before > FEW,
        "head items": head[seen.items],
        "tail items": ~head[seen.items],
    }


def judge_ratings(
    predictions: Mapping[str, np.ndarray], past: Ratings, seen: Ratings, scale: RatingSettings
) -> dict[str, Any]:
    """RMSE and MAE of `predictions` (n,) by method and slice, AUC and F1 of likes, and what was judged."""
    liked, report = seen.values >= like_from(scale), {}
    masks = {name: mask for name, mask in slices(past, seen).items() if mask.any()}
    for method, predicted in predictions.items():
        within = np.clip(predicted, scale.lowest, scale.highest)
        errors = within - seen.values
        told = within >= like_from(scale)
        report[method] = {
            "slices": {name: _errors(errors[mask]) for name, mask in masks.items()},
            "auc": _rounded(auc(within, liked)),
            "f1": _rounded(2 * (told & liked).sum() / max(told.sum() + liked.sum(), 1)),
        }
    sizes = {name: int(mask.sum()) for name, mask in masks.items()}
    return {"ratings": sizes, "like_from": like_from(scale), "methods": report}


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Share of pairs of a positive and a negative case whose scores (n,) are in this order; ties count half."""
    n = int(positive.sum()), int((~positive).sum())
    if not all(n):
        return 0.5
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[positive].sum() - n[0] * (n[0] + 1) / 2) / (n[0] * n[1]))


def ratings_markdown(report: Mapping[str, Any]) -> str:
    """The report as a table: RMSE by slice, then MAE, AUC and F1 of all."""
    sizes = report["ratings"]
    heads = [f"{name} ({n:,})" for name, n in sizes.items()]
    lines = [
        f"Predicted ratings of the test window: RMSE by slice (ratings judged); a like is a rating from "
        f"{report['like_from']:g} on.",
        "",
        "| method | " + " | ".join([*heads, "MAE", "AUC of likes", "F1 of likes"]) + " |",
        "|---|" + "---|" * (len(heads) + 3),
    ]
    for method, found in report["methods"].items():
        cells = [f"{found['slices'][name]['rmse']:.4f}" for name in sizes]
        cells += [f"{found['slices']['all']['mae']:.4f}", f"{found['auc']:.4f}", f"{found['f1']:.4f}"]
        lines.append(f"| {f'**{method}**' if method == OURS else method} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _errors(errors: np.ndarray) -> dict[str, float]:
    return {"rmse": _rounded(np.sqrt((errors**2).mean())), "mae": _rounded(np.abs(errors).mean())}


def _rounded(value: float) -> float:
    return round(float(value), 6)
