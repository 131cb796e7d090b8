"""Predicted ratings: the mean and what signs add to it, weighted as earlier windows of time taught."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from safetensors.numpy import load_file, save_file
from scipy import sparse
from scipy.optimize import nnls

from strata.data.ratings import Ratings
from strata.data.weights import RatingSettings
from strata.models.files import csr_arrays, csr_of
from strata.models.rating_factors import RatingFactors
from strata.models.rating_signs import SIGNS, ItemFacts, RatingSigns
from strata.models.settings import Counts, Numbers
from strata.settings import Settings
from strata.storage import read_json, replacing, write_json

FACTS, ARRAYS = "ratings.json", "ratings.safetensors"
SPARSE: Final = ("given", "groups", "in_group")


class FactorGrid(Settings):
    """Values tried for the biased matrix factorisation."""

    factors: Counts = (4, 8, 16)
    shrink: Numbers = (1, 2, 5)
    """Ratings of no deviation added to the bias of a user or an item."""
    penalty: Numbers = (5, 10, 20)
    """L2 regularisation of the factors."""


class RatingModelSettings(Settings):
    """How ratings are predicted, where the data has any."""

    least: PositiveInt = 1000
    """Ratings below which none are predicted."""
    grid: FactorGrid = FactorGrid()
    trials: PositiveInt = 12
    """Settings of the grid that are tried on the validation window; all where there are fewer."""
    windows: PositiveInt = 6
    """Earlier windows that teach how much each sign says."""
    window_share: float = Field(default=0.08, gt=0, lt=0.5)
    """Share of the ratings in each of them."""
    ridge: PositiveFloat = 100.0
    """L2 of the signs' weights, in standard deviations of the signs."""
    seed: int = 7


