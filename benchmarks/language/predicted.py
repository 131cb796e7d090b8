"""Predicted ratings of the films' test window, beside means and a biased matrix factorisation tuned before it."""

import numpy as np
import polars as pl

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import pooled, share
from strata.evaluation.ratings import FACTORISED, OURS, auc, like_from, simple_predictions, slices
from strata.models.predicted_ratings import PredictedRatings, predicted_by
from strata.storage import read_json
from tasks.inputs import Inputs, folder
from tasks.rated import item_facts, ratings_of, scale


def rows() -> tuple[list[Row], str]:
    """Rows rating-rmse, its slices and its baselines, and rating-auc, of the workspace of `make demo`."""
    inputs = Inputs()
    made = folder("backtest") / "ratings"
    model = PredictedRatings.read(made, lambda: item_facts(inputs))
    assert model is not None, "MovieLens has ratings"
    ratings, bounds = ratings_of(inputs), scale()
    past, seen = ratings.before(inputs.time("backtest")), ratings.between(inputs.time("backtest"), inputs.time("live"))
    predictions = {OURS: model.of_users(seen.users, seen.items)}
    predictions[FACTORISED] = predicted_by(model.signs.factors, past, seen.users, seen.items)
    predictions |= simple_predictions(past, seen.users, seen.items)
    squared = {name: (np.clip(p, bounds.lowest, bounds.highest) - seen.values) ** 2 for name, p in predictions.items()}
    trials = len(read_json(made / "ratings.json")["tried"])
    what = f"MovieLens-100K, the last fifth of all ratings by time ({len(seen):,}): root mean squared error of"
    found = [_compared("rating-rmse", what, squared, np.ones(len(seen), bool), seen.users, trials)]
    for name, mask in list(slices(past, seen).items())[1:]:
        of_these = f"{what[:-2]} for {name} ({mask.sum():,}) of"
        found.append(_compared(f"rating-rmse-{name.replace(' ', '-')}", of_these, squared, mask, seen.users, trials))
    found += [
        Row.of(f"rating-rmse-{name.replace(' ', '-')}", f"{what} {name}.", _rmse(squared[name], seen.users), "stars",
               len(np.unique(seen.users)), trials=trials if name == FACTORISED else 0)
        for name in squared if name != OURS
    ]  # fmt: skip
    liked = seen.values >= like_from(bounds)
    areas = {name: auc(predictions[name], liked) for name in (OURS, FACTORISED)}
    users = np.unique(seen.users)
    low, high = np.quantile(_redrawn(predictions, liked, seen.users, users), [0.025, 0.975])
    found.append(Row(
        "rating-auc", f"The same ratings: area under the curve of likes, from {like_from(bounds):g} stars on.",
        areas[OURS], float(low), float(high), "AUC", len(users), areas[FACTORISED], FACTORISED, trials=trials,
    ))  # fmt: skip
    return found, f"{int(past.times.sum()) % 16**6:06x}-{int(seen.times.sum()) % 16**6:06x}"


def _compared(
    name: str, what: str, squared: dict[str, np.ndarray], mask: np.ndarray, users: np.ndarray, trials: int
) -> Row:
    """Our error against the factorisation's: lower is better."""
    columns = np.stack([squared[OURS][mask], squared[FACTORISED][mask], np.ones(mask.sum())], axis=1)
    who, of = np.unique(users[mask], return_inverse=True)
    sums = np.stack([np.bincount(of, column) for column in columns.T], axis=1)
    ours, theirs = (float(np.sqrt(share(sums.sum(0)[[place, 2]]))) for place in (0, 1))
    interval = pooled(sums, lambda s: np.sqrt(s[..., 0] / s[..., 2]) - np.sqrt(s[..., 1] / s[..., 2]))
    return Row.of(
        name, f"{what} {OURS}.", interval, "stars", len(who), value=ours, reference=theirs, reference_name=FACTORISED,
        trials=trials, per_user=pl.DataFrame(sums, schema=["ours", "factorisation", "ratings"]),
    )  # fmt: skip


def _rmse(squared: np.ndarray, users: np.ndarray):  # noqa: ANN202
    _, of = np.unique(users, return_inverse=True)
    return pooled(np.stack([np.bincount(of, squared), np.bincount(of)], axis=1), lambda s: np.sqrt(share(s)))


def _redrawn(predictions: dict[str, np.ndarray], liked: np.ndarray, users: np.ndarray, who: np.ndarray) -> list[float]:
    """Differences of the two areas over redrawn users."""
    rng, rows = np.random.default_rng(7), {user: np.flatnonzero(users == user) for user in who}
    found = []
    for _ in range(300):
        drawn = np.concatenate([rows[user] for user in rng.choice(who, len(who))])
        found.append(auc(predictions[OURS][drawn], liked[drawn]) - auc(predictions[FACTORISED][drawn], liked[drawn]))
    return found
