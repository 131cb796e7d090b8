"""The class head: from a vector of the language model to the platform's classes, each with a calibrated confidence.

It is learned after the contrastive tuning, on vectors that stay as they are: neighbours of items do not move with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from strata.settings import Settings
from strata.storage import read_array, read_json, write_array, write_json

LEAST_STEPS: Final = 300
"""Of learning, however few the examples."""
RARE: Final = -5.0
"""Where a bias starts: most classes are rare."""
SURE: Final = 1e-6
"""Confidences stay so far from 0 and 1."""


class HeadSettings(Settings):
    """What the class heads learn from, and what of it is filled in."""

    least_items: PositiveInt = 10
    """Items that a class needs to be learned."""
    least_confidence: float = Field(default=0.1, ge=0, le=1)
    """Below which no class is told, even where macro-F1 on items left out would be better for it."""
    most_items: PositiveInt = 20_000
    """Items to learn from, a fixed sample where there are more."""
    most_texts: PositiveInt = 5_000
    """What users wrote about items, the latest of it, to learn from beside the items."""
    epochs: PositiveInt = 12
    batch: PositiveInt = 128
    learning_rate: PositiveFloat = 0.02
    weight_decay: PositiveFloat = 0.1
    folds: int = Field(default=5, ge=2)
    """Parts, each judged by a head that learned from the others: this calibrates the head that learns from all."""
    seed: int = 7


@dataclass(frozen=True)
class ClassHead:
    """A linear layer over unit vectors (n, d) of texts, one output for each of C classes, and what makes it honest.

    `centre` (d,), `scale`: of the vectors it learned from. `weights` (d, C), `bias` (C,). `calibration`: by kind of
    text, the a, b, c with which a raw confidence p becomes σ(a · ln p − b · ln(1 − p) + c) (Kull et al. 2017, beta
    calibration); as it is where a kind has none. `thresholds`: by kind, the confidence from which a class is told.
    """

    classes: tuple[str, ...]
    centre: np.ndarray
    scale: float
    weights: np.ndarray
    bias: np.ndarray
    calibration: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def fit(cls, vectors: np.ndarray, labels: sparse.csr_matrix, classes: tuple[str, ...], how: HeadSettings) -> Self:
        """Learn by binary cross-entropy over every class from vectors (n, d) and labels (n, C), not yet calibrated."""
        centre = vectors.mean(0)
        scale = max(float(vectors.std(0).mean()), SURE)
        layer = torch.nn.Linear(vectors.shape[1], len(classes))
        with torch.no_grad():
            layer.weight.zero_()
            layer.bias.fill_(RARE)
        inputs = torch.from_numpy(np.asarray((vectors - centre) / scale, np.float32))
        _learn(layer, inputs, labels, how)
        weights, bias = (part.detach().numpy() for part in (layer.weight, layer.bias))
        return cls(classes, np.asarray(centre, np.float32), scale, weights.T.copy(), bias.copy())

    def confidences(self, vectors: np.ndarray, kind: str = "items") -> np.ndarray:
        """Of each class that it applies, (n, C) in (0, 1), for vectors (n, d) of a kind of text."""
        logits = (vectors - self.centre) / self.scale @ self.weights + self.bias
        return self.calibrate(expit(logits), kind)

    def of_person(self, vectors: np.ndarray) -> np.ndarray:
        """Of each class that somebody's texts (n, d) are about it, by the text that says so most surely: (C,)."""
        return np.asarray(self.confidences(vectors, "texts").max(0))

    def calibrate(self, raw: np.ndarray, kind: str) -> np.ndarray:
        """Raw confidences (n, C) as the share of such that is right, for a kind of text."""
        a, b, c = self.calibration.get(kind, (1.0, 1.0, 0.0))
        p = np.clip(np.asarray(raw, np.float64), SURE, 1 - SURE)
        return np.asarray(expit(a * np.log(p) - b * np.log1p(-p) + c), np.float32)

    def calibrated(self, by: Mapping[str, tuple[float, float, float]]) -> Self:
        """The same head, calibrated by kind of text."""
        return replace(self, calibration=dict(by))

    def write(self, folder: Path) -> None:
        """Write as arrays and a JSON file."""
        for name in ("centre", "weights", "bias"):
            write_array(getattr(self, name), folder / f"{name}.npy")
        known = {
            "classes": self.classes,
            "scale": self.scale,
            "calibration": self.calibration,
            "thresholds": self.thresholds,
        }
        write_json(known, folder / "head.json")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote."""
        known = read_json(folder / "head.json")
        arrays = (np.asarray(read_array(folder / f"{name}.npy")) for name in ("centre", "weights", "bias"))
        centre, weights, bias = arrays
        calibration = {kind: (a, b, c) for kind, (a, b, c) in known["calibration"].items()}
        return cls(tuple(known["classes"]), centre, known["scale"], weights, bias, calibration, known["thresholds"])


def calibration_of(raw: np.ndarray, true: np.ndarray) -> tuple[float, float, float]:
    """The a, b ≥ 0 and c that make confidences (n, C) of unseen rows likeliest, given what was true: (n, C) bool."""
    p = np.clip(np.asarray(raw, np.float64), SURE, 1 - SURE)
    up, down, sign = np.log(p).ravel(), np.log1p(-p).ravel(), np.where(true, 1.0, -1.0).ravel()

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (x[0] * up - x[1] * down + x[2])
        slope = -sign * expit(-margin)
        return float(np.logaddexp(0, -margin).sum()), np.array([slope @ up, -slope @ down, slope.sum()])

    found = minimize(loss, np.array([1.0, 1.0, 0.0]), jac=True, bounds=[(0, None), (0, None), (None, None)]).x
    return float(found[0]), float(found[1]), float(found[2])


def out_of_fold(
    vectors: np.ndarray, labels: sparse.csr_matrix, groups: np.ndarray, classes: tuple[str, ...], how: HeadSettings
) -> np.ndarray:
    """Raw confidences (n, C) of each row by a head of rows in no group (n,) with it; group −1 is never left out."""
    fold = np.random.default_rng(how.seed).permutation(int(groups.max(initial=0)) + 1)[groups] % how.folds
    fold[groups < 0] = how.folds
    raw = np.zeros(labels.shape, np.float32)
    for left_out in range(how.folds):
        others, rows = np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)
        raw[rows] = ClassHead.fit(vectors[others], labels[others], classes, how).confidences(vectors[rows])
    return raw


def _learn(layer: torch.nn.Linear, inputs: torch.Tensor, labels: sparse.csr_matrix, how: HeadSettings) -> None:
    """AdamW with one cycle of the learning rate, over batches in an order of the seed."""
    n = len(inputs)
    steps = max(how.epochs * -(-n // how.batch), LEAST_STEPS)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.learning_rate, total_steps=steps)
    for rows in _batches(n, steps, how):
        wanted = torch.from_numpy(labels[rows].toarray().astype(np.float32))
        outputs = layer(inputs[torch.from_numpy(rows)])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs, wanted, reduction="sum") / len(rows)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()


def _batches(n: int, steps: int, how: HeadSettings) -> Iterator[np.ndarray]:
    rng, left = np.random.default_rng(how.seed), np.zeros(0, np.int64)
    for _ in range(steps):
        if not len(left):
            left = rng.permutation(n)
        yield left[: how.batch]
        left = left[how.batch :]
