"""How well classes are told, and whether a confidence is the share that is right."""

import numpy as np


def macro_f1(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean over the classes that occur of 2 · hits / (predicted + true); both (n, C) bool."""
    per_class = f1_of_counts(*counts(predicted, true))
    return float(per_class[np.asarray(true).any(0)].mean()) if np.asarray(true).any() else 0.0


def counts(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, predictions and true labels of each class: (C,) each."""
    return (predicted & true).sum(0), predicted.sum(0), true.sum(0)


def f1_of_counts(hits: np.ndarray, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """F1 (…) from counts (…); 0 where there is nothing to hit and nothing predicted."""
    return np.asarray(2 * hits / np.maximum(predicted + true, 1))


def calibration_error(confidences: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015) of predictions (n,): |share right − mean confidence| by bin.

    Bins have equal width; each counts by its predictions. 0 without predictions.
    """
    if not len(confidences):
        return 0.0
    place = np.minimum((confidences * bins).astype(int), bins - 1)
    gap = np.bincount(place, right - confidences, minlength=bins)
    return float(np.abs(gap).sum() / len(confidences))


def best_threshold(scores: np.ndarray, true: np.ndarray, least: float = -np.inf) -> float:
    """The score, `least` or more, from which classes are told with the best macro-F1; both (n, C)."""
    finite = scores[np.isfinite(scores) & (scores >= least)]
    if not len(finite):
        return max(least, 0.0)
    tried = np.unique(np.quantile(finite, np.linspace(0, 1, 200)).round(6))
    return float(tried[int(np.argmax([macro_f1(scores >= at, true) for at in tried]))])
