"""The best of many scores: own code beside NumPy's argpartition, FAISS's heaps and torch's topk."""

from collections.abc import Callable
from functools import partial
from typing import Final

import faiss
import numpy as np
import torch

from benchmarks.kernels.grounds import Ground
from benchmarks.kernels.race import Library, Race, race
from benchmarks.kernels.swap import one_core, recorded, replays
from benchmarks.kernels.whole import BLOCK, block, whole
from strata._kernels.selection import NOTHING, Admission, best_of_groups, largest, top_k, top_of_groups
from strata.data.history import ranges

Best = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
"""Scores (B, n), k up to n → places of the best k of each row, best first, and their scores: two of (B, k)."""


def by_numpy(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of equal scores come in is left to chance; those that do are ordered by place."""
    n = scores.shape[1]
    places = np.argpartition(scores, n - k, axis=1)[:, n - k :] if k else np.zeros((len(scores), 0), np.int64)
    places.sort(axis=1)
    best = np.take_along_axis(scores, places, 1)
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(places, order, 1), np.take_along_axis(best, order, 1)


def by_numpy_in_order(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with ties by place, as own code has them: what reaches the limit is counted."""
    if not k or k == scores.shape[1]:
        return by_numpy(scores, k)
    limit = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k, None]
    tied = scores == limit
    above = scores > limit
    tied &= np.cumsum(tied, axis=1) <= k - above.sum(1, keepdims=True)
    places = np.nonzero(above | tied)[1].reshape(len(scores), k)
    best = np.take_along_axis(scores, places, 1)
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(places, order, 1), np.take_along_axis(best, order, 1)


def by_faiss(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Heaps over float32."""
    best, places = faiss.kmax(scores, k) if k else (scores[:, :0], np.zeros((len(scores), 0), np.int64))
    return places, np.where(places < 0, -np.inf, best)


def by_torch(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Its values are sorted, ties as they come."""
    best, places = torch.topk(torch.from_numpy(np.ascontiguousarray(scores)), k, dim=1)
    return places.numpy(), best.numpy()


def top_k_by(best_of: Best, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As `top_k`."""
    places, best = best_of(scores, min(k, scores.shape[1]))
    return np.where(best == -np.inf, NOTHING, places), best


def top_of_groups_by(best_of: Best, scores: np.ndarray, starts: np.ndarray, k: int) -> np.ndarray:
    """As `top_of_groups`: groups as rows of a table, filled up with −∞."""
    counts = np.diff(starts)
    inside = np.arange(counts.max(initial=0)) < counts[:, None]
    rows = np.full(inside.shape, -np.inf, scores.dtype)
    rows[inside] = scores
    places, _ = top_k_by(best_of, rows, k)
    found = np.full((len(counts), k), NOTHING)
    found[:, : places.shape[1]] = np.where(places == NOTHING, NOTHING, places + starts[:-1, None])
    return found


def best_of_groups_by(best_of: Best, scores: np.ndarray, starts: np.ndarray, k: int) -> np.ndarray:
    """As `best_of_groups`."""
    places = top_of_groups_by(best_of, scores, starts, k)
    return np.sort(places[places != NOTHING])


def largest_by(
    best_of: Best, scores: np.ndarray, rows: np.ndarray, owners: np.ndarray, most: np.ndarray, least: np.ndarray,
    admission: Admission,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """As `largest`: a copy of what is admitted, the longest lists of all rows, then what is too much cut off."""
    columns, starts, barred = admission
    admitted = scores[rows] if len(columns) == scores.shape[1] else scores[np.ix_(rows, columns)]
    place, row = ranges(starts[owners], starts[owners + 1])
    admitted[row, barred[place]] = -np.inf
    k = min(int(most.max(initial=0)), len(columns))
    places, best = best_of(admitted, k)
    kept = (np.arange(k) < most[:, None]) & (best > least[:, None])
    row, rank = np.nonzero(kept)
    chosen = places[row, rank]
    order = np.lexsort((chosen, row))
    return rows[row][order], columns[chosen][order], best[row, rank][order].astype(np.float32)


def library(best_of: Best) -> Library:
    """All selections by one library's way."""
    return {
        top_k: partial(top_k_by, best_of),
        top_of_groups: partial(top_of_groups_by, best_of),
        best_of_groups: partial(best_of_groups_by, best_of),
        largest: partial(largest_by, best_of),
    }


IN_ORDER: Final = "NumPy, ties by place"
LIBRARIES: Final[dict[str, Library]] = {
    "NumPy's argpartition": library(by_numpy),
    IN_ORDER: library(by_numpy_in_order),
    "FAISS's kmax": library(by_faiss),
    "torch.topk": library(by_torch),
}


def races(ground: Ground, turns: int) -> list[Race]:
    """All selections of a batch's first block alone, whole calls and batches, and the stage that ranks most."""
    own = [top_k, top_of_groups, best_of_groups, largest]
    recommender = ground.fresh()
    calls = recorded(own, lambda: block(recommender, ground))
    with one_core():
        what = f"The {len(calls)} selections of {BLOCK} users' lists, {ground.name}"
        found = [race(f"selection{ground.suffix}", what, BLOCK, replays(calls, LIBRARIES), turns)]
    found += whole("selection", ("call", "batch"), ground, found[0].fastest(LIBRARIES), turns)
    return found
