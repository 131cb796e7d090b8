"""The LambdaMART ranker: gradient-boosted trees learned from what was chosen in earlier windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import lightgbm
import numpy as np

from strata._kernels.forest import Forest
from strata.errors import ReleaseError
from strata.evaluation.metrics import JUDGED_AT
from strata.ranking.candidates import Table
from strata.ranking.examples import Examples
from strata.ranking.settings import TreeSettings
from strata.storage import read_json, write_json, write_text

MODEL, REPORT = "trees-{}.txt", "report.json"


@dataclass(frozen=True)
class LambdaMart:
    """Boosters of several seeds, the names of their features (F,), and a report of how they were learned.

    Scores of all seeds are added up, as the ranking of a single seed is partly chance.
    """

    boosters: tuple[lightgbm.Booster, ...]
    names: tuple[str, ...]
    report: dict[str, Any]

    def scores(self, table: Table, features: Callable[[], np.ndarray]) -> np.ndarray:  # noqa: ARG002
        """Score of each row of the table by its features (n, F), comparable within a user: (n,)."""
        return self.predict(features())

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Score of each row of features (n, F), comparable within a user: (n,)."""
        return self.forest.scores(features)

    @cached_property
    def forest(self) -> Forest:
        """All trees in the form that computes scores."""
        return Forest.of(*self.boosters)

    def contributions(self, table: Table, features: Callable[[], np.ndarray], credits: np.ndarray) -> np.ndarray:
        """What each generator adds to the score of each row, by Shapley values (TreeSHAP): (n, G).

        `credits` (F,): the generator that each feature is credited to, NOTHING for none (such as item features).
        """
        n_generators = len(table.generators)
        if not len(table):
            return np.zeros((0, n_generators))
        values = sum(np.asarray(each.predict(features(), pred_contrib=True, num_threads=1)) for each in self.boosters)
        values = np.asarray(values)[:, :-1]
        return np.stack([values[:, credits == place].sum(1) for place in range(n_generators)], axis=1)

    def check(self, names: Sequence[str]) -> None:
        """Raises ReleaseError unless the trees were learned from features of these `names` (F,)."""
        if self.names != tuple(names):
            other = ", ".join(sorted(set(self.names) ^ set(names))) or "their order"
            raise ReleaseError(f"trees learned from other features than this code has ({other}); run dvc repro")

    @classmethod
    def fit(
        cls,
        windows: Sequence[Examples],
        names: Sequence[str],
        settings: TreeSettings,
        *,
        apart: int,
        seeds: Sequence[int],
        advance: Callable[[int], None] = lambda steps: None,
    ) -> Self:
        """Learn from all windows, in time order, with the smallest trees as good as the best on windows left out.

        As good: within one standard error over the users (Breiman et al. 1984). Windows fewer than `apart` places from
        the one left out overlap it and are left out too. Sizes are tried with the first of the `seeds`. `advance` is
        called with 1 for each model fitted, `n_fits` times.
        """
        folds = _left_out(windows, settings, apart)
        tries = [(one.leaves, one.rounds) for one in settings.sizes if folds or one.leaves == settings.few_leaves]
        sizes = [(leaves, rounds) for leaves, numbers in tries for rounds in numbers]
        found: dict[tuple[int, int], list[np.ndarray]] = {size: [] for size in sizes}
        for left_out, others in folds.items():
            data = dataset([windows[j].fewer(settings.tried_on) for j in others], settings)
            for leaves, numbers in tries:
                booster = boost(data, leaves, max(numbers), seeds[0], settings)
                advance(1)
                for rounds in numbers:
                    scores = Forest.of(booster, trees=rounds).scores(windows[left_out].features)
                    found[leaves, rounds].append(ndcg(scores, windows[left_out]))
        chosen, means = smallest_as_good(sizes, [np.concatenate([np.zeros(0), *found[size]]) for size in sizes])
        boosters = _of_size(windows, sizes[chosen], settings, seeds, advance)
        gains = np.sum([booster.feature_importance("gain") for booster in boosters], axis=0)
        gain = {
            names[i]: round(float(gains[i] / max(gains.sum(), 1e-12)), 4) for i in np.argsort(-gains, kind="stable")
        }
        tried = [
            {"leaves": size[0], "rounds": size[1], "ndcg@10": mean} for size, mean in zip(sizes, means, strict=True)
        ]
        report = {
            "chosen": tried[chosen],
            "tried": tried,
            "windows": [
                {"users": int(len(s.n_chosen)), "rows": len(s.queries), "chosen": int(s.chosen.sum())} for s in windows
            ],
            "gain": gain,
        }
        return cls(boosters, tuple(names), report)

    def learned_from(self, windows: Sequence[Examples], settings: TreeSettings, seeds: Sequence[int]) -> Self:
        """Trees of the same size that learned from these windows instead."""
        size = self.report["chosen"]["leaves"], self.report["chosen"]["rounds"]
        return replace(self, boosters=_of_size(windows, size, settings, seeds))

    def write(self, folder: Path) -> None:
        """Write the trees as LightGBM's text and the report as JSON."""
        for place, booster in enumerate(self.boosters):
            write_text(booster.model_to_string(), folder / MODEL.format(place))
        write_json({"names": list(self.names), "models": len(self.boosters), **self.report}, folder / REPORT)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        report = read_json(folder / REPORT)
        files = [folder / MODEL.format(place) for place in range(report.pop("models"))]
        boosters = tuple(lightgbm.Booster(model_str=file.read_text(encoding="utf-8")) for file in files)
        return cls(boosters, tuple(report.pop("names")), report)


