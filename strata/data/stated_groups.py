"""Groups that users put themselves into by what they state, such as an occupation; numbers are cut into ranges."""

from collections import Counter
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse

from strata.data.schema import ATTRIBUTES

FEWEST: Final = 20
"""Users that a group needs."""
RANGES, MANY = 6, 12
"""Ranges of equal size that numbers of more than MANY values are cut into."""


def groups_of(accounts: pl.DataFrame) -> sparse.csr_matrix:
    """Users × groups, 1 where a user is of a group: float64 CSR (n_users, G), groups in alphabetical order."""
    stated = [
        {entry["key"]: entry["value"] for entry in entries or [] if entry["value"]}
        for entries in accounts[ATTRIBUTES].to_list()
    ]
    cuts = {key: _cuts([each[key] for each in stated if key in each]) for key in sorted(set().union(*stated))}
    named = [{f"{key}={_group(value, cuts[key])}" for key, value in each.items()} for each in stated]
    sizes = Counter(name for names in named for name in names)
    kept = {name: place for place, name in enumerate(sorted(name for name, n in sizes.items() if n >= FEWEST))}
    cells = [(user, kept[name]) for user, names in enumerate(named) for name in sorted(names) if name in kept]
    rows, columns = np.array(cells, np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(stated), len(kept)))


def _cuts(values: list[str]) -> np.ndarray | None:
    """Where numbers are cut; None for values that are no numbers, or few."""
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        return None
    if len(np.unique(numbers)) <= MANY or not np.isfinite(numbers).all():
        return None
    return np.asarray(np.quantile(numbers, np.linspace(0, 1, RANGES + 1)[1:-1]))


def _group(value: str, cuts: np.ndarray | None) -> str:
    return value if cuts is None else str(int(np.searchsorted(cuts, float(value), "right")))
