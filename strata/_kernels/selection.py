"""Top k of scores: per row, per row among admitted columns, per group of a flat array.

A batch of lists takes 1.5 times as long with torch.topk, the fastest library
(`python -m benchmarks.kernels --only selection`).
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from strata._kernels.compiled import compiled

NOTHING = -1
"""Pads rankings with fewer than k results."""
SAMPLE: Final = 256
"""Scores sampled per row, at least, to estimate its top k."""
STEP: Final = 64
"""Largest distance between sampled scores."""
MARGIN: Final = 4


class Admission(NamedTuple):
    """The `columns` (m,), ascending, that may be chosen, except those barred to a row's user.

    User u must not get `columns[barred[starts[u]:starts[u + 1]]]`; `starts` (B + 1,).
    """

    columns: np.ndarray
    starts: np.ndarray
    barred: np.ndarray


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Best k columns of each row of `scores` (B, n), ties by column: columns (B, k) and their scores.

    −inf and NaN are never chosen; places left over hold NOTHING with score −inf.
    """
    n_rows, n = scores.shape
    starts = np.arange(n_rows + 1) * n
    places, best = _ranked(np.ascontiguousarray(scores).ravel(), starts, min(k, n))
    return np.where(places == NOTHING, NOTHING, places - starts[:-1, None]), best


def top_of_groups(scores: np.ndarray, starts: np.ndarray, k: int) -> np.ndarray:
    """Positions of the best k of each group, best first, ties by position: (B, k), NOTHING pads.

    Group g is `scores[starts[g]:starts[g + 1]]`; `scores` (n,), `starts` (B + 1,).
    """
    return _ranked(np.ascontiguousarray(scores), starts, k)[0]


def best_of_groups(scores: np.ndarray, starts: np.ndarray, k: int) -> np.ndarray:
    """Positions of the best k of each group, ties by position, ascending: (m,). Groups as in `top_of_groups`."""
    scores, kept = np.ascontiguousarray(scores), np.empty(len(scores), np.int64)
    space = _space(int(np.diff(starts).max(initial=0)), scores.dtype)
    size = compiled(_keep_of_groups)(scores, np.finfo(scores.dtype).min, starts, k, *space, kept)
    return kept[:size]


