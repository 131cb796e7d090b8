"""Vectors: scaling to unit length, and the spread of a set."""

import numpy as np


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows (n, d) scaled to length 1; zero rows stay zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def spread(vectors: np.ndarray) -> float:
    """Root mean square distance of item vectors (n, d) from their mean: the unit in which cuts are given.

    Fine-tuning and other encoders stretch the space; a cut in this unit keeps its meaning.
    """
    deviations = np.asarray(vectors) - np.asarray(vectors).mean(0)
    return max(float(np.sqrt((deviations**2).sum(1).mean())), 1e-6)
