"""Behaviour vectors of items: near each other are those that the same people chose, beyond what fashion explains."""

import numpy as np
from pydantic import Field, PositiveInt
from scipy import sparse
from scipy.sparse.linalg import eigsh
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from strata._kernels.selection import top_k
from strata.data.history import History
from strata.embeddings.vectors import unit
from strata.settings import Settings

ROWS_AT_ONCE = 512
"""Items whose co-choices with all others are held in memory together."""


class CoChoiceSettings(Settings):
    """How behaviour vectors are learned."""

    dimensions: PositiveInt = 64
    """Length of a behaviour vector."""
    neighbours: PositiveInt = 200
    """Other items kept for each item, those it is chosen with most beyond what is expected."""
    offers: PositiveInt = 20
    """Equal parts of the events, by time; what is expected follows what was chosen in each of them."""
    smoothing: float = Field(default=0.5, gt=0)
    """Choices added to those seen together and to those expected: few people make no likeness."""
    most_items: PositiveInt = 500
    """Of a user's items those chosen latest, at most so many, that count; time grows with their square."""


def behaviour_vectors(history: History, settings: CoChoiceSettings) -> np.ndarray:
    """Unit vectors (n_items, d) float32 of what users chose and liked; zeros for items without such events.

    A factorisation of positive pointwise mutual information (Levy and Goldberg 2014): ln of how often the same users
    choose two items, over how often they would if each user chose at random from what all chose in the same part of
    the events. So two items are not alike for having come out, or having been the fashion, at the same time. Each
    user's pairs count together as much as their items.
    """
    choices = first_choices(history.positive())
    choices = choices.keep(choices.age_in_events() < settings.most_items)
    information = _information(choices, settings)
    d = min(settings.dimensions, history.n_items - 2)
    found = np.zeros((history.n_items, settings.dimensions), np.float32)
    if information.nnz and d > 0:
        chance = np.random.default_rng(0)  # ARPACK's own starts differ from run to run
        with threadpool_limits(1):  # threaded sums differ from run to run
            values, vectors = eigsh(information, d, v0=chance.random(history.n_items), rng=chance)
        there = values > 1e-5 * values.max()  # what is below is rounding of float32
        found[:, : there.sum()] = vectors[:, there] * np.sqrt(values[there])
        found[np.diff(information.indptr) == 0] = 0  # rounding is no likeness
    return unit(found)


def first_choices(history: History) -> History:
    """The first event of each user on each item."""
    order, starts = history.by_pair
    first = np.zeros(len(history), bool)
    first[order[starts]] = True
    return history.keep(first)


def _information(choices: History, settings: CoChoiceSettings) -> sparse.csr_matrix:
    """Positive pointwise mutual information of items, symmetric: sparse (n_items, n_items)."""
    n_items = choices.n_items
    size = np.diff(choices.offsets)
    weight = 1 / np.sqrt(np.maximum(size - 1, 1))  # its square times a user's ordered pairs: their items
    chosen = sparse.csr_matrix((weight[choices.users].astype(np.float32), (choices.users, choices.items)),
                               (choices.n_users, n_items))  # fmt: skip
    by_time = np.sort(choices.times)
    bounds = by_time[np.arange(1, settings.offers) * len(by_time) // settings.offers] if len(by_time) else by_time
    part = np.searchsorted(bounds, choices.times, "right")
    offered = sparse.csr_matrix((weight[choices.users], (choices.items, part)), (n_items, settings.offers)).toarray()
    busy = sparse.csr_matrix((weight[choices.users], (choices.users, part)), (choices.n_users, settings.offers))
    pairs = (busy.T @ busy).toarray() - np.diag(np.bincount(part, weight[choices.users] ** 2, settings.offers))
    offered = (offered / np.maximum(offered.sum(0), 1e-12)).astype(np.float32)
    rows, columns, values = [], [], []
    known = np.flatnonzero(chosen.getnnz(0))
    chosen = chosen[:, known]
    by_item, expected_of = chosen.T.tocsr(), (pairs.astype(np.float32) @ offered[known].T)
    for start in range(0, len(known), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        ratio = (by_item[block] @ chosen).toarray() + np.float32(settings.smoothing)
        ratio /= offered[known[block]] @ expected_of + np.float32(settings.smoothing)
        ratio[np.arange(len(ratio)), start + np.arange(len(ratio))] = 0
        best, value = top_k(ratio, min(settings.neighbours, len(known)))
        row, place = np.nonzero(value > 1)  # the logarithm is positive
        rows.append(known[start + row])
        columns.append(known[best[row, place]])
        values.append(np.log(value[row, place]))
    shape = (n_items, n_items)
    if not rows:
        return sparse.csr_matrix(shape)
    found = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape)
    return found.maximum(found.T).tocsr()
