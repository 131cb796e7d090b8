"""Rows of classes that were told of cases: macro-F1, precision of the surest three, and intervals over cases."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.evidence.files import Row
from benchmarks.evidence.intervals import SAMPLES, SEED
from strata.evaluation.classification import f1_of_counts, macro_f1
from strata.evaluation.metrics import Interval, bootstrap

AT_ONCE = 100
"""Samples of the bootstrap whose counts are held at a time."""


@dataclass(frozen=True)
class Told:
    """What a method said of n cases: `scores` (n, C), higher is surer, and the score from which it tells a class."""

    scores: np.ndarray
    threshold: float

    @property
    def classes(self) -> np.ndarray:
        """The classes it tells: (n, C) bool."""
        return self.scores >= self.threshold


def macro_row(name: str, what: str, told: Mapping[str, Told], true: np.ndarray, **more: object) -> list[Row]:
    """The first method's macro-F1 against the best of the others, and a row for each of those."""
    figures = {method: macro_f1(each.classes, true) for method, each in told.items()}
    ours, *others = told
    best = max(others, key=lambda method: figures[method])
    difference = macro_interval(told[ours].classes, true, told[best].classes)
    first = Row.of(
        name, f"{what} Told by {ours}.", difference, "macro-F1", len(true), value=figures[ours],
        reference=figures[best], reference_name=best, **more,
    )  # fmt: skip
    return [first, *(
        Row.of(f"{name}-{_id(method)}", f"{what} Told by {method}.", macro_interval(told[method].classes, true),
               "macro-F1", len(true), **more)
        for method in others
    )]  # fmt: skip


def macro_interval(predicted: np.ndarray, true: np.ndarray, other: np.ndarray | None = None) -> Interval:
    """Macro-F1 over the classes that occur, or its difference to another's, with its interval over cases."""
    occur = true.any(0)
    columns = [part[:, occur].astype(np.float32) for part in _parts(predicted, true)]
    against = [] if other is None else [part[:, occur].astype(np.float32) for part in _parts(other, true)]
    n = len(true)
    rng, found = np.random.default_rng(SEED), []
    for _ in range(SAMPLES // AT_ONCE):
        draws = rng.multinomial(n, np.full(n, 1 / n), size=AT_ONCE).astype(np.float32)
        values = f1_of_counts(*(draws @ part for part in columns)).mean(1)
        if against:
            values = values - f1_of_counts(*(draws @ part for part in against)).mean(1)
        found.append(values)
    low, high = np.quantile(np.concatenate(found), [0.025, 0.975])
    mean = macro_f1(predicted, true) - (0.0 if other is None else macro_f1(other, true))
    return Interval(mean, float(low), float(high))


def precision_rows(
    name: str, what: str, told: Mapping[str, Told], true: np.ndarray, k: int = 3, **more: object
) -> list[Row]:
    """Precision of each case's surest `k` classes: the first method against the best of the others, and those."""
    values = {method: precision_at(each.scores, true, k) for method, each in told.items()}
    ours, *others = told
    best = max(others, key=lambda method: values[method].mean())
    difference = bootstrap(values[ours] - values[best], samples=SAMPLES, seed=SEED)
    unit = f"precision@{k}"
    first = Row.of(
        name, f"{what} Told by {ours}.", difference, unit, len(true), value=float(values[ours].mean()),
        reference=float(values[best].mean()), reference_name=best, **more,
    )  # fmt: skip
    return [first, *(
        Row.of(f"{name}-{_id(method)}", f"{what} Told by {method}.",
               bootstrap(values[method], samples=SAMPLES, seed=SEED), unit, len(true), **more)
        for method in others
    )]  # fmt: skip


def precision_at(scores: np.ndarray, true: np.ndarray, k: int) -> np.ndarray:
    """Share of the `k` surest classes of each case that are true: (n,)."""
    surest = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.asarray(np.take_along_axis(true, surest, 1).mean(1))


def _parts(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return predicted & true, predicted, true


def _id(method: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in method.lower()).split())