def _of_size(
    windows: Sequence[Examples],
    size: tuple[int, int],
    settings: TreeSettings,
    seeds: Sequence[int],
    advance: Callable[[int], None] = lambda steps: None,
) -> tuple[lightgbm.Booster, ...]:
    """A booster of (leaves, rounds) for each seed."""
    boosters, data = [], dataset(windows, settings)
    for seed in seeds:
        boosters.append(boost(data, *size, seed, settings))
        advance(1)
    return tuple(boosters)


def n_fits(windows: Sequence[Examples], settings: TreeSettings, *, apart: int, seeds: int) -> int:
    """How many models `fit` fits."""
    return len(settings.sizes) * len(_left_out(windows, settings, apart)) + seeds


def ndcg(scores: np.ndarray, examples: Examples) -> np.ndarray:
    """NDCG@10 of each user of a window when its rows are ordered by `scores` (n,): (B,)."""
    order = np.lexsort((-scores, examples.queries))
    queries = examples.queries[order]
    place = np.arange(len(queries)) - np.searchsorted(queries, queries)
    top = place < JUDGED_AT
    gains = examples.chosen[order][top] / np.log2(place[top] + 2)
    discounts = np.append(0, np.cumsum(1 / np.log2(np.arange(JUDGED_AT) + 2)))
    reached = np.bincount(queries[top], gains, len(examples.n_chosen))
    return np.asarray(reached / discounts[np.clip(examples.n_chosen, 1, JUDGED_AT)])


def smallest_as_good(sizes: Sequence[tuple[int, int]], reached: Sequence[np.ndarray]) -> tuple[int, list[float]]:
    """Index of the (leaves, rounds) with the fewest leaves among those as good as the best, and all mean NDCGs.

    `reached`: NDCG@10 of the same users with each size. Of equal leaves the best mean wins. Without users: 0.
    """
    means = [round(float(each.mean()), 6) if len(each) else 0.0 for each in reached]
    if not len(reached[0]):
        return 0, means
    behind = [reached[int(np.argmax(means))] - each for each in reached]
    as_good = [i for i, each in enumerate(behind) if each.mean() <= each.std() / np.sqrt(len(each))]
    return min(as_good, key=lambda i: (sizes[i][0], -means[i])), means


def _left_out(windows: Sequence[Examples], settings: TreeSettings, apart: int) -> dict[int, list[int]]:
    """Window left out → windows to learn from meanwhile, the latest first."""
    found: dict[int, list[int]] = {}
    judged = 0
    for left_out in reversed(range(len(windows))):
        others = [j for j in range(len(windows)) if abs(left_out - j) >= apart]
        if others and len(found) < settings.left_out and judged < settings.enough:
            found[left_out] = others
            judged += len(windows[left_out].n_chosen)
    return found


def dataset(windows: Sequence[Examples], settings: TreeSettings) -> lightgbm.Dataset:
    """Examples as a LightGBM data set that can be used for several fits."""
    groups = np.concatenate([np.bincount(s.queries) for s in windows])
    return lightgbm.Dataset(
        np.concatenate([s.features for s in windows]),
        np.concatenate([s.chosen for s in windows]).astype(np.int8),
        group=groups[groups > 0],
        params=_of_rows(int(groups.sum()), settings),
    ).construct()


def boost(data: lightgbm.Dataset, leaves: int, rounds: int, seed: int, settings: TreeSettings) -> lightgbm.Booster:
    """Fit `rounds` trees of `leaves` leaves; deterministic for a seed."""
    parameters = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": settings.lambdarank_truncation_level,
        "learning_rate": settings.learning_rate,
        "num_leaves": leaves,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.bagging_fraction,
        "bagging_freq": settings.bagging_freq,
        "lambda_l2": settings.lambda_l2,
        "seed": seed,
        "deterministic": True,
        **_of_rows(data.num_data(), settings),
    }
    return lightgbm.train(parameters, data, rounds)


def _of_rows(n: int, settings: TreeSettings) -> dict[str, Any]:
    """Parameters for n rows, the same for the data set and for fitting.

    Column-wise, as row-wise LightGBM copies the rows for each tree that samples rows and columns.
    """
    return {"min_data_in_leaf": min(settings.min_data_in_leaf, max(n // 100, 1)), "force_col_wise": True, "verbose": -1}