@dataclass(frozen=True)
class PredictedRatings:
    """Ratings of anybody for any item, between `lowest` and `highest`; `weights` (len(SIGNS),) of what adds to it.

    There is no intercept: how generous people are drifts, and what they were lately is no promise.
    """

    signs: RatingSigns
    weights: np.ndarray
    lowest: float
    highest: float

    @classmethod
    def fit(
        cls, ratings: Ratings, time: float, items: ItemFacts, groups: sparse.csr_matrix, chosen: Mapping[str, Any],
        scale: RatingSettings, how: RatingModelSettings,
    ) -> Self:  # fmt: skip
        """Learn from ratings before `time` (seconds); `chosen`: factors, shrink and penalty of the factorisation."""
        past = ratings.before(time)
        tables, wanted = [], []
        for start, stop in _windows(past, how):
            then = past.before(start)
            signs = _signs(then, start, items, groups, chosen, how)
            seen = past.between(start, stop)
            tables.append(signs.table(signs.given, groups, seen.users, seen.items))
            wanted.append(seen.values - signs.factors.mean)
        weights = _ridge(np.concatenate(tables), np.concatenate(wanted), how.ridge)
        return cls(_signs(past, time, items, groups, chosen, how), weights, scale.lowest, scale.highest)

    def of_users(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Of pairs of user rows and item rows (n,): (n,)."""
        who, of = np.unique(users, return_inverse=True)
        return self._predicted(self.signs.table(self.signs.given[who], self.signs.groups[who], of, items))

    def of_visitor(self, rated: np.ndarray, values: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Of somebody who rated the items `rated` (m,) with `values` (m,), or nothing, for items (n,): (n,)."""
        n_items, n_groups = self.signs.given.shape[1], self.signs.groups.shape[1]
        last = dict(zip(rated.tolist(), np.clip(values, self.lowest, self.highest).tolist(), strict=True))
        cells = (list(last.values()), ([0] * len(last), list(last)))
        nobody = sparse.csr_matrix((1, n_groups))
        given = sparse.csr_matrix(cells, shape=(1, n_items), dtype=np.float64)
        return self._predicted(self.signs.table(given, nobody, np.zeros(len(items), np.int64), items))

    def _predicted(self, table: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(self.signs.factors.mean + table @ self.weights, self.lowest, self.highest))

    def write(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Write as arrays and a JSON file with these `facts`; vectors and classes of the items stand elsewhere."""
        signs, factors = self.signs, self.signs.factors
        dense = {"of_items": factors.of_items, "q": factors.q, "lately": signs.lately, "by_text": signs.by_text,
                 "of_group": signs.of_group, "classes_in_group": signs.classes_in_group}  # fmt: skip
        arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in dense.items()}
        for name in SPARSE:
            parts = csr_arrays(getattr(signs, name).astype(np.float32))
            arrays |= {f"{name}.{part}": array for part, array in parts.items()}
        with replacing(folder / ARRAYS) as temporary:
            save_file(arrays, temporary)
        told = {
            "mean": factors.mean, "shrink": factors.shrink, "penalty": factors.penalty, "lowest": self.lowest,
            "highest": self.highest, "weights": dict(zip(SIGNS, self.weights.tolist(), strict=True)),
        }  # fmt: skip
        write_json({"predicted": True, **facts, **told}, folder / FACTS)

    @classmethod
    def read(cls, folder: Path, items: Callable[[], ItemFacts]) -> Self | None:
        """Read what `write` wrote; None where no ratings are predicted, or by a release that knew of none."""
        if not (folder / FACTS).exists() or not (told := read_json(folder / FACTS))["predicted"]:
            return None
        arrays = {name: array.astype(np.float64) if array.dtype == np.float32 else array
                  for name, array in load_file(folder / ARRAYS).items()}  # fmt: skip
        given, groups, in_group = (
            csr_of({part: arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr", "shape")})
            for name in SPARSE
        )
        factors = RatingFactors(told["mean"], arrays["of_items"], arrays["q"], told["shrink"], told["penalty"])
        signs = RatingSigns(
            factors, given, items(), arrays["lately"], arrays["by_text"], groups, arrays["of_group"], in_group,
            arrays["classes_in_group"],
        )  # fmt: skip
        return cls(signs, np.array([told["weights"][name] for name in SIGNS]), told["lowest"], told["highest"])


def none_predicted(folder: Path, why: str) -> None:
    """Write that a release predicts no ratings."""
    write_json({"predicted": False, "why": why}, folder / FACTS)


def why_none(folder: Path) -> str:
    """Why a release predicts no ratings; empty where it does."""
    if not (folder / FACTS).exists():
        return "it is of an earlier version"
    return str(read_json(folder / FACTS).get("why", ""))


def tune_factors(
    ratings: Ratings, start: float, stop: float, tried: Sequence[Mapping[str, Any]], seed: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Of the settings `tried` those that, fitted before, err least in [start, stop); and all errors."""
    past, seen = ratings.before(start), ratings.between(start, stop)
    found = []
    for settings in tried:
        factors = RatingFactors.fit(past, **settings, seed=seed)
        error = predicted_by(factors, past, seen.users, seen.items) - seen.values
        found.append({**settings, "rmse": round(float(np.sqrt((error**2).mean())), 6)})
    best = min(found, key=lambda each: each["rmse"])
    return {name: best[name] for name in tried[0]}, found


def predicted_by(factors: RatingFactors, past: Ratings, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """What the factorisation alone predicts for pairs (n,) of users, who gave the ratings `past`, and items."""
    given = sparse.csr_matrix((past.values, (past.users, past.items)), shape=(past.n_users, past.n_items))
    biases, p = factors.of_persons(given)
    return np.asarray(factors.mean + biases[users] + factors.of_items[items] + (p[users] * factors.q[items]).sum(1))


def _windows(past: Ratings, how: RatingModelSettings) -> list[tuple[float, float]]:
    """Start and end of the latest windows, oldest first."""
    step = max(int(how.window_share * len(past)), 1)
    bounds = [past.times[max(len(past) - part * step, 1)] for part in range(how.windows, 0, -1)]
    bounds.append(past.times[-1] + 1)
    return [(start, stop) for start, stop in zip(bounds[:-1], bounds[1:], strict=True) if past.times[0] < start < stop]


def _signs(
    past: Ratings, time: float, items: ItemFacts, groups: sparse.csr_matrix, chosen: Mapping[str, Any],
    how: RatingModelSettings,
) -> RatingSigns:  # fmt: skip
    return RatingSigns.of(past, time, RatingFactors.fit(past, **chosen, seed=how.seed), items, groups)


def _ridge(table: np.ndarray, wanted: np.ndarray, penalty: float) -> np.ndarray:
    """Weights (S,) ≥ 0 of the signs, each penalised in its standard deviation: what speaks for it never harms."""
    width = np.maximum(table.std(0), 1e-6)
    scaled = table / width
    root = np.linalg.cholesky(scaled.T @ scaled + penalty * np.eye(table.shape[1]))
    weights, _ = nnls(root.T, np.linalg.solve(root, scaled.T @ wanted))
    return np.asarray(weights / width)
