"""Hubs: items that are among the nearest of very many others, and how skewed that is."""

from typing import Final

import numpy as np

from strata._kernels.selection import NOTHING, top_k

TEN: Final = 10


def tens(scores: np.ndarray) -> np.ndarray:
    """The ten others of the highest scores (n, n) of each item: (n, 10), NOTHING pads; −inf is none."""
    others = np.array(scores, np.float32)
    np.fill_diagonal(others, -np.inf)
    return top_k(others, TEN)[0]


def occurrences(lists: np.ndarray) -> np.ndarray:
    """In how many of the lists (n, 10) each of the n items is: (n,)."""
    return np.bincount(lists[lists != NOTHING], minlength=len(lists))


def powers(counts: np.ndarray) -> np.ndarray:
    """What each item adds to the skew of `counts` (n,): (n, 4)."""
    return np.asarray(counts, np.float64)[:, None] ** np.arange(4)


def skew(sums: np.ndarray) -> np.ndarray:
    """Skewness of numbers from sums of their powers 0 to 3 (…, 4): m₃ / m₂^1.5, 0 where all are the same."""
    mean, square, cube = np.moveaxis(sums[..., 1:] / np.maximum(sums[..., :1], 1), -1, 0)
    variance = np.maximum(square - mean**2, 1e-12)
    return np.asarray((cube - 3 * mean * square + 2 * mean**3) / variance**1.5)