def largest(
    scores: np.ndarray, rows: np.ndarray, owners: np.ndarray, most: np.ndarray, least: np.ndarray, admission: Admission
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `most` (R,) largest admitted scores above `least` (R,) of each of `rows` (R,), ties by column.

    `scores` (n, n_items); `owners` (R,): the user of each row. Returns rows in the order given, columns, ascending
    within a row, and values: three arrays (m,).
    """
    n = len(admission.columns)
    room = int(np.minimum(most, n).sum())
    found, columns, values = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.float32)
    floor = np.nextafter(np.asarray(least, np.float32), np.float32(np.inf))
    asked = rows, owners, most, floor
    size = compiled(_largest)(scores, *asked, *admission, *_space(n, np.float32), found, columns, values)
    return found[:size], columns[:size], values[:size]


def _ranked(scores: np.ndarray, starts: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the best k of each group and their scores, best first: two arrays (B, k)."""
    shape, dtype = (len(starts) - 1, k), scores.dtype
    ranked, best = np.full(shape, NOTHING, np.int64), np.full(shape, -np.inf, dtype)
    space = _space(int(np.diff(starts).max(initial=0)), dtype)
    compiled(_rank)(scores, np.finfo(dtype).min, starts, *space, ranked, best)
    return ranked, best


def _space(n: int, dtype: npt.DTypeLike) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scratch arrays for rows of n values: values, their bits, positions and keys."""
    values, whole = np.empty(n + 1, dtype), np.int32 if dtype == np.float32 else np.int64
    return values, values.view(whole), np.empty(n + 1, np.int64), np.empty(n + 1, whole)


@njit()
def _above(keys: np.ndarray, limit: int) -> int:
    found, narrow = 0, keys.dtype.type(limit)
    for place in range(len(keys)):
        found += keys[place] > narrow
    return found


@njit()
def _reach(row: np.ndarray, floor: float, values: np.ndarray, places: np.ndarray) -> int:
    """Copy scores of `row` (n,) ≥ `floor` and their positions to `values` and `places` (n + 1,); returns how many."""
    size = 0
    for place in range(len(row)):
        values[size], places[size] = row[place] + 0, place  # + 0 turns −0 into 0, so that they tie
        size += row[place] >= floor
    return size


@njit()
def _sift(values: np.ndarray, bits: np.ndarray, places: np.ndarray, keys: np.ndarray, k: int, most: int) -> int:
    """Keep the best k to `most` of `values` (n,) and their `places` (n,), in their order; returns how many.

    `bits`: the values' bits as integers, from which `keys` (n,) that order as the values do are made. Their limit is
    found by bisection, which only counts and so needs no branches.
    """
    if len(values) <= most:
        return len(values)
    for place in range(len(keys)):
        keys[place] = bits[place] if bits[place] >= 0 else bits[place] ^ np.iinfo(keys.dtype).max
    # Always more than `most` keys are above low, and k − ties above high.
    low, high, ties = int(keys.min()) - 1, int(keys.max()), k
    while low + 1 < high and ties > 0:
        middle = (low >> 1) + (high >> 1) + (low & high & 1)  # the mean, without overflow
        n_above = _above(keys, middle)
        if n_above > most:
            low = middle
        else:
            high, ties = middle, k - n_above
    limit, kept = keys.dtype.type(high), 0
    for place in range(len(keys)):
        if keys[place] > limit or (keys[place] == limit and ties > 0):
            ties -= keys[place] == limit
            values[kept], places[kept] = values[place], places[place]
            kept += 1
    return kept


@njit()
def _keep(
    row: np.ndarray, k: int, floor: float, values: np.ndarray, bits: np.ndarray, places: np.ndarray, keys: np.ndarray
) -> int:
    """Copy the k best of `row` (n,) ≥ `floor` to `values` and `places` (n + 1,), in their order; returns how many."""
    size, step = 0, max(min(len(row) // SAMPLE, STEP), 1)
    sampled = _reach(row[::step], floor, values, places)
    wanted = MARGIN + 3 * k // (2 * step)
    enough = 5 * wanted // 4
    if enough < sampled:  # estimate a limit that about 1.5 k scores reach
        told = _sift(values[:sampled], bits[:sampled], places[:sampled], keys[:sampled], wanted, enough)
        size = _reach(row, values[:told].min(), values, places)
    if size < k:
        size = _reach(row, floor, values, places)
    return _sift(values[:size], bits[:size], places[:size], keys[:size], k, k)


def _rank(
    scores: np.ndarray, floor: float, starts: np.ndarray,
    values: np.ndarray, bits: np.ndarray, places: np.ndarray, keys: np.ndarray,
    ranked: np.ndarray, best: np.ndarray,
) -> None:  # fmt: skip
    """Fill `ranked` and `best` (B, k) with each group's best positions and scores, best first."""
    k = ranked.shape[1]
    for group in range(len(ranked) if k else 0):
        start, stop = starts[group], starts[group + 1]
        size = _keep(scores[start:stop], k, floor, values, bits, places, keys)
        order = np.argsort(-values[:size], kind="mergesort")
        for place in range(size):
            best[group, place], ranked[group, place] = values[order[place]], start + places[order[place]]


def _keep_of_groups(
    scores: np.ndarray, floor: float, starts: np.ndarray, k: int,
    values: np.ndarray, bits: np.ndarray, places: np.ndarray, keys: np.ndarray,
    kept: np.ndarray,
) -> int:  # fmt: skip
    """Fill `kept` with the positions of the best k of each group, ascending; returns how many."""
    total = 0
    for group in range(len(starts) - 1):
        start, stop = starts[group], starts[group + 1]
        size = _keep(scores[start:stop], k, floor, values, bits, places, keys)
        for place in range(size):
            kept[total + place] = start + places[place]
        total += size
    return total


def _largest(
    scores: np.ndarray, rows: np.ndarray, owners: np.ndarray, most: np.ndarray, floor: np.ndarray,
    columns: np.ndarray, starts: np.ndarray, barred: np.ndarray,
    values: np.ndarray, bits: np.ndarray, places: np.ndarray, keys: np.ndarray,
    found_rows: np.ndarray, found_columns: np.ndarray, found_values: np.ndarray,
) -> int:  # fmt: skip
    """Fill the `found_*` arrays row by row; returns how many."""
    admitted, total = np.empty(len(columns), np.float32), 0
    for number in range(len(rows)):
        row, owner = rows[number], owners[number]
        if len(columns) == scores.shape[1]:
            admitted[:] = scores[row]
        else:
            for place in range(len(columns)):
                admitted[place] = scores[row, columns[place]]
        for place in barred[starts[owner] : starts[owner + 1]]:
            admitted[place] = -np.inf
        size = _keep(admitted, most[number], floor[number], values, bits, places, keys)
        for place in range(size):
            found_rows[total], found_columns[total] = row, columns[places[place]]
            found_values[total] = values[place]
            total += 1
    return total
